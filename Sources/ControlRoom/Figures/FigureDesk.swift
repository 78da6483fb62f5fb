import Archive
import Dispatch
import Incidents
import Primitives
import Storage
import Synchronization

/// Keeps the figures: reads the last month's journals once, in the background, then follows what happens.
package final class FigureDesk: Sendable {
  /// What the journal writer's thread touches.
  private struct Intake {
    var waiting: [JournalEvent] = []
    var isDraining = false
    /// Whether something was dropped, so that all has to be read again.
    var isBroken = false
  }

  private struct State {
    var book = FigureBook()
    /// Whether the journals are still being read.
    var isReading = true
    /// Incidents that began while the journals were read; they are not read again.
    var begun: Set<IncidentID> = []
  }

  private let intake = Mutex(Intake())
  private let state = Mutex(State())
  private let room: ControlRoom
  private let catalog: CatalogDesk
  /// Takes events in and reads journals, one thing after the other, so that no event is counted twice.
  private let queue = DispatchQueue(label: "sightline.figures")

  /// Events that wait; beyond it everything is read again.
  static let maximumWaiting = 65_536
  private static let page = 1_000
  private static let interval = Duration.seconds(5)
  /// Kinds that say something to the figures; the rest, fixes and talk, cost nothing here.
  private static let telling: Set<String> = Set(
    [EventKind.opened, .stateChanged, .merged, .callerAdded, .callerStage, .watching, .recording].map(\.rawValue))

  package init(room: ControlRoom, catalog: CatalogDesk) {
    self.room = room
    self.catalog = catalog
    room.observe { [weak self] event, _ in self?.take(event) }
  }

  /// Whether the figures hold all that the journals say.
  package var isComplete: Bool { state.withLock { !$0.isReading } }

  /// Reads the journals as soon as the catalogue knows which, and again when it could not keep up; until cancelled.
  package func run() async {
    while !Task.isCancelled {
      if catalog.isCaughtUp, !isComplete || intake.withLock({ $0.isBroken }) { await read() }
      try? await Task.sleep(for: isComplete ? Self.interval : .milliseconds(200))
    }
  }

  /// The figures of an agency's hours in `range`.
  package func report(agency: String, isExercise: Bool, hours range: Range<Int>) -> FigureReport {
    let now = room.clock.wall()
    return state.withLock { $0.book.report(agency: agency, isExercise: isExercise, hours: range, now: now) }
  }

  /// Returns when what happened before is counted.
  package func settle() async {
    await onQueue {}
  }

  // MARK: - Reading

  /// Reads the journals of the last month, an incident at a time so that news gets its turn.
  package func read() async {
    await onQueue { [self] in
      intake.withLock { $0.isBroken = false }
      state.withLock { $0 = State() }
    }
    let oldest = room.clock.wall() + .seconds(-Double(FigureBook.horizon) * 3_600)
    let entries = catalog.entries { !$0.state.isClosed || $0.openedAt >= oldest }.sorted { $0.openedAt < $1.openedAt }
    for entry in entries where !Task.isCancelled {
      await onQueue { [self] in readJournal(of: entry.id) }
    }
    state.withLock { state in
      state.isReading = false
      state.begun = []
    }
  }

  private func readJournal(of id: IncidentID) {
    guard !state.withLock({ $0.begun.contains(id) }) else { return }
    var number = 0
    while let events = try? room.storage.events(of: id, after: number, limit: Self.page), let last = events.last {
      state.withLock { state in
        for event in events where Self.telling.contains(event.kind) { state.book.take(event) }
      }
      number = last.number
    }
  }

  private func onQueue(_ work: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
      queue.async {
        work()
        continuation.resume()
      }
    }
  }

  // MARK: - Following

  /// On the journal writer's thread: only notes what happened.
  private func take(_ event: JournalEvent) {
    guard Self.telling.contains(event.kind) else { return }
    let begins = intake.withLock { intake -> Bool in
      guard intake.waiting.count < Self.maximumWaiting else {
        intake.isBroken = true
        return false
      }
      intake.waiting.append(event)
      defer { intake.isDraining = true }
      return !intake.isDraining
    }
    if begins { queue.async { [weak self] in self?.drain() } }
  }

  private func drain() {
    let events = intake.withLock { intake in
      defer { intake = Intake(isBroken: intake.isBroken) }
      return intake.waiting
    }
    state.withLock { state in
      for event in events {
        if state.isReading, event.kind == EventKind.opened.rawValue { state.begun.insert(event.incident) }
        state.book.take(event)
      }
    }
  }
}
