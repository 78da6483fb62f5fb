/// Real-time text (T.140, RFC 8865) on its way to becoming messages: characters are passed on as they come, and a line,
/// once it is finished, is a chat message; sans-IO.
package struct RealTimeTextLine: Hashable, Sendable {
  private var line = ""

  /// Unicode scalars of a line; a longer one becomes a message without its end.
  package static let maximumLength = 1_000
  /// What stands for text that may have been lost when a channel broke (RFC 8865 §5.3).
  package static let lossMark = "\u{fffd}"

  package init() {}

  /// Takes characters in; the lines that they finished.
  package mutating func take(_ text: String) -> [String] {
    var finished: [String] = []
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\u{feff}": break  // The byte order mark that T.140 begins with.
      case "\u{8}": if !line.isEmpty { line.removeLast() }
      case "\u{2028}", "\u{2029}", "\n", "\r": finish(&finished)
      default:
        guard scalar.value >= 0x20, !(0x7f...0x9f).contains(scalar.value) else { continue }
        line.unicodeScalars.append(scalar)
        if line.unicodeScalars.count >= Self.maximumLength { finish(&finished) }
      }
    }
    return finished
  }

  /// The line that was begun, when the channel closes.
  package mutating func end() -> String? {
    var finished: [String] = []
    finish(&finished)
    return finished.first
  }

  private mutating func finish(_ finished: inout [String]) {
    if line.contains(where: { !$0.isWhitespace }) { finished.append(line) }
    line = ""
  }

  /// The characters that others may be shown at once: without control characters but erasing and new lines.
  package static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.filter { scalar in
          scalar == "\u{8}" || scalar == "\n"
            || (scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value) && scalar != "\u{feff}")
        }))
  }
}
