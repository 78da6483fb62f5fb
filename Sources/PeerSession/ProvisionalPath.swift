import ICE
import Primitives

/// Where media goes while the keys are known and the peer has nominated no path: where the handshake went.
///
/// The peer may receive on every pair that it has checked (RFC 8445 §12.1.1), and a browser far away names its choice late:
/// Chromium checks three times at once, and says which path it uses with the fourth check, 900 ms later.
enum ProvisionalPath {
  case none
  /// Taken then, if nothing is nominated before.
  case due(MonotonicTime)
  case taken(TransportPath)

  /// A browser that has just ended the handshake drops media for a moment: it sets up its keys in a task of their own.
  static let patience = TimeInterval64.milliseconds(50)

  var deadline: MonotonicTime? {
    if case .due(let time) = self { time } else { nil }
  }

  var path: TransportPath? {
    if case .taken(let path) = self { path } else { nil }
  }
}
