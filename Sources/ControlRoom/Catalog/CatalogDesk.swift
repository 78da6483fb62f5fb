import Archive
import Dispatch
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// The catalogue of all incidents, open and long closed: follows the journal, answers searches, and outlives restarts.
///
/// The journal is the truth. Each incident has a document that says up to which event it was taken in; what is behind
/// the journal at the start, or could not be followed, is made anew of the journal.
package final class CatalogDesk: Sendable {
  /// What the journal writer's thread touches: never held for long, while a search may hold the index for a while.
  struct Intake {
    /// Events that wait to be taken in.
    var waiting: [(event: JournalEvent, incident: Incident)] = []
    var isDraining = false
    /// Whether the documents have been read.
    var isLoaded = false
    /// Incidents whose journal has to be read.
    var stale: Set<IncidentID> = []
  }

  struct State {
    var index: ArchiveIndex
    /// Whether everything that the journal had at the start is in the index.
    var isCaughtUp = false
    /// Incidents whose document is behind, and since when.
    var unwritten: [IncidentID: MonotonicTime] = [:]
  }

  let intake = Mutex(Intake())
  let state: Mutex<State>
  let room: ControlRoom
  /// Takes events in and reads the store.
  let queue = DispatchQueue(label: "sightline.catalog")
  /// Answers searches, one after the other.
  private let searches = DispatchQueue(label: "sightline.catalog-search")

  /// Events that wait; beyond it their incidents are read from the journal instead.
  static let maximumWaiting = 16_384
  /// Collection of the catalogue's documents, by incident.
  package static let collection = "catalog"
  /// How often documents are written.
  package static let interval = Duration.seconds(2)
  /// How long the document of an open incident may be behind: every fix would be a write otherwise.
  static let openPatience = TimeInterval64.seconds(60)
  /// Documents in one transaction.
  static let maximumBatch = 512

  package init(room: ControlRoom, maximumEntries: Int = ArchiveIndex.standardMaximum) {
    self.room = room
    state = Mutex(State(index: ArchiveIndex(maximumEntries: maximumEntries)))
    room.observe { [weak self] event, incident in self?.take(event, incident) }
  }

  /// Reads what is stored, then keeps the documents up to date until cancelled.
  package func run() async {
    await catchUp()
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.interval)
      await mend()
      await write(all: false)
    }
  }

  /// Writes what is not written yet; call it before the control room stops.
  package func stop() async {
    await write(all: true)
  }

  package var count: Int { state.withLock { $0.index.count } }

  /// Whether searches find everything that the journal has.
  package var isCaughtUp: Bool { state.withLock { $0.isCaughtUp } && intake.withLock { $0.stale.isEmpty } }

  package func entry(_ id: IncidentID) -> CatalogEntry? { state.withLock { $0.index.entry(id) } }

  /// All entries that `isIncluded` wants, in no order.
  package func entries(where isIncluded: @Sendable (CatalogEntry) -> Bool) -> [CatalogEntry] {
    state.withLock { $0.index.entries(where: isIncluded) }
  }

  // MARK: - Searching

  /// What is found, newest first, as far as `principal` may know of it.
  package func search(_ query: ArchiveQuery, for principal: Principal) async throws(Refusal) -> ArchivePage {
    let rights = SearchRights(principal.facts)
    guard rights.isAnything else { throw .forbidden }
    return await withCheckedContinuation { continuation in
      searches.async { [self] in
        continuation.resume(returning: state.withLock { $0.index.search(query, as: rights) })
      }
    }
  }

  // MARK: - Following the journal

  /// On the journal writer's thread: only notes what happened.
  private func take(_ event: JournalEvent, _ incident: Incident) {
    let begins = intake.withLock { intake -> Bool in
      guard intake.isLoaded, intake.waiting.count < Self.maximumWaiting else {
        intake.stale.insert(incident.id)
        return false
      }
      intake.waiting.append((event, incident))
      defer { intake.isDraining = true }
      return !intake.isDraining
    }
    if begins { queue.async { [weak self] in self?.drain() } }
  }

  /// Takes in what waits, a part at a time so that searches get their turn.
  private func drain() {
    while true {
      let part = intake.withLock { intake -> ArraySlice<(event: JournalEvent, incident: Incident)> in
        let part = intake.waiting.prefix(Self.maximumBatch)
        intake.waiting.removeFirst(part.count)
        if part.isEmpty { intake.isDraining = false }
        return part
      }
      if part.isEmpty { return }
      let now = room.clock.monotonic()
      let missed = state.withLock { state in
        part.compactMap { state.follow($0.event, $0.incident, at: now) ? nil : $0.event.incident }
      }
      if !missed.isEmpty { intake.withLock { $0.stale.formUnion(missed) } }
    }
  }

  /// Returns when what happened before is in the index.
  package func settle() async {
    await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    await mend()
  }
}

extension CatalogDesk.State {
  /// Takes the next event of an incident in; false for one that does not follow what is known.
  mutating func follow(_ event: JournalEvent, _ incident: Incident, at now: MonotonicTime) -> Bool {
    let previous = index.entry(event.incident)
    let known = previous?.number ?? 0
    if event.number <= known { return true }
    guard event.number == known + 1 else { return false }
    index.put(
      CatalogEntry(incident, after: event, previous: previous), adding: SearchWords.words(of: event))
    if unwritten[event.incident] == nil { unwritten[event.incident] = now }
    return true
  }
}
