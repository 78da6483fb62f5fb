import Primitives

/// An address at which an agent can be reached (RFC 8445 §5.1).
package struct ICECandidate: Hashable, Sendable {
  /// Equal for candidates of one type, base, protocol and server; 1 to 32 characters.
  package var foundation: String
  /// 1 for RTP; with RTCP multiplexed there is no other.
  package var component: UInt16
  package var transport: TransportProtocol
  package var priority: UInt32
  package var address: TransportAddress
  package var type: ICECandidateType
  /// Where a reflexive or relayed candidate comes from, for diagnostics.
  package var relatedAddress: TransportAddress?
  /// Present exactly on TCP candidates (RFC 6544 §4.5).
  package var tcpType: ICETCPType?
  /// The generation that a trickled candidate belongs to (RFC 8840 §4.4).
  package var usernameFragment: String?

  package init(
    foundation: String, component: UInt16 = 1, transport: TransportProtocol, priority: UInt32,
    address: TransportAddress, type: ICECandidateType, relatedAddress: TransportAddress? = nil,
    tcpType: ICETCPType? = nil, usernameFragment: String? = nil
  ) {
    self.foundation = foundation
    self.component = component
    self.transport = transport
    self.priority = priority
    self.address = address
    self.type = type
    self.relatedAddress = relatedAddress
    self.tcpType = tcpType
    self.usernameFragment = usernameFragment
  }

  /// A host candidate; with `tcpType` it is a TCP one.
  ///
  /// - Parameter localPreference: orders our own addresses, the best has the highest. For TCP only 13 bits count.
  package static func host(
    _ address: TransportAddress, localPreference: UInt16 = .max, tcpType: ICETCPType? = nil
  ) -> ICECandidate {
    let transport: TransportProtocol = tcpType == nil ? .udp : .tcp
    return ICECandidate(
      foundation: foundation(type: .host, base: address.ip, transport: transport), transport: transport,
      priority: priority(type: .host, tcpType: tcpType, localPreference: localPreference), address: address,
      type: .host, tcpType: tcpType)
  }

  /// A priority by RFC 8445 §5.1.2.1, and for TCP by RFC 6544 §4.2: every TCP candidate is below every direct UDP one.
  package static func priority(
    type: ICECandidateType, tcpType: ICETCPType? = nil, localPreference: UInt16 = .max, component: UInt16 = 1
  ) -> UInt32 {
    var typePreference = type.preference
    var local = UInt32(localPreference)
    if let tcpType {
      typePreference -= min(typePreference, ICETCPType.typePreferencePenalty)
      local = tcpType.directionPreference << 13 | local & 0x1fff
    }
    return typePreference << 24 | local << 8 | (256 - UInt32(min(max(component, 1), 256)))
  }

  /// A foundation made of what RFC 8445 §5.1.1.3 lists; a 32-bit FNV-1a hash keeps addresses out of it.
  package static func foundation(
    type: ICECandidateType, base: IPAddress, transport: TransportProtocol, server: IPAddress? = nil
  ) -> String {
    let text = "\(type.rawValue) \(base) \(transport) \(server.map(\.description) ?? "")"
    return String(text.utf8.reduce(UInt32(0x811c_9dc5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 })
  }
}

/// How a candidate was learned (RFC 8445 §4); the raw value is SDP's word for it.
package enum ICECandidateType: String, Hashable, Sendable {
  case host
  case serverReflexive = "srflx"
  case peerReflexive = "prflx"
  case relayed = "relay"

  /// RFC 8445 §5.1.2.2.
  var preference: UInt32 {
    switch self {
    case .host: 126
    case .peerReflexive: 110
    case .serverReflexive: 100
    case .relayed: 0
    }
  }
}

/// Who opens a TCP candidate's connection (RFC 6544 §4.5).
package enum ICETCPType: String, Hashable, Sendable {
  case active
  case passive
  case simultaneousOpen = "so"

  /// Takes TCP's host preference to 90, below every UDP candidate but relayed ones (RFC 6544 §4.2).
  static let typePreferencePenalty: UInt32 = 36

  var directionPreference: UInt32 {
    switch self {
    case .active: 6
    case .passive: 4
    case .simultaneousOpen: 2
    }
  }
}
