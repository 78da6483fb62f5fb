import Identity
import Incidents
import JSON
import MediaServer
import Outgoing
import Primitives
import Recorder
import Storage
import Synchronization

/// Where the health desk looks.
package struct HealthSources: Sendable {
  package var media: any MediaPlane
  package var sender: LinkSender
  package var webhooks: WebhookDesk
  package var space: ArchiveSpace
  /// What the recorder counts; nil where nothing is recorded.
  package var recorder: (@Sendable () -> RecorderStatistics)?
  package var mediaThreads: Int
  package var version: String
  /// When the certificate of the node's own HTTPS ends.
  package var certificateEnd: UTCTime?

  package init(
    media: any MediaPlane, sender: LinkSender, webhooks: WebhookDesk, space: ArchiveSpace,
    recorder: (@Sendable () -> RecorderStatistics)? = nil, mediaThreads: Int = 1, version: String = "",
    certificateEnd: UTCTime? = nil
  ) {
    self.media = media
    self.sender = sender
    self.webhooks = webhooks
    self.space = space
    self.recorder = recorder
    self.mediaThreads = mediaThreads
    self.version = version
    self.certificateEnd = certificateEnd
  }
}

/// How the node is: figures of now and of the last minutes, and what is wrong since when.
///
/// Nothing of an incident's content is in it, so that admins may see all of it.
package final class HealthDesk: Sendable {
  private struct State {
    var alarms = AlarmList()
    var history = LoadHistory()
    var clock = ClockWatch()
    var troubles: [IncidentID: SendingRecord.Trouble] = [:]
  }

  private let state = Mutex(State())
  private let room: ControlRoom
  private let sources: HealthSources
  private let startedAt: UTCTime
  private let started: MonotonicTime

  /// How often the node is looked at.
  package static let interval = Duration.seconds(5)
  /// Incidents whose recording is in trouble that are kept.
  private static let maximumTroubles = 1_024

  package init(room: ControlRoom, sources: HealthSources) {
    self.room = room
    self.sources = sources
    startedAt = room.clock.wall()
    started = room.clock.monotonic()
    room.observe { [weak self] event, incident in self?.take(event, incident) }
  }

  /// Looks at the node again and again until cancelled.
  package func run() async {
    while !Task.isCancelled {
      await sample()
      try? await Task.sleep(for: Self.interval)
    }
  }

  /// Takes a step of the history, and the alarms of this moment.
  package func sample() async {
    let media = await sources.media.statistics()
    let recorder = sources.recorder?()
    let written = room.journalStatistics
    let (wall, monotonic) = (room.clock.wall(), room.clock.monotonic())
    state.withLock { state in
      state.clock.take(wall: wall, monotonic: monotonic)
      state.history.take(
        LoadHistory.Sample(
          at: monotonic, events: room.counters.events, commits: written.commits, commitSeconds: written.seconds,
          peers: media.gauge("sightline_peers"),
          losses: (recorder?.packetsDropped ?? 0) + (recorder?.fragmentsDropped ?? 0)))
    }
    await lookForAlarms()
  }

  /// On the journal writer's thread: only notes what happened.
  private func take(_ event: JournalEvent, _ incident: Incident) {
    guard event.kind == EventKind.recording.rawValue else { return }
    state.withLock { state in
      switch event.payload["state"]?.string {
      case "alarm":
        guard state.troubles.count < Self.maximumTroubles || state.troubles[incident.id] != nil else { return }
        state.troubles[incident.id] = .init(
          since: state.troubles[incident.id]?.since ?? event.time, text: event.payload["detail"]?.string ?? "")
      case "recovered", "sealed": state.troubles[incident.id] = nil
      default: return
      }
    }
  }

  private func lookForAlarms() async {
    var facts = HealthFacts(now: room.clock.wall())
    facts.isJournalWritable = await room.isHealthy
    facts.space = sources.space.reading
    facts.recorderBacklog = sources.recorder?().bytesWaiting ?? 0
    facts.unreadableIncidents = room.unreadableIncidents.count
    facts.deadLetters = sources.webhooks.deadLetterCount
    if sources.sender.sendsTexts { facts.sending[.sms] = sources.sender.record(of: .sms) }
    if sources.sender.sendsMail { facts.sending[.email] = sources.sender.record(of: .email) }
    facts.adminsWithoutFactor =
      room.accounts.all.filter { $0.role == .admin && $0.state == .active && $0.sealedTOTP == nil }.count
    facts.certificateEnd = sources.certificateEnd
    let found = facts
    state.withLock { state in
      var facts = found
      facts.clock = state.clock
      facts.recordingTroubles = state.troubles
      facts.recentLosses = state.history.losses(within: HealthFacts.lossMemory)
      state.alarms.take(facts.alarms, at: facts.now)
    }
  }

  // MARK: - The report

  /// Everything, as it is now.
  package func report() async -> JSONValue {
    await lookForAlarms()
    let media = await sources.media.statistics()
    let (alarms, history) = state.withLock { ($0.alarms, $0.history) }
    let now = room.clock.wall()
    return .members([
      "version": .string(sources.version), "startedAt": .string(startedAt.description), "now": .string(now.description),
      "uptimeSeconds": .integer(Int((room.clock.monotonic() - started).seconds)),
      "alarms": .array(alarms.present.map(\.json)), "pastAlarms": .array(alarms.past.map(\.json)),
      "media": [
        "threads": .integer(sources.mediaThreads), "peers": .integer(Int(clamping: media.gauge("sightline_peers"))),
        "sources": .integer(Int(clamping: media.gauge("sightline_sources"))),
        "incidents": .integer(Int(clamping: media.gauge("sightline_incidents"))),
      ],
      "journal": .members([
        "events": .integer(Int(clamping: room.counters.events)), "eventsPerSecond": .number(history.eventsPerSecond),
        "commitMilliseconds": history.commitMilliseconds.map { .number($0) },
        "failures": .integer(Int(clamping: room.counters.failures)),
      ]),
      "incidentsInMemory": .integer(room.incidentCount), "connections": .integer(room.connectionCount),
      "recorder": sources.recorder.map { view($0()) }, "space": sources.space.reading.json,
      "webhooks": view(sources.webhooks.statistics), "sending": sending, "history": history.json,
      "historyStepSeconds": .integer(Int(Self.interval.components.seconds)),
      "certificateEnd": sources.certificateEnd.map { .string($0.description) },
    ])
  }

  private func view(_ recorder: RecorderStatistics) -> JSONValue {
    [
      "sources": .integer(recorder.sources), "bytes": .integer(recorder.bytes),
      "bytesWaiting": .integer(recorder.bytesWaiting),
      "losses": .integer(recorder.packetsDropped + recorder.fragmentsDropped),
    ]
  }

  private func view(_ webhooks: WebhookDispatcher.Statistics) -> JSONValue {
    [
      "delivered": .integer(webhooks.delivered), "failedTries": .integer(webhooks.failedTries),
      "deadLetters": .integer(sources.webhooks.deadLetterCount),
    ]
  }

  private var sending: JSONValue {
    let isSetUp: [MessageWay: Bool] = [.sms: sources.sender.sendsTexts, .email: sources.sender.sendsMail]
    let rows = MessageWay.allCases.map { way -> (String, JSONValue) in
      let record = sources.sender.record(of: way)
      return (
        way.rawValue,
        .members([
          "setUp": .bool(isSetUp[way] ?? false), "accepted": .integer(record.accepted),
          "failed": .integer(record.failed), "lastAcceptedAt": record.lastAcceptedAt.map { .string($0.description) },
          "trouble": record.trouble.map { .string($0.text) },
        ])
      )
    }
    return .object(Dictionary(uniqueKeysWithValues: rows))
  }
}
