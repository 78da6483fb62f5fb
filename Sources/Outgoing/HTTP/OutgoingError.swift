/// Why something could not be said to another system, in words for the person who has to put it right.
///
/// Texts name hosts and status codes; never numbers, addresses, messages or secrets, so that they may be logged.
package struct OutgoingError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    /// The request or the configuration is wrong: trying again does not help.
    case invalid
    /// Too many calls wait already.
    case busy
    case cancelled
    /// The caller was stopped.
    case stopped
    /// No connection: name, route, port, or one that broke.
    case unreachable
    case timedOut
    /// No encryption, or a certificate that is not trusted.
    case insecure
    /// The other system answered that it will not.
    case refused
    /// The answer is longer than allowed, or makes no sense.
    case badAnswer
  }

  package let code: Code
  package let text: String

  /// Longest text, in characters.
  package static let maximumTextLength = 300

  package init(_ code: Code, _ text: String) {
    self.code = code
    self.text = String(text.prefix(Self.maximumTextLength))
  }

  package var description: String { "\(code.rawValue): \(text)" }
}
