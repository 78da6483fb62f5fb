import Primitives
import Relay

// How much of its source each slot shows, and how urgent it is.

extension Shard {
  /// What a slot shows now; nil for an empty one.
  func view(of slot: PeerSlot, of peer: Peer) -> SlotView? {
    guard let source = slot.current else { return nil }
    return SlotView(
      source: source, kind: slot.kind == .audio ? .audio : .video, shows: .all, reason: nil, linkBitsPerSecond: nil)
  }

  /// Limits what a slot shows to pictures of `height`, or lifts the limit.
  func limit(_ mid: String, of peer: Peer, toHeight height: Int?) throws(MediaError) {
    guard let place = peer.slots.firstIndex(where: { $0.mid == mid && $0.kind == .video }) else {
      throw MediaError(.unknownSlot, "There is no receive slot \"\(mid)\" for video in this session.")
    }
    peer.slots[place].height = height
  }

  /// Puts an incident's viewers into the tiers of a priority.
  func setPriority(_ priority: Int, of incident: IncidentID) {
    rooms[incident]?.priority = priority
  }
}
