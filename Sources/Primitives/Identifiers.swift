/// Names an incident: 1 to 64 characters out of letters, digits, `-` and `_`, so that it can stand in a path as it is.
package struct IncidentID: Hashable, Sendable, CustomStringConvertible {
  package let value: String

  /// Longest accepted identifier, in characters.
  package static let maximumLength = 64

  /// Nil when `value` is empty, too long or holds another character.
  package init?(_ value: String) {
    guard !value.isEmpty, value.utf8.count <= Self.maximumLength,
      value.utf8.allSatisfy({ $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") })
    else { return nil }
    self.value = value
  }

  package var description: String { value }
}

/// Names one remote peer's session on this node: 128 random bits, so that it cannot be guessed.
package struct PeerID: Hashable, Sendable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  package init(using random: inout RandomSource) {
    high = random.next()
    low = random.next()
  }

  /// Parses the 32 hexadecimal digits that ``description`` prints.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 32, bytes.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
      let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
    else { return nil }
    self.high = high
    self.low = low
  }

  package var description: String {
    var bytes: [UInt8] = []
    for word in [high, low] {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return Hex.encode(bytes)
  }
}

extension UInt8 {
  /// Whether this byte is an ASCII letter or digit.
  package var isASCIILetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: false
    }
  }
}
