import Primitives
import STUN

/// One STUN request under way: what to send again, and when to give up (RFC 8489 §6.2).
struct ICECheck: Hashable, Sendable {
  let transactionID: STUNTransactionID
  let message: [UInt8]
  /// The role that the request claims; a 487 means that role, which may have changed since (RFC 8445 §7.2.5.1).
  let role: ICERole
  /// When to send again, or to give up.
  private(set) var due: MonotonicTime
  private var rto: TimeInterval64
  private var transmissions: Int

  /// Rm: how many initial RTOs the last send waits (RFC 8489 §6.2.1).
  private static let lastWait: Int64 = 16
  private let finalWait: TimeInterval64

  /// A request that is sent now.
  ///
  /// TCP delivers by itself, so that it is only timed (RFC 8489 §6.2.2).
  init(
    _ message: [UInt8], transactionID: STUNTransactionID, role: ICERole, over transport: TransportProtocol,
    rto: TimeInterval64, now: MonotonicTime
  ) {
    self.message = message
    self.transactionID = transactionID
    self.role = role
    self.rto = rto
    finalWait = rto * Self.lastWait
    switch transport {
    case .udp:
      transmissions = 1
      due = now + rto
    case .tcp:
      transmissions = ICEConfiguration.maximumTransmissions
      due = now + Self.tcpTimeout
    }
  }

  /// Ti (RFC 8489 §6.2.2).
  private static let tcpTimeout = TimeInterval64.seconds(39.5)

  enum Step {
    case wait
    case resend
    case giveUp
  }

  /// What the clock asks for; the wait doubles with each send.
  mutating func advance(to now: MonotonicTime) -> Step {
    guard due <= now else { return .wait }
    guard transmissions < ICEConfiguration.maximumTransmissions else { return .giveUp }
    transmissions += 1
    rto = rto * 2
    due = now + (transmissions == ICEConfiguration.maximumTransmissions ? finalWait : rto)
    return .resend
  }
}
