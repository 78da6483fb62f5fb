/// One line of a description as it stands in the text: a type letter and a value (RFC 8866 §5).
package struct SDPLine: Sendable {
  /// The letter before `=`.
  package var type: Unicode.Scalar
  /// Everything after `=`.
  package var value: String
  /// 1-based number in the text that it was parsed from; 0 for a line that we wrote.
  package var number: Int

  package init(_ type: Unicode.Scalar, _ value: String, number: Int = 0) {
    self.type = type
    self.value = value
    self.number = number
  }

  /// The line as text, without its end.
  package var text: String { "\(type)=\(value)" }
}

extension SDPLine: Hashable {
  /// Compares type and value: the number is only where it came from.
  package static func == (left: SDPLine, right: SDPLine) -> Bool {
    left.type == right.type && left.value == right.value
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(type)
    hasher.combine(value)
  }
}

/// Bounds of a description.
///
/// They are far above what a browser writes for a wall of slots, and far below what hurts.
package enum SDPLimits {
  /// Longest text, in bytes.
  ///
  /// Chromium spends about 6 kB on a video m-line.
  package static let maximumBytes = 512 * 1024
  package static let maximumLines = 8192
  /// Longest line, in bytes.
  package static let maximumLineLength = 4096
  package static let maximumMediaSections = 64
  /// Most formats (payload types) on one m-line: there are 128 payload types.
  package static let maximumFormats = 128
  /// Most candidates taken out of one description or fragment; more are ignored.
  package static let maximumCandidates = 64
}

extension SDPLine {
  /// Splits a text into lines; CRLF and LF both end one, and a missing last line end is forgiven.
  static func lines(of text: String) throws(SDPError) -> [SDPLine] {
    guard text.utf8.count <= SDPLimits.maximumBytes else {
      throw SDPError(.tooLarge, reason: "the description is longer than \(SDPLimits.maximumBytes) bytes")
    }
    var lines: [SDPLine] = []
    var rest = Substring(text).utf8
    var number = 0
    while !rest.isEmpty {
      number += 1
      guard number <= SDPLimits.maximumLines else {
        throw SDPError(.tooLarge, reason: "the description has more than \(SDPLimits.maximumLines) lines")
      }
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
      var content = rest[..<end]
      rest = end == rest.endIndex ? rest[end...] : rest[rest.index(after: end)...]
      if content.last == UInt8(ascii: "\r") { content = content.dropLast() }
      // An empty line can only be the end: some HTTP clients append one.
      if content.isEmpty, rest.allSatisfy({ $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }) { break }
      lines.append(try SDPLine(parsing: content, number: number))
    }
    return lines
  }

  private init(parsing content: Substring.UTF8View, number: Int) throws(SDPError) {
    let text = String(Substring(content))
    guard content.count <= SDPLimits.maximumLineLength else {
      throw SDPError(
        .tooLarge, line: number, text: text, reason: "the line is longer than \(SDPLimits.maximumLineLength) bytes")
    }
    guard content.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") }) else {
      throw SDPError(.malformed, line: number, text: text, reason: "the line holds a control character")
    }
    guard let letter = content.first, letter.isASCIILetterOrDigit,
      content.dropFirst().first == UInt8(ascii: "=")
    else {
      throw SDPError(.malformed, line: number, text: text, reason: "a line is one letter, '=' and a value")
    }
    self.init(Unicode.Scalar(letter), String(Substring(content.dropFirst(2))), number: number)
  }
}
