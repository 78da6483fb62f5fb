/// A text that is no JSON, or more than is accepted.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Reason: String, Hashable, Sendable {
    case unexpectedEnd = "the text ends too early"
    case unexpectedByte = "there is a character that does not belong there"
    case tooDeep = "values are nested too deeply"
    case duplicateName = "an object has two members of the same name"
    case badNumber = "a number is not written as JSON wants it, or is too large"
    case badString = "a string has a control character or an unknown escape"
    case badUnicode = "the text is not valid UTF-8, or half of a surrogate pair stands alone"
    case tooLong = "the text is longer than is accepted"
  }

  package let reason: Reason
  /// Bytes from the start of the text.
  package let offset: Int

  package var description: String { "\(reason.rawValue) (byte \(offset))" }
}

extension JSONValue {
  /// Deepest nesting of arrays and objects that is accepted.
  package static let maximumDepth = 32

  /// Parses one JSON text (RFC 8259), strictly as I-JSON (RFC 7493): no duplicate names, no lone surrogates.
  ///
  /// - Parameter limit: Most bytes that are looked at; a longer text is refused.
  package init(parsing text: some StringProtocol, limit: Int = .max) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), limit: limit)
  }

  /// Parses one JSON text of UTF-8 bytes.
  package init(parsing bytes: [UInt8], limit: Int = .max) throws(JSONError) {
    guard bytes.count <= limit else { throw JSONError(reason: .tooLong, offset: limit) }
    let parsed = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, JSONError> in
      var parser = JSONParser(bytes: buffer)
      do throws(JSONError) {
        return .success(try parser.document())
      } catch {
        return .failure(error)
      }
    }
    self = try parsed.get()
  }
}

/// A recursive-descent parser over bytes; depth is bounded by ``JSONValue/maximumDepth``.
private struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  private var offset = 0

  init(bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
  }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipWhitespace()
    guard offset == bytes.count else { throw error(.unexpectedByte) }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    skipWhitespace()
    switch try peek() {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    guard depth <= JSONValue.maximumDepth else { throw error(.tooDeep) }
    offset += 1
    var members: [String: JSONValue] = [:]
    skipWhitespace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipWhitespace()
      let start = offset
      guard try peek() == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
      let name = try string()
      skipWhitespace()
      guard take(UInt8(ascii: ":")) else { throw error(.unexpectedByte) }
      guard members.updateValue(try value(depth: depth), forKey: name) == nil else {
        throw JSONError(reason: .duplicateName, offset: start)
      }
      skipWhitespace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw error(.unexpectedByte) }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    guard depth <= JSONValue.maximumDepth else { throw error(.tooDeep) }
    offset += 1
    var values: [JSONValue] = []
    skipWhitespace()
    if take(UInt8(ascii: "]")) { return .array(values) }
    repeat {
      values.append(try value(depth: depth))
      skipWhitespace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw error(.unexpectedByte) }
    return .array(values)
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    let length = word.utf8CodeUnitCount
    guard bytes.count - offset >= length else { throw error(.unexpectedEnd) }
    for index in 0..<length where bytes[offset + index] != word.utf8Start[index] { throw error(.unexpectedByte) }
    offset += length
    return value
  }

  // MARK: - Numbers

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = offset
    _ = take(UInt8(ascii: "-"))
    let integerStart = offset
    guard skipDigits() > 0 else { throw error(offset < bytes.count ? .unexpectedByte : .unexpectedEnd) }
    if bytes[integerStart] == UInt8(ascii: "0"), offset - integerStart > 1 { throw error(.badNumber) }
    var isInteger = true
    if take(UInt8(ascii: ".")) {
      isInteger = false
      guard skipDigits() > 0 else { throw error(.badNumber) }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard skipDigits() > 0 else { throw error(.badNumber) }
    }
    if isInteger, offset - integerStart <= 15 { return .number(smallInteger(start)) }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard let value = Double(text), value.isFinite else { throw JSONError(reason: .badNumber, offset: start) }
    return .number(value)
  }

  /// Up to 15 digits fit a double without rounding.
  private func smallInteger(_ start: Int) -> Double {
    var value = 0
    for byte in bytes[start..<offset] where byte != UInt8(ascii: "-") {
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return bytes[start] == UInt8(ascii: "-") ? -Double(value) : Double(value)
  }

  private mutating func skipDigits() -> Int {
    let start = offset
    while offset < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[offset]) { offset += 1 }
    return offset - start
  }

  // MARK: - Strings

  private mutating func string() throws(JSONError) -> String {
    offset += 1
    let start = offset
    while offset < bytes.count, bytes[offset] != UInt8(ascii: "\""), bytes[offset] != UInt8(ascii: "\\") {
      guard bytes[offset] >= 0x20 else { throw error(.badString) }
      offset += 1
    }
    guard offset < bytes.count else { throw error(.unexpectedEnd) }
    if bytes[offset] == UInt8(ascii: "\"") {
      defer { offset += 1 }
      return try text(bytes[start..<offset], from: start)
    }
    return try escapedString(from: start)
  }

  private mutating func escapedString(from start: Int) throws(JSONError) -> String {
    var unescaped = Array(bytes[start..<offset])
    while true {
      switch try peek() {
      case UInt8(ascii: "\""):
        offset += 1
        return try text(unescaped[...], from: start)
      case UInt8(ascii: "\\"):
        offset += 1
        try escape(into: &unescaped)
      case let byte:
        guard byte >= 0x20 else { throw error(.badString) }
        unescaped.append(byte)
        offset += 1
      }
    }
  }

  private mutating func escape(into unescaped: inout [UInt8]) throws(JSONError) {
    let byte = try peek()
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
    case UInt8(ascii: "b"): unescaped.append(0x08)
    case UInt8(ascii: "f"): unescaped.append(0x0c)
    case UInt8(ascii: "n"): unescaped.append(0x0a)
    case UInt8(ascii: "r"): unescaped.append(0x0d)
    case UInt8(ascii: "t"): unescaped.append(0x09)
    case UInt8(ascii: "u"): unescaped.append(contentsOf: Array(String(try unicodeEscape()).utf8))
    default: throw error(.badString)
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error(.badUnicode) }
    let second = try codeUnit()
    guard (0xdc00...0xdfff).contains(second),
      let scalar = Unicode.Scalar(0x10000 + UInt32(first - 0xd800) << 10 + UInt32(second - 0xdc00))
    else { throw error(.badUnicode) }
    return scalar
  }

  private mutating func codeUnit() throws(JSONError) -> UInt16 {
    guard bytes.count - offset >= 4 else { throw error(.unexpectedEnd) }
    var unit: UInt16 = 0
    for byte in bytes[offset..<offset + 4] {
      guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw error(.badString) }
      unit = unit << 4 | UInt16(digit)
    }
    offset += 4
    return unit
  }

  private func text(_ slice: some Collection<UInt8>, from start: Int) throws(JSONError) -> String {
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw JSONError(reason: .badUnicode, offset: start)
    }
    return text
  }

  // MARK: - Bytes

  private func peek() throws(JSONError) -> UInt8 {
    guard offset < bytes.count else { throw error(.unexpectedEnd) }
    return bytes[offset]
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  private mutating func skipWhitespace() {
    while offset < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[offset]) { offset += 1 }
  }

  private func error(_ reason: JSONError.Reason) -> JSONError { JSONError(reason: reason, offset: offset) }
}
