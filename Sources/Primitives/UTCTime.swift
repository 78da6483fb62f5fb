/// A point on the wall clock in whole microseconds since 1970-01-01 00:00 UTC: what journals and interchange formats stamp.
package struct UTCTime: Hashable, Comparable, Sendable, CustomStringConvertible {
  package var microseconds: Int64

  package init(microseconds: Int64) {
    self.microseconds = microseconds
  }

  package init(seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    microseconds = overflow ? (seconds > 0 ? .max : .min) : product
  }

  /// Whole seconds since 1970, rounded down.
  package var seconds: Int64 { microseconds.flooredDivision(by: 1_000_000).quotient }

  package static func < (left: UTCTime, right: UTCTime) -> Bool { left.microseconds < right.microseconds }

  /// The time `interval` later, to the microsecond; saturates at both ends.
  package static func + (time: UTCTime, interval: TimeInterval64) -> UTCTime {
    let (sum, overflow) = time.microseconds.addingReportingOverflow(interval.nanoseconds / 1_000)
    return UTCTime(microseconds: overflow ? (interval.nanoseconds > 0 ? .max : .min) : sum)
  }

  /// The interval from `earlier` to `later`; saturates after 292 years.
  package static func - (later: UTCTime, earlier: UTCTime) -> TimeInterval64 {
    let (span, overflow) = later.microseconds.subtractingReportingOverflow(earlier.microseconds)
    let (nanoseconds, overflows) = span.multipliedReportingOverflow(by: 1_000)
    guard !overflow, !overflows else { return TimeInterval64(nanoseconds: later > earlier ? .max : .min) }
    return TimeInterval64(nanoseconds: nanoseconds)
  }
}

// MARK: - RFC 3339

extension UTCTime {
  /// RFC 3339 with six digits of a second, such as `2026-11-23T03:11:22.123456Z`.
  package var description: String { text(fractionDigits: 6) }

  /// RFC 3339 with 0 to 6 digits of a second; further digits are cut off.
  package func text(fractionDigits: Int) -> String {
    let (days, microsecondOfDay) = microseconds.flooredDivision(by: 86_400_000_000)
    let date = CivilDate(daysSince1970: days)
    let second = microsecondOfDay / 1_000_000
    var text = "\(date.year.padded(4))-\(date.month.padded(2))-\(date.day.padded(2))"
    text += "T\((second / 3600).padded(2)):\((second / 60 % 60).padded(2)):\((second % 60).padded(2))"
    if fractionDigits > 0 {
      text += ".\((microsecondOfDay % 1_000_000).padded(6).prefix(min(fractionDigits, 6)))"
    }
    return text + "Z"
  }

  /// From the beginning of the year 0000 to the end of 9999: what RFC 3339 can write.
  private static let writableSeconds: Range<Int64> = -62_167_219_200..<253_402_300_800

  /// Parses RFC 3339 §5.6 with any offset; digits beyond the microsecond are cut off.
  ///
  /// Nil for anything else, and for a date that does not exist. A leap second counts as the second before.
  package init?(_ text: some StringProtocol) {
    var scanner = DigitScanner(bytes: Array(text.utf8))
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
      let day = scanner.number(2), scanner.take("T") || scanner.take("t") || scanner.take(" "),
      let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2), scanner.take(":"),
      let second = scanner.number(2), hour < 24, minute < 60, second <= 60,
      let date = CivilDate(year: year, month: month, day: day)
    else { return nil }
    var fraction: Int64 = 0
    if scanner.take(".") {
      guard let digits = scanner.fraction() else { return nil }
      fraction = digits
    }
    guard let offset = scanner.zone(), scanner.isAtEnd else { return nil }
    let secondOfDay = hour * 3600 + minute * 60 + min(second, 59) - offset * 60
    let seconds = date.daysSince1970 * 86_400 + secondOfDay
    // An offset may lead out of the years that four digits can write; such a time would not read back.
    guard Self.writableSeconds.contains(seconds) else { return nil }
    microseconds = seconds * 1_000_000 + fraction
  }
}

/// A day of the proleptic Gregorian calendar.
package struct CivilDate: Hashable, Sendable {
  package let year: Int64
  package let month: Int64
  package let day: Int64

  /// Nil for a day that does not exist.
  package init?(year: Int64, month: Int64, day: Int64) {
    let lengths: [Int64] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    guard (0...9999).contains(year), (1...12).contains(month), day >= 1,
      day <= lengths[Int(month) - 1] + (isLeap && month == 2 ? 1 : 0)
    else { return nil }
    self.year = year
    self.month = month
    self.day = day
  }

  /// Counts in eras of 400 years that begin with March, so that the leap day comes last.
  package init(daysSince1970 days: Int64) {
    let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shifted + 2) / 5 + 1
    month = shifted < 10 ? shifted + 3 : shifted - 9
    year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  }

  package var daysSince1970: Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = shiftedYear.flooredDivision(by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

/// Reads digits of fixed width.
private struct DigitScanner {
  let bytes: [UInt8]
  private var offset = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  var isAtEnd: Bool { offset == bytes.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  mutating func number(_ width: Int) -> Int64? {
    guard bytes.count - offset >= width else { return nil }
    var value: Int64 = 0
    for byte in bytes[offset..<offset + width] {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    offset += width
    return value
  }

  /// Microseconds out of one or more digits.
  mutating func fraction() -> Int64? {
    var value: Int64 = 0
    var digits = 0
    while let digit = number(1) {
      if digits < 6 { value = value * 10 + digit }
      digits += 1
    }
    guard digits > 0 else { return nil }
    for _ in min(digits, 6)..<6 { value *= 10 }
    return value
  }

  /// Minutes east of UTC.
  mutating func zone() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let isEast = take("+")
    guard isEast || take("-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
    else { return nil }
    return (isEast ? 1 : -1) * (hours * 60 + minutes)
  }
}

extension Int64 {
  /// Quotient rounded down, and the remainder, which is never negative; the divisor must be positive.
  fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  /// At least `width` digits.
  fileprivate func padded(_ width: Int) -> String {
    let text = String(self)
    return String(repeating: "0", count: Swift.max(0, width - text.count)) + text
  }
}
