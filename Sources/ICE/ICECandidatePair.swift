import Primitives
import STUN

/// A way to the peer that is checked (RFC 8445 §6.1.2).
///
/// With one stream and one component there is nothing to unfreeze across check lists, so that pairs start in Waiting.
struct ICECandidatePair: Hashable, Sendable {
  enum State: Hashable, Sendable {
    case waiting
    case inProgress(ICECheck)
    /// Works; not nominated.
    case succeeded
    /// Works; a check with USE-CANDIDATE is under way.
    case nominating(ICECheck)
    case nominated
    case failed
  }

  let path: TransportPath
  let localPriority: UInt32
  let remotePriority: UInt32
  /// Whether datagrams go straight to the peer: UDP without a relay.
  let isDirect: Bool
  var state = State.waiting
  /// A check that was given up for a triggered one; its answer still counts (RFC 8445 §7.3.1.4).
  var abandoned: STUNTransactionID?
  /// The peer's nomination, which waits for our own check to succeed (RFC 8445 §7.3.1.5).
  var peerNomination: STUNTransactionID?

  /// Whether the pair is in the valid list.
  var isValid: Bool {
    switch state {
    case .succeeded, .nominating, .nominated: true
    case .waiting, .inProgress, .failed: false
    }
  }

  /// The request under way, if any.
  var check: ICECheck? {
    get {
      switch state {
      case .inProgress(let check), .nominating(let check): check
      case .waiting, .succeeded, .nominated, .failed: nil
      }
    }
    set {
      guard let newValue else { return }
      switch state {
      case .inProgress: state = .inProgress(newValue)
      case .nominating: state = .nominating(newValue)
      case .waiting, .succeeded, .nominated, .failed: break
      }
    }
  }

  /// RFC 8445 §6.1.2.3.
  func priority(for role: ICERole) -> UInt64 {
    switch role {
    case .controlling: Self.priority(controlling: localPriority, controlled: remotePriority)
    case .controlled: Self.priority(controlling: remotePriority, controlled: localPriority)
    }
  }

  static func priority(controlling: UInt32, controlled: UInt32) -> UInt64 {
    UInt64(min(controlling, controlled)) << 32 &+ UInt64(max(controlling, controlled)) &* 2
      &+ (controlling > controlled ? 1 : 0)
  }
}
