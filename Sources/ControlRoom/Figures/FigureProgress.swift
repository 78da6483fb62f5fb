import Incidents
import JSON
import Primitives

/// One incident that is followed for the figures: just enough to know what the next event adds.
struct FigureProgress: Sendable {
  typealias Change = (inout FigureHour) -> Void
  typealias Write = (FigureBook.Key, @escaping Change) -> Void

  let agency: String
  let isExercise: Bool
  let openedAt: UTCTime
  /// Of the last event.
  var number = 0
  private(set) var isAnswered = false
  private(set) var isClosed = false
  private var recording = RecordingState.none
  private var callers: [String: Session] = [:]
  private var watching: [String: Presence] = [:]
  private var open: Presence

  private enum RecordingState { case none, running, sealed }

  /// People and callers followed in one incident; further ones are not counted.
  private static let maximumPeople = 256

  /// Being there, which counts once an hour.
  struct Presence: Sendable {
    /// Nil while it is not.
    var since: Int?
    /// The last hour that was counted.
    var counted = Int.min

    /// The hours until `hour` that are not counted yet.
    func uncounted(until hour: Int) -> Range<Int> {
      guard let since else { return 0..<0 }
      let first = max(since, counted == .min ? since : counted + 1, hour - FigureBook.horizon)
      return first..<max(first, hour + 1)
    }
  }

  /// A caller's session.
  private struct Session: Sendable {
    let hour: Int
    /// Place in ``FigureHour/stages``.
    var reached = 0
    var dropOut: FigureHour.DropOut?
    var sentAt: UTCTime?
    var openedAt: UTCTime?
    var live = Presence()
    var wasLive: Bool { reached == FigureHour.stages.count - 1 }
  }

  init(agency: String, isExercise: Bool, openedAt: UTCTime) {
    self.agency = agency
    self.isExercise = isExercise
    self.openedAt = openedAt
    open = Presence(since: openedAt.hour)
  }

  /// Whether nothing that counts can come any more.
  var isFinished: Bool { isClosed && recording != .running }
  var liveCount: Int { callers.values.count { $0.live.since != nil } }
  var watchingCount: Int { watching.values.count { $0.since != nil } }

  private func key(_ hour: Int) -> FigureBook.Key { .init(agency: agency, isExercise: isExercise, hour: hour) }

  /// Hours in which the incident, its callers and its viewers have been there without having been counted.
  func ongoing(until now: UTCTime) -> [(FigureBook.Key, Change)] {
    let hour = now.hour
    var changes: [(FigureBook.Key, Change)] = open.uncounted(until: hour).map { (key($0), { $0.openIncidents += 1 }) }
    for session in callers.values {
      changes += session.live.uncounted(until: hour).map { (key($0), { $0.liveCallers += 1 }) }
    }
    for presence in watching.values {
      changes += presence.uncounted(until: hour).map { (key($0), { $0.viewers += 1 }) }
    }
    return changes
  }

  // MARK: - Events

  mutating func take(_ event: JournalEvent, _ write: Write) {
    guard let kind = EventKind(rawValue: event.kind) else { return }
    let payload = event.payload
    switch kind {
    case .opened: write(key(openedAt.hour)) { $0.opened += 1 }
    case .stateChanged: enter(payload["state"]?.string, at: event.time, write)
    case .merged: close(at: event.time, drops: false, write)
    case .callerAdded: add(payload["caller"]?.string, at: event.time, write)
    case .callerStage:
      guard let caller = payload["caller"]?.string, let stage = payload["stage"]?.string else { return }
      callerStage(caller, stage, payload["reason"]?.string, at: event.time, write)
    case .watching: watch(payload["account"]?.string, payload["on"]?.bool ?? false, at: event.time, write)
    case .recording: record(payload["state"]?.string, write)
    default: break
    }
  }

  private mutating func enter(_ name: String?, at time: UTCTime, _ write: Write) {
    guard let state = name.flatMap(IncidentState.init) else { return }
    if state == .active, !isAnswered {
      isAnswered = true
      let seconds = time.seconds(since: openedAt)
      write(key(openedAt.hour)) { $0.answers.add(seconds) }
    }
    if state.isClosed {
      close(at: time, drops: true, write)
    } else if isClosed {
      isClosed = false
      open.since = time.hour
    }
  }

  private mutating func close(at time: UTCTime, drops: Bool, _ write: Write) {
    guard !isClosed else { return }
    isClosed = true
    leave(&open, at: time, { $0.openIncidents += 1 }, write)
    for id in callers.keys {
      guard var session = callers[id] else { continue }
      leave(&session.live, at: time, { $0.liveCallers += 1 }, write)
      if drops, !session.wasLive, session.dropOut == nil { drop(&session, "incidentOver", write) }
      callers[id] = session
    }
    for id in watching.keys { leave(&watching[id, default: Presence()], at: time, { $0.viewers += 1 }, write) }
  }

  private func leave(_ presence: inout Presence, at time: UTCTime, _ change: @escaping Change, _ write: Write) {
    for hour in presence.uncounted(until: time.hour) {
      write(key(hour), change)
      presence.counted = hour
    }
    presence.since = nil
  }

  private mutating func watch(_ account: String?, _ isOn: Bool, at time: UTCTime, _ write: Write) {
    guard let account, watching[account] != nil || watching.count < Self.maximumPeople else { return }
    var presence = watching[account] ?? Presence()
    if isOn {
      presence.since = presence.since ?? time.hour
    } else {
      leave(&presence, at: time, { $0.viewers += 1 }, write)
    }
    watching[account] = presence
  }

  private mutating func record(_ state: String?, _ write: Write) {
    let hour = key(openedAt.hour)
    switch state {
    case "started":
      if recording == .none { write(hour) { $0.recorded += 1 } }
      recording = .running
    case "sealed":
      if recording == .running { write(hour) { $0.sealed += 1 } }
      recording = .sealed
    case "alarm": write(hour) { $0.alarms += 1 }
    default: break
    }
  }

  // MARK: - Callers

  private mutating func add(_ caller: String?, at time: UTCTime, _ write: Write) {
    guard let caller, callers[caller] == nil, callers.count < Self.maximumPeople else { return }
    callers[caller] = Session(hour: time.hour)
    write(key(time.hour)) { $0.reached[0] += 1 }
  }

  private mutating func callerStage(
    _ caller: String, _ name: String, _ reason: String?, at time: UTCTime, _ write: Write
  ) {
    guard var session = callers[caller], let stage = CallerStage(rawValue: name) else { return }
    switch stage {
    case .requested, .linkSent, .opened, .locationOK, .cameraOK, .connecting, .live:
      advance(&session, to: stage, at: time, write)
    case .paused: leave(&session.live, at: time, { $0.liveCallers += 1 }, write)
    case .ended, .declined, .expired, .failed:
      leave(&session.live, at: time, { $0.liveCallers += 1 }, write)
      if !session.wasLive, session.dropOut == nil { drop(&session, reason ?? name, write) }
    }
    callers[caller] = session
  }

  private func advance(_ session: inout Session, to stage: CallerStage, at time: UTCTime, _ write: Write) {
    if stage == .linkSent { session.sentAt = session.sentAt ?? time }
    if stage == .opened { session.openedAt = session.openedAt ?? time }
    if stage == .live { session.live.since = session.live.since ?? time.hour }
    let place = FigureHour.stages.firstIndex(of: stage) ?? 0
    guard place > session.reached else { return }
    let passed = session.reached + 1...place
    let (undone, hour) = (session.dropOut, key(session.hour))
    write(hour) { hour in
      for index in passed { hour.reached[index] += 1 }
      // It was given up too early.
      if let undone {
        let left = hour.dropOuts[undone, default: 1] - 1
        hour.dropOuts[undone] = left == 0 ? nil : left
      }
    }
    session.dropOut = nil
    session.reached = place
    guard stage == .live else { return }
    let (sent, opened) = (session.sentAt, session.openedAt)
    write(hour) { hour in
      if let opened { hour.openedToLive.add(time.seconds(since: opened)) }
      if let sent { hour.sentToLive.add(time.seconds(since: sent)) }
    }
  }

  private func drop(_ session: inout Session, _ reason: String, _ write: Write) {
    let dropOut = FigureHour.DropOut(after: FigureHour.stages[session.reached], reason: reason)
    session.dropOut = dropOut
    write(key(session.hour)) { $0.dropOuts[dropOut, default: 0] += 1 }
  }
}

extension UTCTime {
  fileprivate func seconds(since other: UTCTime) -> Double { Double(microseconds - other.microseconds) / 1e6 }
}
