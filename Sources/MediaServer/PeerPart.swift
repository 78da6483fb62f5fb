/// What a peer is to the call: it decides whose pictures and sound come to it, and in which order.
package enum PeerPart: String, Hashable, Sendable, CaseIterable {
  /// At the scene: a caller's phone, a camera. It gets what the control room sends, never another caller: whoever calls
  /// for help must not be heard by a stranger, nor hear themselves come back out of the phone beside them.
  case caller
  /// Units on their way or there.
  case field
  /// Operators and those who work beside them.
  case control
  /// Hospitals, experts, players: they look and listen.
  case onlooker

  /// Whether what `source` sends may come to a peer of this part.
  package func mayReceive(from source: PeerPart) -> Bool {
    switch self {
    case .caller: source == .control
    case .field, .control, .onlooker: true
    }
  }

  /// Place of its sources among others, lowest first: the scene before those who talk about it.
  var rank: Int {
    switch self {
    case .caller: 0
    case .field: 1
    case .control: 2
    case .onlooker: 3
    }
  }
}
