import Primitives

extension AMLReport {
  /// Reads the text of an AML message, version 1 or 2 (ETSI TS 103 625, "SMS").
  ///
  /// - Parameters:
  ///   - sender: The number that it came from, as the gateway has it; the text itself has none.
  ///   - countryCode: Of numbers that are written without one, such as `49`.
  package init(sms text: String, sender: String? = nil, countryCode: String? = nil) {
    self.init()
    guard text.utf8.count <= Self.maximumBytes else {
      note("The message is longer than \(Self.maximumBytes) bytes.")
      return
    }
    if let sender { setNumber(sender, countryCode) }
    let fields = Self.fields(of: text)
    switch Self.version(fields) {
    case nil:
      note("The message does not begin with A\"ML=1 or A\"ML=2; it is read as version 1.")
      readFirstVersion(fields, length: text.utf8.count)
    case "2": readSecondVersion(fields)
    case let version?:
      if version != "1" { note("Version \(ForeignText.cut(version, 8)) is not known; it is read as version 1.") }
      readFirstVersion(fields, length: text.utf8.count)
    }
    settle()
  }

  private typealias Fields = [(name: String, value: String)]

  private static func fields(of text: String) -> Fields {
    text.split(separator: ";", maxSplits: maximumFields).prefix(maximumFields).map { field in
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (ForeignText.trim(parts[0]).lowercased(), parts.count == 2 ? ForeignText.trim(parts[1]) : "")
    }
  }

  /// The header is `A"ML=1`; gateways are known to lose the quotation mark.
  private static func version(_ fields: Fields) -> String? {
    guard let first = fields.first, ["a\"ml", "aml"].contains(first.name) else { return nil }
    return first.value
  }

  private mutating func readFirstVersion(_ fields: Fields, length: Int) {
    var foundNothing = false
    for (name, value) in fields {
      switch name {
      case "lt": latitude = number(value, "lt", -90...90)
      case "lg": longitude = number(value, "lg", -180...180)
      case "rd":
        // Below zero or `N`: the phone does not know where it is.
        if value.hasPrefix("-") || value.uppercased() == "N" { foundNothing = true } else { setAccuracy(value, "rd") }
      case "top": setTime(digits: value)
      case "lc": confidence = number(value, "lc", 0...100)
      case "pm":
        if value.uppercased() == "N" { foundNothing = true }
        setMethod(letter: value)
      case "ml":
        if Int(value) != length { note("ml says another length than the message has, which is \(length).") }
      default: break
      }
    }
    if foundNothing { dropPlace("The phone says that it found no place.") }
    if latitude == 0, longitude == 0 { dropPlace("The place is 0, 0, which stands for none.") }
  }

  /// The second version has other names, and `lt` is the age of the fix in it.
  private mutating func readSecondVersion(_ fields: Fields) {
    var (began, age): (Double?, Double?)
    for (name, value) in fields {
      let parts = value.split(separator: ",", omittingEmptySubsequences: false).map { ForeignText.trim($0) }
      switch name {
      case "en": emergencyNumber = ForeignText.cut(value, 16)
      case "et": began = number(value, "et", 0...4e9)
      case "lt": age = number(value, "lt", -1e6...1e6)
      case "lo":
        latitude = parts.first.flatMap { number($0, "lo", -90...90) }
        longitude = parts.count > 1 ? number(parts[1], "lo", -180...180) : nil
        if parts.count > 2 { setAccuracy(parts[2], "lo") }
      case "lc": confidence = number(value, "lc", 0...100)
      case "lz":
        altitude = parts.first.flatMap { number($0, "lz", Self.altitudes) }
        if parts.count > 1, parts[1] != "0" { altitudeAccuracy = number(parts[1], "lz", 0...100_000) }
      case "ls": setMethod(letter: value)
      default: break
      }
    }
    if let began { fixedAt = UTCTime(seconds: Int64(began + (age ?? 0))) }
    // Zero stands for an unknown accuracy here.
    if accuracy == 0 { accuracy = nil }
  }

  private mutating func setMethod(letter: String) {
    switch letter.uppercased() {
    case "G": method = .satellites
    case "W": method = .wifi
    case "C": method = .cell
    case "F": method = .fused
    case "N", "U", "": method = .unknown
    default:
      method = .unknown
      note("The method \(ForeignText.cut(letter, 8)) is not known.")
    }
  }

  /// Year to second in UTC without anything between, such as `20220131171748`.
  private mutating func setTime(digits text: String) {
    let digits = Array(text)
    guard digits.count == 14, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
      return note("top is no time of 14 digits.")
    }
    let date = "\(String(digits[0..<4]))-\(String(digits[4..<6]))-\(String(digits[6..<8]))"
    let time = "\(String(digits[8..<10])):\(String(digits[10..<12])):\(String(digits[12..<14]))"
    fixedAt = UTCTime("\(date)T\(time)Z")
    if fixedAt == nil { note("top is no time that exists.") }
  }
}
