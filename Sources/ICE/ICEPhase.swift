import Primitives
import STUN

/// Where an agent stands, as others see it.
package enum ICEState: String, Hashable, Sendable {
  /// Nothing is known of the peer.
  case new
  /// Looking for a path.
  case checking
  /// A path is selected and the peer was heard lately.
  case connected
  /// The peer has been silent for ``ICEConfiguration/interruptedAfter``; it may come back by itself.
  case disconnected
  /// No path, or no consent: only a restart helps, or a lite agent's peer that nominates again.
  case failed
}

/// ``ICEState`` with what exists in each state.
enum ICEPhase: Sendable {
  case idle
  case checking(since: MonotonicTime)
  case connected(ICESelection)
  case interrupted(ICESelection)
  case failed

  var state: ICEState {
    switch self {
    case .idle: .new
    case .checking: .checking
    case .connected: .connected
    case .interrupted: .disconnected
    case .failed: .failed
    }
  }

  var selection: ICESelection? {
    switch self {
    case .connected(let selection), .interrupted(let selection): selection
    case .idle, .checking, .failed: nil
    }
  }
}

/// The path in use.
struct ICESelection: Hashable, Sendable {
  let path: TransportPath
  /// ``ICEGeneration/number`` of the generation that nominated it.
  let generation: Int
  /// The pair's priority (RFC 8445 §6.1.2.3).
  let priority: UInt64
  var upkeep: ICEUpkeep
  /// A nomination of a path of lower priority, which is believed when it is repeated.
  var challenger: ICEChallenger?
}

/// What keeps the selected path open.
enum ICEUpkeep: Hashable, Sendable {
  /// A full agent asks for consent (RFC 7675).
  case consent(ICEConsent)
  /// A lite agent only keeps NAT bindings alive (RFC 8445 §11).
  case keepalive(at: MonotonicTime)
}

/// Consent to send (RFC 7675 §5.1).
struct ICEConsent: Hashable, Sendable {
  var nextRequest: MonotonicTime
  var expires: MonotonicTime
  private(set) var outstanding: [STUNTransactionID] = []

  init(nextRequest: MonotonicTime, expires: MonotonicTime) {
    self.nextRequest = nextRequest
    self.expires = expires
  }

  mutating func sent(_ transactionID: STUNTransactionID) {
    outstanding.append(transactionID)
    if outstanding.count > ICEConfiguration.maximumOutstandingConsent { outstanding.removeFirst() }
  }

  mutating func granted(until expires: MonotonicTime) {
    self.expires = expires
    outstanding.removeAll()
  }
}

/// A path that the peer nominated once although a better one is in use.
struct ICEChallenger: Hashable, Sendable {
  let path: TransportPath
  let transactionID: STUNTransactionID
}
