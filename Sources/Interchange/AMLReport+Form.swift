import JSON
import Primitives

extension AMLReport {
  /// Reads the fields of an AML report by HTTPS (ETSI TS 103 625, "HTTPS"), which Android sends as a form.
  ///
  /// - Parameter countryCode: Of numbers that are written without one, such as `49`.
  package init(fields: [(name: String, value: String)], countryCode: String? = nil) {
    self.init()
    for (name, value) in fields.prefix(Self.maximumFields) {
      read(ForeignText.trim(name), ForeignText.trim(value), countryCode)
    }
    if fields.count > Self.maximumFields { note("Only \(Self.maximumFields) fields are looked at.") }
    settle()
  }

  /// Reads a body of type `application/x-www-form-urlencoded`.
  package init(form body: [UInt8], countryCode: String? = nil) {
    guard body.count <= Self.maximumBytes else {
      self.init()
      note("The body is longer than \(Self.maximumBytes) bytes.")
      return
    }
    self.init(fields: FormText.fields(body, limit: Self.maximumFields + 1), countryCode: countryCode)
  }

  /// Reads the same fields as members of a JSON object; numbers may be numbers or texts.
  package init(json: JSONValue, countryCode: String? = nil) {
    guard let members = json.object else {
      self.init()
      note("The body is no JSON object.")
      return
    }
    let fields = members.sorted { $0.key < $1.key }.compactMap { name, value -> (name: String, value: String)? in
      switch value {
      case .string(let text): (name, text)
      case .number(let number): (name, JSONValue.numberText(number))
      case .bool(let bool): (name, String(bool))
      case .null, .array, .object: nil
      }
    }
    self.init(fields: fields, countryCode: countryCode)
  }

  private mutating func read(_ name: String, _ value: String, _ countryCode: String?) {
    guard !value.isEmpty else { return }
    let name = name.lowercased()
    switch name {
    case "device_number": setNumber(value, countryCode)
    case "emergency_number": emergencyNumber = ForeignText.cut(value, 16)
    case "location_latitude": latitude = number(value, name, -90...90)
    case "location_longitude": longitude = number(value, name, -180...180)
    case "location_accuracy": setAccuracy(value, name)
    case "location_altitude": altitude = number(value, name, Self.altitudes)
    case "location_vertical_accuracy": altitudeAccuracy = number(value, name, 0...100_000)
    case "location_bearing": heading = number(value, name, 0...360)
    case "location_speed": speed = number(value, name, 0...12_000)
    // Android sends a share of one, others per cent under either name.
    case "location_confidence", "location_certainty":
      confidence = number(value, name, 0...100).map { $0 <= 1 ? $0 * 100 : $0 }
    case "location_time": setTime(milliseconds: value)
    case "location_source": setMethod(word: value)
    default: break
    }
  }

  private mutating func setMethod(word: String) {
    switch word.lowercased() {
    case "gps", "gnss": method = .satellites
    case "wifi": method = .wifi
    case "cell": method = .cell
    case "fused": method = .fused
    case "unknown": method = .unknown
    default:
      method = .unknown
      note("The location_source \(ForeignText.cut(word, 16)) is not known.")
    }
  }

  /// Below this a time is taken for seconds: as milliseconds it would lie in 1973.
  private static let smallestMilliseconds = 1e11

  /// Since 1970, or RFC 3339.
  private mutating func setTime(milliseconds text: String) {
    if let time = UTCTime(text) {
      fixedAt = time
      return
    }
    guard let value = number(text, "location_time", 0...4e12) else { return }
    let milliseconds = value < Self.smallestMilliseconds ? value * 1_000 : value
    fixedAt = UTCTime(microseconds: Int64(milliseconds * 1_000))
  }
}

/// The body of an HTML form.
enum FormText {
  /// Names and values of `application/x-www-form-urlencoded`; what is no UTF-8 is replaced.
  static func fields(_ body: [UInt8], limit: Int) -> [(name: String, value: String)] {
    body.split(separator: UInt8(ascii: "&"), maxSplits: limit).prefix(limit).map { field in
      let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return (decode(parts[0]), parts.count == 2 ? decode(parts[1]) : "")
    }
  }

  /// A plus is a blank, and `%XX` a byte; a per cent sign that begins no byte stands for itself.
  private static func decode(_ bytes: ArraySlice<UInt8>) -> String {
    var output: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let decoded = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self)),
        decoded.count == 1
      {
        output.append(decoded[0])
        rest.removeFirst(2)
      } else {
        output.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}
