/// Why an evidence package, or a part of it, cannot be made.
package struct PackageError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    /// No room on the disk.
    case full
    /// What is to be packed is not what it should be.
    case damaged
    /// A named bound is exceeded.
    case tooLarge
    /// Something cannot be read or written.
    case unavailable
    /// It was called off.
    case cancelled
  }

  package let code: Code
  /// What happened and what to do next, in plain words; at most ``maximumTextLength`` characters.
  package let text: String

  package static let maximumTextLength = 300

  package init(_ code: Code, _ text: String) {
    self.code = code
    self.text = String(text.prefix(Self.maximumTextLength))
  }

  package var description: String { "\(code.rawValue): \(text)" }
}
