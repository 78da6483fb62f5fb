import Primitives
import Relay

// How much of its source each slot shows, and how urgent it is.

extension Shard {
  /// What a slot shows now; nil for an empty one.
  func view(of slot: PeerSlot, of peer: Peer) -> SlotView? {
    guard let source = slot.current else { return nil }
    guard slot.kind == .video, let handle = roomSource(source, in: peer.incident)?.handle,
      let status = relay.status(of: slot.handle, showing: handle, now: now)
    else {
      return SlotView(source: source, kind: MediaKind(slot.kind), shows: .all, reason: nil, linkBitsPerSecond: nil)
    }
    return SlotView(
      source: source, kind: .video, shows: shown(status), reason: status.reason.map(SlotView.Reason.init),
      linkBitsPerSecond: status.linkBitsPerSecond)
  }

  private func shown(_ status: SlotStatus) -> SlotView.Shown {
    switch status.rung {
    case .audioOnly: .audioOnly
    case .stills: .stills
    case .layer, nil: status.reason == nil ? .all : status.layer.map(SlotView.Shown.layer) ?? .all
    }
  }

  /// Limits what a slot shows to pictures of `height`, or lifts the limit.
  func limit(_ mid: String, of peer: Peer, toHeight height: Int?) throws(MediaError) {
    guard let slot = peer.slots.first(where: { $0.mid == mid && $0.kind == .video }) else {
      throw MediaError(.unknownSlot, "There is no receive slot \"\(mid)\" for video in this session.")
    }
    relay.setHeight(height ?? 0, of: slot.handle)
  }

  /// Puts an incident's viewers into the tiers of a priority.
  func setPriority(_ priority: Int, of incident: IncidentID) {
    rooms[incident]?.priority = priority
    for source in rooms[incident]?.sources ?? [] { relay.setPriority(priority, of: source.handle) }
    for handle in rooms[incident]?.peers ?? [] {
      guard let peer = peers[Int(handle.index)] else { continue }
      relay.setTier(Tier(priority: priority, audience: peer.part.audience), of: handle)
    }
    toAnnexes(of: incident) { $0.setPriority(priority, of: incident) }
  }

  /// Tells an incident what one of its viewers sees now.
  func viewChanged(_ handle: SlotHandle, of peer: PeerHandle) {
    guard let peer = peers[Int(peer.index)], let slot = peer.slots.first(where: { $0.handle == handle }),
      let view = view(of: slot, of: peer)
    else { return }
    tell(.viewChanged(of: peer.id, slot: slot.mid, view: view), in: peer.incident)
  }

  /// The layers that a source sends now, poorest first.
  func layers(of source: RoomSource) -> [LayerOverview] {
    relay.layers(of: source.handle, now: now).map { layer in
      LayerOverview(
        rid: layer.rid, spatial: layer.spatial, temporal: layer.temporal, bitrate: layer.bitsPerSecond,
        width: layer.width > 0 ? layer.width : nil, height: layer.height > 0 ? layer.height : nil)
    }
  }

  private func roomSource(_ id: SourceID, in incident: IncidentID) -> RoomSource? {
    rooms[incident]?.sources.first { $0.id == id }
  }
}

extension MediaKind {
  init(_ kind: SourceKind) {
    switch kind {
    case .audio: self = .audio
    case .video: self = .video
    }
  }
}

extension SlotView.Reason {
  init(_ reason: ReductionReason) {
    switch reason {
    case .link: self = .link
    case .egress, .processing: self = .overload
    case .wanted: self = .wanted
    }
  }
}

extension PeerPart {
  /// Its place among the viewers of an incident.
  var audience: Tier.Audience {
    switch self {
    case .control: .control
    case .field: .field
    case .onlooker: .onlooker
    case .caller: .caller
    }
  }
}
