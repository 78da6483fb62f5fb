import Relay

// Whose sound goes where.

extension Shard {
  /// Whether what a source sends may come to a peer: by its part, and never a person's own sound.
  ///
  /// One person may have several sessions, such as a phone beside a desk: their sound would come out of one and go into the
  /// other again.
  func mayReceive(_ source: RoomSource, on peer: Peer) -> Bool {
    guard peer.part.mayReceive(from: source.part) else { return false }
    return source.kind == .video || source.actor.isEmpty || source.actor != peer.actor
  }

  /// Gives a viewer's automatic sound slots the voices that it hears.
  ///
  /// Who is heard already stays where they are: a voice that moves from one slot to another loses a syllable.
  func assignSound(_ candidates: [RoomSource], to peer: Peer) {
    let places = peer.slots.indices.filter { peer.slots[$0].kind == .audio }
    var rest = candidates
    var free: [Int] = []
    for place in places {
      switch peer.slots[place].choice {
      case .pinned(let id):
        put(candidates.first { $0.id == id }, on: place, of: peer)
        rest.removeAll { $0.id == id }
      case .automatic: free.append(place)
      }
    }
    rest = voices(among: rest, heardBy: peer, slots: free.count)
    free.removeAll { place in
      guard let kept = rest.firstIndex(where: { $0.id == peer.slots[place].current }),
        rest[kept].status.activity == .live, relay.canShow(rest[kept].handle, on: peer.slots[place].handle)
      else { return false }
      rest.remove(at: kept)
      return true
    }
    for place in free {
      let next = rest.firstIndex { relay.canShow($0.handle, on: peer.slots[place].handle) }
      put(next.map { rest.remove(at: $0) }, on: place, of: peer)
    }
  }

  /// Those who are heard when there are more voices than slots: see ``SoundChoice``.
  private func voices(among sources: [RoomSource], heardBy peer: Peer, slots: Int) -> [RoomSource] {
    guard sources.count > slots else { return sources }
    let heard = Set(peer.slots.compactMap(\.current))
    let voices = sources.map {
      SoundChoice.Voice(
        part: $0.part, isLive: $0.status.activity == .live, isSpeaking: $0.status.isSpeaking,
        isHeard: heard.contains($0.id))
    }
    return SoundChoice.choose(from: voices, slots: slots).map { sources[$0] }
  }

  /// Whether somebody in a room has fewer sound slots than there are voices, so that it matters who speaks.
  func isSoundContested(in room: Room) -> Bool {
    let voices = room.sources.count { $0.kind == .audio }
    return room.peers.contains { handle in
      let slots = peers[Int(handle.index)]?.slots.count { $0.kind == .audio } ?? 0
      return slots > 0 && slots < voices
    }
  }
}
