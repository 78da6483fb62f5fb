import ControlRoom
import Incidents
import JSON
import MediaServer
import Primitives

/// Writes down what happens to incidents' media: streams that begin, stall and end, who watches, who sees less than there
/// is, and how far a caller's session has come.
actor MediaJournalist {
  /// How often what waits to be written of viewers is looked at.
  private static let viewTick = Duration.milliseconds(500)

  private let media: any MediaPlane
  private let room: ControlRoom
  private let sessions: SessionDirectory
  private let clock: GatewayClock
  /// Incidents whose media is followed.
  private var followed: [IncidentID: Follower] = [:]

  /// What was written down of one incident.
  private struct Follower {
    var sources: [SourceID: Note] = [:]
    /// Whose each peer is; kept until it is closed, which is after its session has left the directory.
    var owners: [PeerID: Actor] = [:]
    /// Sources of peers that are not known yet: the media plane is faster than the directory.
    var unclaimed: [SourceID: SourceOverview] = [:]
    /// Peers that count as watching.
    var watching: [PeerID: Actor] = [:]
    /// What viewers see.
    var views = ViewDiary()
    /// Looks after ``views`` while something waits there.
    var writer: Task<Void, Never>?
    var task: Task<Void, Never>?
  }

  private struct Note: Equatable {
    var overview: SourceOverview
    var owner: Actor?
  }

  /// How long it waits before it follows again what ended by itself.
  private static let patience = Duration.seconds(1)

  init(media: any MediaPlane, room: ControlRoom, sessions: SessionDirectory, clock: GatewayClock) {
    self.media = media
    self.room = room
    self.sessions = sessions
    self.clock = clock
  }

  /// Follows an incident's media until its last peer is gone; `peer` is in the directory since now.
  func follow(_ incident: IncidentID, of peer: PeerID, ownedBy actor: Actor) async {
    follow(incident)
    followed[incident]?.owners[peer] = actor
    let waiting = followed[incident]?.unclaimed.values.filter { $0.peer == peer } ?? []
    for source in waiting {
      followed[incident]?.unclaimed[source.id] = nil
      await sourceChanged(source, in: incident)
    }
  }

  private func follow(_ incident: IncidentID) {
    guard followed[incident] == nil else { return }
    followed[incident] = Follower()
    followed[incident]?.task = Task {
      let events = await media.events(of: incident)
      await catchUp(incident)
      var hasEmptied = false
      for await event in events {
        await take(event, in: incident)
        if case .peerChanged(let peer) = event, case .closed = peer.state, await isOver(incident) {
          hasEmptied = true
          break
        }
      }
      await leave(incident)
      // Events that end by themselves end again at once while the media plane is overloaded or stopping.
      if !hasEmptied { guard (try? await Task.sleep(for: Self.patience)) != nil else { return } }
      // A peer may have come while this was written.
      if !sessions.all(where: { $0.incident == incident }).isEmpty { follow(incident) }
    }
  }

  /// Ends all following.
  func stop() {
    for follower in followed.values {
      follower.task?.cancel()
      follower.writer?.cancel()
    }
  }

  /// Takes in what was there before the events began.
  private func catchUp(_ incident: IncidentID) async {
    let overview = await media.overview(of: incident)
    for peer in overview.peers { await take(.peerChanged(peer), in: incident) }
    for source in overview.sources { await take(.sourceChanged(source), in: incident) }
  }

  private func isOver(_ incident: IncidentID) async -> Bool {
    await media.overview(of: incident).peers.isEmpty && sessions.all { $0.incident == incident }.isEmpty
  }

  private func leave(_ incident: IncidentID) async {
    guard let follower = followed.removeValue(forKey: incident) else { return }
    follower.writer?.cancel()
    for (id, note) in follower.sources { await write(note, id, state: "ended", in: incident) }
    for actor in follower.watching.values { await room.noteWatching(actor, in: incident, isWatching: false) }
    // Several calls may have ended at once: what the last events would have told of the others is told here.
    for actor in follower.owners.values where actor.role == .caller {
      await callerLeft(actor.id, "the connection is gone", in: incident)
    }
  }

  // MARK: - Events

  private func take(_ event: MediaEvent, in incident: IncidentID) async {
    switch event {
    case .peerChanged(let peer): await peerChanged(peer, in: incident)
    case .sourceChanged(let source): await sourceChanged(source, in: incident)
    case .sourceRemoved(let id):
      followed[incident]?.unclaimed[id] = nil
      guard let note = followed[incident]?.sources.removeValue(forKey: id) else { return }
      await write(note, id, state: "ended", in: incident)
    case .viewChanged(let peer, let slot, let view):
      followed[incident]?.views.note(view, slot: slot, of: peer, now: clock.monotonic())
      await writeViews(in: incident)
    case .message: break
    }
  }

  /// Writes what is due of viewers, and comes back for what is not due yet.
  private func writeViews(in incident: IncidentID) async {
    for entry in followed[incident]?.views.takeDue(clock.monotonic()) ?? [] { await write(entry, in: incident) }
    guard let follower = followed[incident], follower.writer == nil, follower.views.isWaiting else { return }
    followed[incident]?.writer = Task {
      while !Task.isCancelled, isWaiting(incident) {
        try? await Task.sleep(for: Self.viewTick)
        await writeViews(in: incident)
      }
    }
  }

  /// Whether anything of viewers waits; where not, their writer is let go in the same breath.
  private func isWaiting(_ incident: IncidentID) -> Bool {
    if followed[incident]?.views.isWaiting == true { return true }
    followed[incident]?.writer = nil
    return false
  }

  private func write(_ entry: ViewDiary.Entry, in incident: IncidentID) async {
    guard let viewer = followed[incident]?.owners[entry.peer] else { return }
    _ = try? await room.submit(
      Wish(
        .view,
        .members([
          "account": .string(viewer.id), "role": .string(viewer.role.rawValue), "name": .string(viewer.name),
          "source": .string(entry.source.description), "from": .string(entry.from.shows.word),
          "to": .string(entry.to.shows.word), "layer": entry.to.shows.layer.map { .integer($0) },
          "reason": (entry.to.reason ?? entry.from.reason).map { .string($0.rawValue) },
        ]), in: incident, by: .system, isServer: true))
  }

  private func peerChanged(_ peer: PeerOverview, in incident: IncidentID) async {
    if let actor = sessions.session(of: peer.id)?.principal.actor { followed[incident]?.owners[peer.id] = actor }
    guard let actor = followed[incident]?.owners[peer.id] else { return }
    switch peer.state {
    case .connecting, .interrupted: break
    case .connected:
      guard actor.role != .caller, peer.permissions.contains(.subscribe), followed[incident]?.watching[peer.id] == nil
      else { return }
      followed[incident]?.watching[peer.id] = actor
      await room.noteWatching(actor, in: incident, isWatching: true)
    case .closed(let reason):
      followed[incident]?.owners[peer.id] = nil
      followed[incident]?.views.forget(peer.id)
      sessions.remove(peer.id)
      if let actor = followed[incident]?.watching.removeValue(forKey: peer.id) {
        await room.noteWatching(actor, in: incident, isWatching: false)
      }
      if actor.role == .caller { await callerLeft(actor.id, reason, in: incident) }
    }
  }

  private func sourceChanged(_ source: SourceOverview, in incident: IncidentID) async {
    let known = followed[incident]?.sources[source.id]
    guard known?.overview.state != source.state || known?.overview.codec != source.codec else { return }
    let owner =
      known?.owner ?? followed[incident]?.owners[source.peer]
      ?? sessions.session(of: source.peer)?.principal.actor
    guard owner != nil else {
      followed[incident]?.unclaimed[source.id] = source
      return
    }
    let note = Note(overview: source, owner: owner)
    followed[incident]?.sources[source.id] = note
    await write(note, source.id, state: source.state.rawValue, in: incident)
    guard let owner, owner.role == .caller, source.kind == .video else { return }
    switch source.state {
    case .live: await room.report(.live, of: owner.id, in: incident)
    case .stalled: await room.report(.paused, of: owner.id, in: incident, detail: "Nothing has arrived for a while.")
    case .waiting: break
    }
  }

  /// A caller's last connection is gone: by their own wish, or for want of a network.
  private func callerLeft(_ caller: String, _ reason: String, in incident: IncidentID) async {
    guard sessions.all(where: { $0.incident == incident && $0.principal.actor.id == caller }).isEmpty else { return }
    // An incident that is over ends its calls; that is no failure.
    if reason == Signaller.endedByClient || room.isClosed(incident) {
      await room.report(.ended, of: caller, in: incident)
    } else if let stage = room.stage(of: caller, in: incident), [.live, .paused, .connecting].contains(stage) {
      await room.reportFailure(of: caller, .connectionFailed, in: incident, detail: reason)
    }
  }

  private func write(_ note: Note, _ id: SourceID, state: String, in incident: IncidentID) async {
    _ = try? await room.submit(
      Wish(
        .source,
        .members([
          "source": .string(id.description), "peer": .string(note.overview.peer.description),
          "owner": (note.owner?.id).map { .string($0) }, "kind": .string(note.overview.kind.rawValue),
          "state": .string(state), "codec": note.overview.codec.map { .string($0) },
        ]), in: incident, by: .system, isServer: true))
  }
}
