import Primitives

/// `application/x-www-form-urlencoded` (WHATWG URL §5).
enum FormEncoding {
  /// Fields that are read at most.
  static let maximumFields = 100

  static func encode(_ fields: KeyValuePairs<String, String?>) -> [UInt8] {
    let pairs = fields.compactMap { name, value in value.map { "\(name)=\(percentEncoded($0))" } }
    return Array(pairs.joined(separator: "&").utf8)
  }

  /// Unreserved characters (RFC 3986 §2.3) stay; all else becomes numbers.
  static func percentEncoded(_ text: String) -> String {
    var output: [UInt8] = []
    for byte in text.utf8 {
      if byte.isASCIILetterOrDigit || "-._~".utf8.contains(byte) {
        output.append(byte)
      } else {
        output += Array("%\(Hex.encode([byte]).uppercased())".utf8)
      }
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// Later fields win over earlier ones of the same name.
  static func decode(_ text: String) -> [String: String] {
    var fields: [String: String] = [:]
    for pair in text.split(separator: "&").prefix(maximumFields) {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      fields[decoded(parts[0])] = parts.count > 1 ? decoded(parts[1]) : ""
    }
    return fields
  }

  private static func decoded(_ text: Substring) -> String {
    let bytes = Array(text.utf8)
    var output: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let value = Hex.decode(String(decoding: bytes[index + 1...index + 2], as: UTF8.self))
      {
        output += value
        index += 3
      } else {
        output.append(bytes[index] == UInt8(ascii: "+") ? 0x20 : bytes[index])
        index += 1
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}
