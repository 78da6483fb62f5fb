/// One element of an XML 1.0 document that is written, never read.
struct XMLElement: Hashable, Sendable {
  let name: String
  /// In the order in which they are written.
  let attributes: [Attribute]
  let content: Content

  struct Attribute: Hashable, Sendable {
    let name: String
    let value: String
  }

  enum Content: Hashable, Sendable {
    case text(String)
    case elements([XMLElement])
  }

  /// Attributes without a value are left out.
  init(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], text: String) {
    self.init(name, attributes, content: .text(text))
  }

  /// Elements that are nil are left out.
  init(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], _ elements: [XMLElement?] = []) {
    self.init(name, attributes, content: .elements(elements.compactMap { $0 }))
  }

  private init(_ name: String, _ attributes: KeyValuePairs<String, String?>, content: Content) {
    self.name = name
    self.attributes = attributes.compactMap { name, value in value.map { Attribute(name: name, value: $0) } }
    self.content = content
  }

  /// The element as a whole document in UTF-8.
  var document: String { #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n" + fragment + "\n" }

  /// The element alone.
  var fragment: String {
    var output = ""
    write(into: &output)
    return output
  }

  private func write(into output: inout String) {
    output += "<" + name
    for attribute in attributes { output += " \(attribute.name)=\"\(XMLText.attribute(attribute.value))\"" }
    switch content {
    case .elements(let elements) where elements.isEmpty:
      output += "/>"
    case .elements(let elements):
      output += ">"
      for element in elements { element.write(into: &output) }
      output += "</\(name)>"
    case .text(let text):
      output += ">\(XMLText.content(text))</\(name)>"
    }
  }
}

/// Text as XML 1.0 can carry it.
enum XMLText {
  /// Between tags: `]]>` must not stand there, and a carriage return would be read as a line feed (XML 1.0 §2.4, §2.11).
  static func content(_ text: String) -> String {
    escape(text) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\r": "&#13;"
      default: nil
      }
    }
  }

  /// Between double quotes: white space other than blanks would be read as a blank (XML 1.0 §3.3.3).
  static func attribute(_ text: String) -> String {
    escape(text) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      case "\t": "&#9;"
      case "\n": "&#10;"
      case "\r": "&#13;"
      default: nil
      }
    }
  }

  /// What XML 1.0 §2.2 has no way to say, such as most control characters, is dropped.
  private static func escape(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
    var output = String.UnicodeScalarView()
    for scalar in text.unicodeScalars where isAllowed(scalar) {
      if let text = replacement(scalar) {
        output.append(contentsOf: text.unicodeScalars)
      } else {
        output.append(scalar)
      }
    }
    return String(output)
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0a, 0x0d, 0x20...0xd7ff, 0xe000...0xfffd, 0x10000...0x10ffff: true
    default: false
    }
  }
}

/// Numbers as `xs:decimal` has them: no exponent.
enum DecimalText {
  /// Digits behind the point that a latitude or longitude gets: about a centimetre.
  static let coordinateDigits = 7

  /// The value rounded to so many digits behind the point, without zeros at the end.
  ///
  /// Beyond plus or minus 10^9 it is cut there, and what is no number becomes 0: neither leaves a checked event.
  static func text(_ value: Double, digits: Int) -> String {
    guard !value.isNaN else { return "0" }
    let scale = (0..<min(max(digits, 0), 9)).reduce(Int64(1)) { scale, _ in scale * 10 }
    let limited = min(max(value, -1e9), 1e9)
    let scaled = Int64((limited * Double(scale)).rounded())
    let (whole, fraction) = scaled.magnitude.quotientAndRemainder(dividingBy: scale.magnitude)
    var text = (scaled < 0 ? "-" : "") + String(whole)
    guard fraction > 0 else { return text }
    // A one before the fraction keeps the zeros at its beginning.
    var decimals = String(fraction + scale.magnitude).dropFirst()
    while decimals.last == "0" { decimals.removeLast() }
    text += "." + decimals
    return text
  }

  /// Degrees.
  static func coordinate(_ value: Double) -> String { text(value, digits: coordinateDigits) }
}
