import ICE
import Primitives

/// Where media goes while the keys are known and the peer has nominated no path: where the handshake went.
///
/// A full agent may send on any valid pair before one is selected (RFC 8445 §12.1); a lite one, to the letter, waits for the
/// nomination. We do not: the peer has proven the path by authenticated checks and by the handshake that came over it, and
/// Chromium, at a round trip of 200 ms, was measured to nominate some 900 ms late.
enum ProvisionalPath {
  case none
  /// Taken then, if nothing is nominated before.
  case due(MonotonicTime)
  case taken(TransportPath)

  /// What was sent to Chromium as soon as the handshake was over, the first keyframe, was lost; after this time it is not.
  static let patience = TimeInterval64.milliseconds(50)

  var deadline: MonotonicTime? {
    if case .due(let time) = self { time } else { nil }
  }

  var path: TransportPath? {
    if case .taken(let path) = self { path } else { nil }
  }
}
