/// Texts that others wrote.
enum ForeignText {
  /// Without the white space and control characters around it.
  static func trim(_ text: some StringProtocol) -> String {
    func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.value <= 0x20 || scalar.value == 0x7f }
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isBlank($0) }),
      let last = scalars.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(String.UnicodeScalarView(scalars[first...last]))
  }

  /// At most so many scalars: a single character may have any number of them.
  static func cut(_ text: some StringProtocol, _ length: Int) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(length)))
  }

  /// A decimal number, perhaps with a comma for a point; no infinities, no hexadecimal.
  static func number(_ text: String) -> Double? {
    guard (1...32).contains(text.utf8.count),
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "+-.,eE".utf8.contains($0) })
    else { return nil }
    guard let value = Double(text.map { $0 == "," ? "." : String($0) }.joined()), value.isFinite else { return nil }
    return value
  }
}
