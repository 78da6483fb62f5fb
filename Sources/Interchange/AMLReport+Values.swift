import Primitives

extension AMLReport {
  /// Metres.
  static let altitudes = -12_000.0...100_000.0

  /// A number within its bounds; anything else is a problem.
  mutating func number(_ text: String, _ name: String, _ range: ClosedRange<Double>) -> Double? {
    guard let value = ForeignText.number(text), range.contains(value) else {
      // What was sent is not repeated: a place has no business in a log.
      let bounds =
        "\(DecimalText.text(range.lowerBound, digits: 0)) to \(DecimalText.text(range.upperBound, digits: 0))"
      note("\(name) has to be a number from \(bounds).")
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
