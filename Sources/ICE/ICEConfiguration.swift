import Primitives

/// Who nominates (RFC 8445 §4).
package enum ICERole: Hashable, Sendable {
  case controlling
  case controlled
}

/// Whether an agent checks connectivity itself (RFC 8445 §2.5).
package enum ICEMode: Hashable, Sendable {
  /// Answers checks and takes what the peer nominates: for servers with public addresses.
  case lite
  /// Gathers, checks and nominates.
  case full
}

/// What an agent is, and its timers.
package struct ICEConfiguration: Hashable, Sendable {
  package var mode: ICEMode
  /// The role to start with; a role conflict or a lite peer may change it (RFC 8445 §6.1.1).
  package var role: ICERole
  /// Servers to learn server-reflexive candidates from, for a full agent (RFC 8445 §5.1.1.2).
  package var stunServers: [TransportAddress]

  /// Ta: the least time between two new transactions (RFC 8445 §14.2).
  package var pacing = TimeInterval64.milliseconds(50)
  /// The least retransmission timeout of a check (RFC 8445 §14.3).
  package var minimumRTO = TimeInterval64.milliseconds(500)
  /// How long a generation may take to find its first path (RFC 8863 §4).
  package var setupTimeout = TimeInterval64.seconds(39.5)
  /// Silence after which the connection counts as disconnected.
  ///
  /// It is longer than the 6 s that may lie between two consent checks of a peer without media (RFC 7675 §5.1).
  package var interruptedAfter = TimeInterval64.seconds(7)
  /// Silence, or time without consent, after which the connection has failed (RFC 7675 §5.1).
  package var failedAfter = TimeInterval64.seconds(30)
  /// The mean time between two consent checks; each is drawn from 0.8 to 1.2 times this (RFC 7675 §5.1).
  package var consentInterval = TimeInterval64.seconds(5)
  /// Tr: the time between two keepalives of a lite agent, and between refreshes of a NAT binding (RFC 8445 §11).
  package var keepaliveInterval = TimeInterval64.seconds(15)
  /// How long a controlling agent waits for a direct UDP path once only a relayed or TCP one works.
  package var nominationPatience = TimeInterval64.milliseconds(250)
  /// How long the old generation still answers once the new one has a path.
  package var previousGenerationGrace = TimeInterval64.seconds(10)
  /// Silence on the selected path after which a single nomination of a path of lower priority is believed.
  package var quietPathThreshold = TimeInterval64.seconds(1)

  /// Local candidates kept; more are ignored.
  package static let maximumLocalCandidates = 32
  /// Remote candidates kept in a generation, peer-reflexive ones included; more are ignored.
  package static let maximumRemoteCandidates = 64
  /// Pairs in a check list; the one of lowest priority that is not being checked gives way (RFC 8445 §6.1.2.5).
  package static let maximumPairs = 100
  /// STUN servers asked; more are ignored.
  package static let maximumSTUNServers = 4
  /// Sends of one request, Rc (RFC 8489 §6.2.1).
  package static let maximumTransmissions = 7
  /// Consent checks that may be under way at once; the oldest is forgotten.
  package static let maximumOutstandingConsent = 8
  /// Outputs waiting to be polled; further datagrams and rejections are dropped, as a network would.
  package static let maximumPendingOutputs = 256

  package init(mode: ICEMode, role: ICERole, stunServers: [TransportAddress] = []) {
    self.mode = mode
    self.role = role
    self.stunServers = Array(stunServers.prefix(Self.maximumSTUNServers))
  }
}
