import Primitives

/// The first attribute of each kind that ICE and TURN ask for; repetitions are ignored (RFC 8489 §14).
extension STUNMessage {
  package var username: String? {
    first { if case .username(let value) = $0 { value } else { nil } }
  }

  package var realm: String? {
    first { if case .realm(let value) = $0 { value } else { nil } }
  }

  package var nonce: String? {
    first { if case .nonce(let value) = $0 { value } else { nil } }
  }

  package var errorCode: STUNErrorCode? {
    first { if case .errorCode(let value) = $0 { value } else { nil } }
  }

  /// The sender's address as the other end saw it: XOR-MAPPED-ADDRESS.
  package var xorMappedAddress: TransportAddress? {
    first { if case .xorMappedAddress(let value) = $0 { value } else { nil } }
  }

  package var priority: UInt32? {
    first { if case .priority(let value) = $0 { value } else { nil } }
  }

  package var usesCandidate: Bool { attributes.contains(.useCandidate) }

  /// The tie-breaker of a sender that thinks that it is controlled.
  package var iceControlled: UInt64? {
    first { if case .iceControlled(let value) = $0 { value } else { nil } }
  }

  /// The tie-breaker of a sender that thinks that it is controlling.
  package var iceControlling: UInt64? {
    first { if case .iceControlling(let value) = $0 { value } else { nil } }
  }

  package var xorRelayedAddress: TransportAddress? {
    first { if case .xorRelayedAddress(let value) = $0 { value } else { nil } }
  }

  package var xorPeerAddress: TransportAddress? {
    first { if case .xorPeerAddress(let value) = $0 { value } else { nil } }
  }

  /// Seconds.
  package var lifetime: UInt32? {
    first { if case .lifetime(let value) = $0 { value } else { nil } }
  }

  private func first<Value>(_ pick: (STUNAttribute) -> Value?) -> Value? {
    for attribute in attributes {
      if let value = pick(attribute) { return value }
    }
    return nil
  }
}
