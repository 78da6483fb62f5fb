import Incidents
import JSON
import Primitives
import Recorder
import Storage
import Synchronization

/// What the control room has to do with recordings: archives get their copy of the journal, and the journal hears what
/// happens to the archives.
package final class RecordingDesk: Sendable {
  private let room: ControlRoom
  private let recorder: Recorder
  private let events: AsyncStream<RecorderEvent>
  /// Incidents whose archives are open.
  private let open = Mutex<Set<IncidentID>>([])
  /// When each alarm was last written down.
  private let alarms = Mutex<[Alarm: MonotonicTime]>([:])

  private struct Alarm: Hashable {
    let incident: IncidentID
    let text: String
  }

  /// An alarm is written down again after this long at the earliest.
  private static let alarmInterval = TimeInterval64.seconds(60)
  /// Alarms that are remembered.
  private static let maximumAlarms = 1_000

  /// - Parameter bell: Where `recorder` tells its events.
  package init(room: ControlRoom, recorder: Recorder, bell: RecorderBell) {
    self.room = room
    self.recorder = recorder
    events = bell.events
  }

  /// Writes the recorder's events down until the bell is finished.
  package func run() async {
    let id = room.observeWhile { [weak self] event, incident in self?.note(event, incident) }
    for await event in events { await take(event) }
    room.stopObserving(id)
  }

  private func note(_ event: JournalEvent, _ incident: Incident) {
    guard open.withLock({ $0.contains(incident.id) }) else { return }
    recorder.note(incident.id, isClosed: incident.state.isClosed)
  }

  private func take(_ event: RecorderEvent) async {
    switch event {
    case .started(let incident):
      _ = open.withLock { $0.insert(incident) }
      await write("started", in: incident)
    case .alarm(let incident, let track, let text):
      if isNews(Alarm(incident: incident, text: text)) { await write("alarm", in: incident, track: track, text) }
    case .recovered(let incident): await write("recovered", in: incident)
    case .sealed(let incident):
      _ = open.withLock { $0.remove(incident) }
      await write("sealed", in: incident)
    }
  }

  private func isNews(_ alarm: Alarm) -> Bool {
    let now = room.clock.monotonic()
    return alarms.withLock { alarms in
      if let last = alarms[alarm], now - last < Self.alarmInterval { return false }
      if alarms.count >= Self.maximumAlarms { alarms = alarms.filter { now - $0.value < Self.alarmInterval } }
      alarms[alarm] = now
      return true
    }
  }

  private func write(_ state: String, in incident: IncidentID, track: String? = nil, _ detail: String? = nil) async {
    _ = try? await room.submit(
      Wish(
        .recording,
        .members([
          "state": .string(state), "track": track.map { .string($0) },
          "detail": detail.map { .string(String($0.prefix(500))) },
        ]), in: incident, by: .system, isServer: true))
  }
}

/// Carries what the recorder's threads tell to whoever waits for it.
package struct RecorderBell: Sendable {
  package let events: AsyncStream<RecorderEvent>
  private let continuation: AsyncStream<RecorderEvent>.Continuation

  /// Events that wait at most; the oldest give way.
  package static let maximumWaiting = 1_024

  package init() {
    (events, continuation) = AsyncStream.makeStream(
      of: RecorderEvent.self, bufferingPolicy: .bufferingNewest(Self.maximumWaiting))
  }

  /// Nothing more is told.
  package func finish() { continuation.finish() }

  package func ring(_ event: RecorderEvent) { continuation.yield(event) }
}

/// The node's store, as the recorder reads it.
package struct StoredJournal: JournalSource {
  private let storage: any Storage

  package init(storage: any Storage) {
    self.storage = storage
  }

  package func events(of incident: IncidentID, after number: Int, limit: Int) throws -> [JournalEvent] {
    try storage.events(of: incident, after: number, limit: limit)
  }
}
