import Incidents
import JSON
import MediaFiles
import Primitives

/// Small pictures of incidents that go on, for walls of them: each is decoded once, however many look.
///
/// Who looks at which incident is in the audit journal once a session of looking, not with every picture.
package actor WallDesk {
  private let room: ControlRoom
  private let library: ArchiveLibrary
  private var pictures: [IncidentID: Entry] = [:]
  private var looks: [Look: MonotonicTime] = [:]

  private struct Look: Hashable {
    let actor: String
    let incident: IncidentID
  }

  private struct Entry {
    let task: Task<Result<RecordedPicture?, Refusal>, Never>
    let madeAt: MonotonicTime
  }

  /// How long a picture is shown before another is made.
  static let freshness = TimeInterval64.seconds(2)
  /// Pictures that are kept; beyond it those that were made first go.
  static let maximumPictures = 512
  /// How long somebody rests until looking again is another session.
  static let rest = TimeInterval64.seconds(300)
  static let maximumLooks = 16_384

  /// - Parameter replays: Lends its archives.
  package init(replays: ReplayDesk) {
    room = replays.room
    library = replays.library
  }

  /// The latest picture of an incident that goes on, for somebody who may watch it; nil while there is none.
  package func picture(of incident: Incident, for principal: Principal) async throws(Refusal) -> RecordedPicture? {
    // A link shows one incident on its own page; a wall is for the control room and the field.
    guard ![.caller, .guest, .device].contains(principal.role) else { throw .forbidden }
    guard !incident.state.isClosed else { throw .noPictureAnyMore }
    try await note(principal, incident.id)
    let now = room.clock.monotonic()
    if let entry = pictures[incident.id], now - entry.madeAt < Self.freshness {
      return try await entry.task.value.get()
    }
    makeRoom()
    let (library, id) = (library, incident.id)
    let task = Task { () -> Result<RecordedPicture?, Refusal> in
      do throws(Refusal) {
        return .success(try await library.picture(of: id, size: .thumbnail))
      } catch {
        return error.code == .wrongState ? .success(nil) : .failure(error)
      }
    }
    pictures[id] = Entry(task: task, madeAt: now)
    return try await task.value.get()
  }

  private func makeRoom() {
    guard pictures.count >= Self.maximumPictures else { return }
    for (id, _) in pictures.sorted(by: { $0.value.madeAt < $1.value.madeAt }).prefix(Self.maximumPictures / 4) {
      pictures[id] = nil
    }
  }

  /// The first look of a session is written down before anything is shown.
  private func note(_ principal: Principal, _ incident: IncidentID) async throws(Refusal) {
    let now = room.clock.monotonic()
    let look = Look(actor: principal.actor.id, incident: incident)
    let last = looks[look]
    if looks.count >= Self.maximumLooks { looks = looks.filter { now - $0.value < Self.rest } }
    if looks.count < Self.maximumLooks { looks[look] = now }
    if let last, now - last < Self.rest { return }
    do throws(Refusal) {
      try await room.audit.record(
        .access, ["what": "stills of the picture", "incident": .string(incident.value)], by: principal.actor)
    } catch {
      looks[look] = nil
      throw error
    }
  }
}

extension Refusal {
  static let noPictureAnyMore = Refusal(.notFound, "The incident is over. Its pictures are in the replay.")
}
