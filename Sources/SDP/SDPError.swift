/// Why a description cannot be used: where, what stands there, and the reason in plain words.
///
/// ``description`` is made for the body of an HTTP 400: `line 12: "a=rtpmap:xx": the payload type is not a number`.
package struct SDPError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of refusal this is, so that a shell can choose a status code.
  package enum Code: String, Hashable, Sendable {
    /// The text breaks the grammar.
    case malformed
    /// A named limit is exceeded.
    case tooLarge
    /// Well-formed, but it asks for something that we do not do.
    case unsupported
    /// Nothing in the offer is left once the peer's permissions are applied.
    case notPermitted
  }

  package let code: Code
  /// 1-based line of the description; nil when the whole description is meant.
  package let line: Int?
  /// The line's text, without control characters, at most ``maximumTextLength`` characters; empty without a line.
  package let text: String
  package let reason: String

  /// Longest quotation of a peer's line, in Unicode scalars.
  package static let maximumTextLength = 80

  package init(_ code: Code, line: Int? = nil, text: String = "", reason: String) {
    self.code = code
    self.line = line
    self.text = Self.quotable(text)
    self.reason = reason
  }

  package var description: String {
    guard let line else { return reason }
    return "line \(line): \"\(text)\": \(reason)"
  }

  private static func quotable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      guard result.count < maximumTextLength else {
        result.append("…")
        break
      }
      result.append(scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) ? "?" : scalar)
    }
    return String(result)
  }
}
