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
