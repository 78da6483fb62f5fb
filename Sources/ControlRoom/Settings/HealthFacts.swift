import Incidents
import Primitives

/// What the alarms of a node are made of, as it was looked at; sans-IO.
package struct HealthFacts: Sendable {
  package var now: UTCTime
  package var isJournalWritable = true
  package var space = ArchiveSpace.Reading()
  /// Bytes of recordings on their way to the disk.
  package var recorderBacklog = 0
  /// Packets and fragments that the recorder lost within ``lossMemory``.
  package var recentLosses = 0
  /// Incidents whose recording is in trouble: since when, and why.
  package var recordingTroubles: [IncidentID: SendingRecord.Trouble] = [:]
  package var unreadableIncidents = 0
  package var deadLetters = 0
  /// How sending goes, for the ways that are set up.
  package var sending: [MessageWay: SendingRecord] = [:]
  package var clock = ClockWatch()
  package var adminsWithoutFactor = 0
  /// When the certificate of the node's own HTTPS ends.
  package var certificateEnd: UTCTime?

  /// Losses count as recent for so long, seconds.
  package static let lossMemory = 600.0
  /// Bytes on their way to the disk that are too many.
  package static let maximumBacklog = 64 << 20
  /// Days before the certificate's end at which to say so.
  package static let certificateDays = (attention: 21.0, urgent: 3.0)

  package init(now: UTCTime) {
    self.now = now
  }

  /// Everything that is wrong.
  package var alarms: [Alarm] {
    storeAlarms + recorderAlarms + sendingAlarms + clockAlarms + certificateAlarms + accountAlarms
  }

  private var storeAlarms: [Alarm] {
    var alarms: [Alarm] = []
    if !isJournalWritable {
      alarms.append(
        Alarm(
          "journal", .urgent, "The journal cannot be written", detail: "The node takes nothing more and is ending.",
          remedy: "Look at the disk of the data folder and at the log, then start the node again."))
    }
    if unreadableIncidents > 0 {
      alarms.append(
        Alarm(
          "unreadable", .urgent, "\(Self.count(unreadableIncidents, "incident")) cannot be served",
          detail: "Their journals are damaged; the log names each with the reason.",
          remedy: "Restore the data folder's journal from a backup, beside what there is now."))
    }
    let fullness = space.fullness
    if space.diskCapacity > 0, fullness >= ArchiveSpace.levels[0] {
      let isUrgent = fullness >= ArchiveSpace.levels[ArchiveSpace.levels.count - 1]
      alarms.append(
        Alarm(
          "space", isUrgent ? .urgent : .attention, "Recordings have filled \(fullness) % of their room",
          detail:
            "\(space.archive >> 20) of \(space.quota >> 20) MiB are used, \(space.diskFree >> 20) MiB are free on the disk.",
          remedy:
            "Keep recordings for fewer days (Retention), move the archive to a larger disk, or make room on this one."
        ))
    }
    return alarms
  }

  private var recorderAlarms: [Alarm] {
    var alarms: [Alarm] = []
    if recentLosses > 0 {
      alarms.append(
        Alarm(
          "recorderLoss", .urgent, "Parts of recordings were lost",
          detail: "\(recentLosses) pieces within the last \(Int(Self.lossMemory) / 60) minutes found no room.",
          remedy: "The disk or the processor does not keep up: move other work off this machine."))
    }
    if recorderBacklog > Self.maximumBacklog {
      alarms.append(
        Alarm(
          "recorderBacklog", .attention, "The disk falls behind",
          detail: "\(recorderBacklog >> 20) MiB of recordings wait to be written.",
          remedy: "Look at what else uses the disk. When too much waits, parts of recordings are lost."))
    }
    if let first = recordingTroubles.values.min(by: { $0.since < $1.since }) {
      alarms.append(
        Alarm(
          "recorder", .urgent, "\(Self.count(recordingTroubles.count, "recording")) in trouble", detail: first.text,
          remedy: "Look at the disk of DATA/archive: whether it is full, and whether it can be written.",
          since: first.since))
    }
    return alarms
  }

  private var sendingAlarms: [Alarm] {
    var alarms: [Alarm] = []
    let names: [MessageWay: (name: String, option: String)] = [
      .sms: ("Text messages", "--sms-gateway"), .email: ("Mails", "--mail-server"),
    ]
    for way in MessageWay.allCases {
      guard let (name, option) = names[way] else { continue }
      guard let record = sending[way] else {
        if way == .sms {
          alarms.append(
            Alarm(
              "sms.missing", .advice, "No text messages can be sent",
              detail: "Callers can be shown a link or mailed one.",
              remedy: "Start the node with \(option); the runbook says how the file looks."))
        }
        continue
      }
      if let trouble = record.trouble {
        alarms.append(
          Alarm(
            way.rawValue, .urgent, "\(name) do not go out", detail: trouble.text,
            remedy: "Send a test under Messages; it shows what the provider says. Operators can show links meanwhile.",
            since: trouble.since))
      }
    }
    if deadLetters > 0 {
      alarms.append(
        Alarm(
          "webhooks", .attention, "Other systems did not get \(Self.count(deadLetters, "event"))",
          detail: "They were tried again and again for hours, then given up.",
          remedy: "Look at the receiver, then try the letters again or drop them under Webhooks."))
    }
    return alarms
  }

  private var clockAlarms: [Alarm] {
    guard let jump = clock.jump, now - jump.at < .seconds(ClockWatch.memory) else { return [] }
    let seconds = Int(jump.seconds.rounded())
    return [
      Alarm(
        "clock", .attention, "The clock was changed while the node ran",
        detail:
          "It went \(seconds < 0 ? "back" : "forward") by \(abs(seconds)) s. Times in journals before and after differ.",
        remedy: "Keep the machine's clock right by NTP, such as chrony or systemd-timesyncd.", since: jump.at)
    ]
  }

  private var certificateAlarms: [Alarm] {
    guard let certificateEnd else { return [] }
    let days = (certificateEnd - now).seconds / 86_400
    guard days < Self.certificateDays.attention else { return [] }
    return [
      Alarm(
        "certificate", days < Self.certificateDays.urgent ? .urgent : .attention,
        days < 0 ? "The certificate is over" : "The certificate ends soon",
        detail: "It is good until \(certificateEnd). After that no phone opens a link.",
        remedy: "Put a new certificate in place and start the node again.")
    ]
  }

  private var accountAlarms: [Alarm] {
    guard adminsWithoutFactor > 0 else { return [] }
    return [
      Alarm(
        "secondFactor", .advice, "\(Self.count(adminsWithoutFactor, "admin")) without a second factor",
        detail: "Whoever learns such a password may add accounts and change settings.",
        remedy: "Each of them sets one up under Password and second factor, behind their name above.")
    ]
  }

  private static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
}

/// Notices that the wall clock was set while the node ran; sans-IO.
package struct ClockWatch: Sendable {
  package struct Jump: Hashable, Sendable {
    package let at: UTCTime
    /// Negative when it went back.
    package let seconds: Double
  }

  private var last: (wall: UTCTime, monotonic: MonotonicTime)?
  /// The latest that was noticed.
  package private(set) var jump: Jump?

  /// Seconds that count as a jump: NTP slews what is less.
  package static let tolerance = 1.0
  /// Seconds for which a jump is told.
  package static let memory = 3_600.0

  package init() {}

  /// Takes in what both clocks say now.
  package mutating func take(wall: UTCTime, monotonic: MonotonicTime) {
    defer { last = (wall, monotonic) }
    guard let last else { return }
    let difference = (wall - last.wall).seconds - (monotonic - last.monotonic).seconds
    if abs(difference) > Self.tolerance { jump = Jump(at: wall, seconds: difference) }
  }
}
