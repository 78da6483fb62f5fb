/// Why a media file could not be written, read or made, in words for the person who has to put it right.
package struct MediaFileError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    /// A track's format cannot be written: parameter sets, sizes.
    case format
    /// A frame that no file can hold: empty, too large.
    case frame
    /// A time or a length that is out of bounds.
    case time
    /// The bytes are not what they should be.
    case damaged
    /// Whole, but nothing that can be used here.
    case unsupported
    /// Nothing is there to show or to join.
    case empty
    /// Bytes could not be read.
    case input
    /// A result could not be written.
    case output
    /// The caller did not want to go on.
    case cancelled
    /// A part of FFmpeg is not installed, or ran out of memory.
    case library
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
