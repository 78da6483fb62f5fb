import Primitives
import STUN

extension ICEAgent {
  /// What an agent asks of its driver, in order.
  package enum Output: Hashable, Sendable {
    /// Send these bytes as one datagram, or one RFC 4571 frame; over a new TCP path, connect first.
    case transmit([UInt8], on: TransportPath)
    /// From now on media goes this way.
    case selectedPathChanged(TransportPath)
    case stateChanged(ICEState)
    /// A candidate to tell the peer (RFC 8838).
    case candidateGathered(ICECandidate)
    /// A STUN message was not taken; where the RFC wants an error response, it has been queued.
    case rejected(ICERejection)
  }
}

/// Why a STUN message was not taken.
package enum ICERejection: Hashable, Sendable {
  case malformed(STUNError)
  case unsupportedMethod(STUNMethod)
  /// No USERNAME or no integrity attribute (answered with 400).
  case missingCredentials
  /// The user name is no generation's of this agent (answered with 401).
  case unknownUsernameFragment
  /// The password is another one (answered with 401).
  case badIntegrity
  /// Attributes that had to be understood (answered with 420).
  case unknownAttributes([UInt16])
  /// Both ends claim one role and the other end has to change (answered with 487).
  case roleConflict
  /// The response belongs to no request under way; after a retransmission that is normal.
  case unexpectedResponse
}

/// Outputs in order, bounded by ``ICEConfiguration/maximumPendingOutputs``.
struct ICEOutputQueue: Sendable {
  private var outputs: [ICEAgent.Output] = []
  private var head = 0

  /// Datagrams and rejections are dropped at the limit; a network loses datagrams too.
  ///
  /// Events are few and never lost.
  mutating func append(_ output: ICEAgent.Output) {
    switch output {
    case .transmit, .rejected:
      guard outputs.count - head < ICEConfiguration.maximumPendingOutputs else { return }
    case .selectedPathChanged, .stateChanged, .candidateGathered:
      break
    }
    outputs.append(output)
  }

  mutating func popFirst() -> ICEAgent.Output? {
    guard head < outputs.count else { return nil }
    let output = outputs[head]
    head += 1
    if head == outputs.count {
      outputs.removeAll(keepingCapacity: true)
      head = 0
    }
    return output
  }
}
