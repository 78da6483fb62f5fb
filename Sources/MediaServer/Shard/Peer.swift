import DataChannel
import PeerSession
import Primitives
import Relay

/// One remote peer as its shard keeps it.
final class Peer {
  let id: PeerID
  let handle: PeerHandle
  let incident: IncidentID
  let name: String
  let actor: String
  let part: PeerPart
  let permissions: MediaPermissions
  let session: PeerSession
  var state = PeerState.connecting
  var slots: [PeerSlot] = []
  /// Paths whose datagrams are this peer's.
  var paths: [TransportPath] = []
  /// Username fragments under which checks find this peer.
  var fragments: [String] = []
  /// In the order in which they were opened; at most ``DataChannelLimits/maximumChannels``.
  var channels: [PeerChannel] = []
  /// Datagrams of this peer in the shard's ``HandshakeQueue``.
  var waitingHandshakes = 0
  let createdAt: MonotonicTime

  /// Paths kept for one peer: what a phone that hops between networks leaves behind gives way.
  static let maximumPaths = 16

  init(
    id: PeerID, handle: PeerHandle, incident: IncidentID, name: String, actor: String, part: PeerPart,
    permissions: MediaPermissions, session: PeerSession, createdAt: MonotonicTime
  ) {
    self.id = id
    self.handle = handle
    self.incident = incident
    self.name = name
    self.actor = actor
    self.part = part
    self.permissions = permissions
    self.session = session
    self.createdAt = createdAt
  }

  var overview: PeerOverview {
    PeerOverview(id: id, name: name, actor: actor, part: part, permissions: permissions, state: state)
  }
}

/// One of a peer's receiving m-lines, and what is on it.
struct PeerSlot {
  enum Choice: Equatable {
    /// Follows the incident: the n-th source of its kind.
    case automatic
    /// Chosen by the viewer.
    case pinned(SourceID)
  }

  let mid: String
  let kind: SourceKind
  let handle: SlotHandle
  var choice = Choice.automatic
  var current: SourceID?
}
