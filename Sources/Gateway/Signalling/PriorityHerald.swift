import ControlRoom
import Incidents
import MediaServer
import Primitives
import Synchronization

/// Tells the media plane how urgent incidents are whenever that changes.
///
/// One task speaks at a time and looks up the priority when its turn comes, so that the last word is the latest truth.
/// At most one note an incident waits.
final class PriorityHerald: Sendable {
  private struct State {
    var waiting: Set<IncidentID> = []
    var isSpeaking = false
  }

  private let media: any MediaPlane
  private let room: ControlRoom
  private let state = Mutex(State())

  init(media: any MediaPlane, room: ControlRoom) {
    self.media = media
    self.room = room
  }

  /// Begins to follow the journal.
  ///
  /// A priority changes by staff's word alone. Merges and reopened incidents need nothing more: a peer that goes on in another
  /// incident connects anew, with the priority that it has then.
  func start() {
    room.observe { [self] event, incident in
      if event.kind == EventKind.classified.rawValue { tell(incident.id) }
    }
  }

  /// Has the media plane told of an incident's priority, soon.
  func tell(_ incident: IncidentID) {
    let begins = state.withLock { state in
      state.waiting.insert(incident)
      defer { state.isSpeaking = true }
      return !state.isSpeaking
    }
    if begins { Task { await speak() } }
  }

  private func speak() async {
    while let incident = next() { await media.setPriority(room.mediaPriority(of: incident), of: incident) }
  }

  private func next() -> IncidentID? {
    state.withLock { state in
      let incident = state.waiting.popFirst()
      if incident == nil { state.isSpeaking = false }
      return incident
    }
  }
}
