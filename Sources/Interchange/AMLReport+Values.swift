import Primitives

extension AMLReport {
  /// Metres.
  static let altitudes = -12_000.0...100_000.0

  /// A number within its bounds; anything else is a problem.
  mutating func number(_ text: String, _ name: String, _ range: ClosedRange<Double>) -> Double? {
    guard let value = AMLText.number(text), range.contains(value) else {
      note("\(name.prefix(32)) is no number of its kind: \(text.prefix(32))")
      return nil
    }
    return value
  }

  mutating func setAccuracy(_ text: String, _ name: String) {
    accuracy = number(text, name, 0...40_100_000)
  }

  mutating func setNumber(_ text: String, _ countryCode: String?) {
    number = PhoneNumberText.e164(text, countryCode: countryCode)
    if number == nil { note("The caller's number cannot be brought into E.164.") }
  }
}

/// Texts as AML has them.
enum AMLText {
  /// Without the white space and control characters around it.
  static func trim(_ text: some StringProtocol) -> String {
    func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.value <= 0x20 || scalar.value == 0x7f }
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !isBlank($0) }),
      let last = scalars.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(String.UnicodeScalarView(scalars[first...last]))
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

/// Telephone numbers.
package enum PhoneNumberText {
  /// The number in E.164, with a plus and 5 to 15 digits; nil when it cannot be told what it is there.
  ///
  /// `00` before it, a missing plus, and the marks that people write between digits are put right. A number without its
  /// country, which begins with one zero, needs the country's code.
  package static func e164(_ text: String, countryCode: String? = nil) -> String? {
    let bytes = Array(text.utf8)
    guard (1...64).contains(bytes.count) else { return nil }
    var rest = bytes.filter { !" -./()\t\u{a0}".utf8.contains($0) }[...]
    if rest.starts(with: "tel:".utf8) { rest = rest.dropFirst(4) }
    let isInternational = rest.first == UInt8(ascii: "+")
    if isInternational { rest = rest.dropFirst() }
    guard rest.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    var digits = String(decoding: rest, as: UTF8.self)
    if !isInternational, digits.hasPrefix("00") {
      digits.removeFirst(2)
    } else if !isInternational, digits.hasPrefix("0") {
      guard let countryCode else { return nil }
      digits = countryCode + digits.dropFirst()
    } else if !isInternational, digits.count < shortestWithCountry {
      // Too short to hold its country: an emergency or service number.
      return nil
    }
    let isCode = digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isCode, digits.first != "0", (5...15).contains(digits.count) else { return nil }
    return "+" + digits
  }

  private static let shortestWithCountry = 8
}
