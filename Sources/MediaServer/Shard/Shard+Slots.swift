import Primitives
import Relay

// Which source is on which slot.

extension Shard {
  /// Gives every automatic slot of an incident the source that it follows now.
  ///
  /// The n-th video slot of a viewer shows the n-th video source that is not the viewer's own and that its part may receive,
  /// and likewise for audio. Live sources come first, so that a caller who has returned replaces the session that was left
  /// behind; among them the scene comes before those who talk about it (``PeerPart/rank``).
  func assignSlots(of incident: IncidentID) {
    guard let room = rooms[incident] else { return }
    let order = { (source: RoomSource) in
      (source.status.activity == .live ? 0 : 1, source.part.rank, source.id.value)
    }
    let ordered = room.sources.sorted { order($0) < order($1) }
    for handle in room.peers {
      guard let peer = peers[Int(handle.index)] else { continue }
      for kind in [SourceKind.video, .audio] {
        let candidates = ordered.filter {
          $0.kind == kind && $0.peer != handle && mayReceive($0, on: peer)
        }
        switch kind {
        case .audio: assignSound(candidates, to: peer)
        case .video: assign(candidates, to: kind, of: peer)
        }
      }
    }
  }

  private func assign(_ candidates: [RoomSource], to kind: SourceKind, of peer: Peer) {
    let pinned = peer.slots.compactMap { slot in if case .pinned(let id) = slot.choice { id } else { nil } }
    var rest = candidates.filter { !pinned.contains($0.id) }[...]
    for place in peer.slots.indices where peer.slots[place].kind == kind {
      switch peer.slots[place].choice {
      case .pinned(let id):
        put(candidates.first { $0.id == id }, on: place, of: peer)
      case .automatic:
        let choice = follow(rest, on: peer.slots[place])
        put(choice, on: place, of: peer)
        rest.removeAll { $0.id == choice?.id }
      }
    }
  }

  /// The first source that the viewer can decode, but rather the one that it shows already: pictures must not jump without
  /// need.
  private func follow(_ candidates: ArraySlice<RoomSource>, on slot: PeerSlot) -> RoomSource? {
    let usable = candidates.filter { relay.canShow($0.handle, on: slot.handle) }
    guard let current = usable.first(where: { $0.id == slot.current }),
      current.status.activity == .live || usable.first?.status.activity != .live
    else { return usable.first }
    return current
  }

  func put(_ source: RoomSource?, on place: Int, of peer: Peer) {
    guard peer.slots[place].current != source?.id else { return }
    peer.slots[place].current = source?.id
    relay.connect(peer.slots[place].handle, to: source?.handle, now: now)
  }

  /// Pins a slot to a source, or lets it follow the incident again.
  func select(_ source: SourceID?, on mid: String, of peer: Peer) throws(MediaError) {
    guard let place = peer.slots.firstIndex(where: { $0.mid == mid }) else {
      throw MediaError(.unknownSlot, "There is no receive slot \"\(mid)\" in this session.")
    }
    if let source {
      guard
        rooms[peer.incident]?.sources.contains(where: {
          $0.id == source && $0.kind == peer.slots[place].kind && mayReceive($0, on: peer)
        }) == true
      else {
        throw MediaError(.unknownSlot, "There is no such \(peer.slots[place].kind.rawValue) source in this incident.")
      }
      peer.slots[place].choice = .pinned(source)
    } else {
      peer.slots[place].choice = .automatic
    }
    assignSlots(of: peer.incident)
  }
}
