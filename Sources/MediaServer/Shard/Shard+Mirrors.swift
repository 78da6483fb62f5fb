import Primitives
import Relay

// An annex: viewers of an incident whose home is another media thread, as seen from here.

/// Names a source of another media thread.
struct MirrorName: Hashable {
  let home: Int
  /// As in ``HandoverEntry/source``.
  let number: UInt32
}

/// What another media thread writes for this one.
struct IncomingRing {
  let ring: HandoverRing
  /// The thread that writes.
  let home: Int
  /// Up to where it is read in this turn.
  var end: Int

  init(_ ring: HandoverRing, from home: Int) {
    self.ring = ring
    self.home = home
    end = ring.end
  }
}

extension Shard {
  /// Gives an incident a room here: its own, or an annex of the one on its home thread.
  func enter(_ incident: IncidentID, of home: Int) {
    guard home != index, rooms[incident] == nil else { return }
    var room = Room()
    room.home = home
    rooms[incident] = room
    send(to: home) { [index] in $0.openAnnex(index, of: incident) }
  }

  /// Forgets an incident that nobody here has to do with any more.
  func closeIfEmpty(_ incident: IncidentID) {
    guard let room = rooms[incident], room.isEmpty else { return }
    rooms[incident] = nil
    guard let home = room.home else { return }
    for source in room.sources { removeMirrored(source, of: home) }
    send(to: home) { [index] in $0.closeAnnex(index, of: incident) }
  }

  func addMirrored(_ announced: MirroredSource) {
    guard let room = rooms[announced.incident], room.home == announced.home,
      !room.sources.contains(where: { $0.id == announced.id })
    else { return }
    let source = RoomSource(
      id: announced.id, peer: nil, peerID: announced.peerID, part: announced.part, actor: announced.actor,
      kind: announced.parameters.kind, parameters: announced.parameters,
      handle: relay.addMirrored(announced.parameters), status: announced.status)
    mirrored[MirrorName(home: announced.home, number: source.id.value)] = source.handle
    relay.setPriority(room.priority, of: source.handle)
    rooms[announced.incident]?.sources.append(source)
    assignSlots(of: announced.incident)
  }

  func withdrawMirrored(_ id: SourceID, of home: Int, in incident: IncidentID) {
    guard let place = rooms[incident]?.sources.firstIndex(where: { $0.id == id }),
      let source = rooms[incident]?.sources.remove(at: place)
    else { return }
    removeMirrored(source, of: home)
    assignSlots(of: incident)
  }

  private func removeMirrored(_ source: RoomSource, of home: Int) {
    mirrored[MirrorName(home: home, number: source.id.value)] = nil
    relay.removeMirrored(source.handle)
  }

  func mirroredChanged(_ id: SourceID, to status: SourceStatus, in incident: IncidentID) {
    guard let place = rooms[incident]?.sources.firstIndex(where: { $0.id == id }) else { return }
    let before = rooms[incident]?.sources[place].status
    rooms[incident]?.sources[place].status = status
    reassign(incident, before: before, after: status)
  }

  /// Asks the home of a source for a keyframe that viewers here want.
  func passOnKeyframeRequest(of handle: SourceHandle, stream: SSRC) {
    guard let name = mirrored.first(where: { $0.value == handle })?.key else { return }
    send(to: name.home) { $0.requestKeyframe(of: SourceID(name.number), stream: stream) }
  }

  func requestKeyframe(of id: SourceID, stream: SSRC) {
    for room in rooms.values {
      guard let source = room.sources.first(where: { $0.id == id && $0.peer != nil }) else { continue }
      relay.requestKeyframe(ofMirrored: source.handle, stream: stream, now: now)
    }
  }
}

// Packets from other media threads. Packet path.

extension Shard {
  /// Whether another thread has written what was not read yet.
  var hasMirrored: Bool { incoming.contains { $0.ring.waiting > 0 } }

  /// Takes what other threads have written so far.
  func receiveMirrored() {
    guard hasMirrored else { return }
    for place in incoming.indices { incoming[place].end = incoming[place].ring.end }
    // Sources are announced before anything of them is written: what is read now was announced by now.
    for command in queue.take() { command(self) }
    for place in incoming.indices { receive(from: incoming[place]) }
    flushRelay()
  }

  private func receive(from incoming: IncomingRing) {
    incoming.ring.drain(upTo: incoming.end) { entry, payload in
      guard let source = mirrored[MirrorName(home: incoming.home, number: entry.source)] else { return }
      if !relay.receiveMirrored(entry, payload, of: source, now: now) { flushRelay() }
    }
  }
}
