import Primitives

/// A mail of plain text to one person.
package struct MailMessage: Hashable, Sendable, CustomStringConvertible {
  package let to: String
  package let subject: String
  package let text: String

  /// Longest address (RFC 5321 §4.5.3.1.3), in bytes.
  package static let maximumAddressLength = 254
  /// Longest subject, in characters; the rest is cut off.
  package static let maximumSubjectLength = 200
  /// Longest text, in bytes.
  package static let maximumTextLength = 64 * 1_024

  /// Throws `invalid` for an address or a text that cannot be sent.
  ///
  /// Line breaks and other control characters in the subject become spaces, so that it adds no header.
  package init(to: String, subject: String, text: String) throws(OutgoingError) {
    guard Self.isAddress(to) else {
      throw OutgoingError(.invalid, "This is no mail address that can be written to: one such as name@example.org is.")
    }
    guard text.utf8.count <= Self.maximumTextLength else {
      throw OutgoingError(.invalid, "The mail's text is longer than \(Self.maximumTextLength) bytes.")
    }
    self.to = to
    self.subject = String(Self.oneLine(subject).prefix(Self.maximumSubjectLength))
    self.text = text
  }

  /// Nothing of its content, so that no log shows it.
  package var description: String { "mail" }

  /// Whether `address` is `local@domain` (RFC 5321 §4.1.2) of ASCII, without quotes or comments.
  package static func isAddress(_ address: String) -> Bool {
    let parts = address.split(separator: "@", omittingEmptySubsequences: false)
    let marks = Array("!#$%&'*+-/=?^_`{|}~.".utf8)
    guard parts.count == 2, address.utf8.count <= maximumAddressLength, (1...64).contains(parts[0].utf8.count) else {
      return false
    }
    return parts[0].utf8.allSatisfy { $0.isASCIILetterOrDigit || marks.contains($0) } && isDotted(parts[0])
      && parts[1].utf8.allSatisfy { $0.isASCIILetterOrDigit || "-.".utf8.contains($0) } && isDotted(parts[1])
      && !parts[1].hasPrefix("-")
  }

  static func domain(of address: String) -> Substring { address.split(separator: "@").last ?? "localhost" }

  static func oneLine(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
  }

  private static func isDotted(_ part: Substring) -> Bool {
    part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
  }
}
