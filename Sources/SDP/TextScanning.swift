extension StringProtocol {
  /// The parts before and after the first `separator`; nil without one.
  func splitOnce(_ separator: Character) -> (head: SubSequence, tail: SubSequence)? {
    guard let index = firstIndex(of: separator) else { return nil }
    return (self[..<index], self[self.index(after: index)...])
  }

  /// The words between spaces.
  var words: [SubSequence] { split(whereSeparator: { $0 == " " || $0 == "\t" }) }

  /// The value of a text of decimal digits only, so without the sign that `UInt32(_:)` would accept.
  func decimal<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value? {
    utf8.allSatisfy { (0x30...0x39).contains($0) } ? Value(self) : nil
  }

  /// Whether every byte is one of RFC 8866's token characters, and there is one.
  var isToken: Bool {
    !utf8.isEmpty && utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !tokenExclusions.contains($0) }
  }

  /// Whether every byte is visible ASCII, and there is one.
  var isVisibleASCII: Bool {
    !utf8.isEmpty && utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
  }

  /// ASCII case-insensitive comparison, as SDP's encoding names and hash names want it.
  func equalsIgnoringCase(_ other: some StringProtocol) -> Bool {
    utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
  }

  /// The text without blanks at either end.
  var trimmed: SubSequence {
    guard let first = firstIndex(where: { $0 != " " && $0 != "\t" }),
      let last = lastIndex(where: { $0 != " " && $0 != "\t" })
    else { return self[endIndex...] }
    return self[first...last]
  }
}

extension UInt8 {
  var asciiLowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}

/// What `token-char` leaves out of visible ASCII (RFC 8866 §9).
private let tokenExclusions = Set("\"(),/:;<=>?@[\\]".utf8)
