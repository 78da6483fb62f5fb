/// Text as it may stand in an HTML document, between tags and in quoted attributes (HTML §13.3).
package enum HTMLText {
  /// Every character that could begin or end anything is written as a reference; control characters that HTML forbids
  /// become U+FFFD, and what turns the direction of text about is shown as what it is.
  package static func escape(_ text: String) -> String {
    var output = ""
    output.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": output += "&amp;"
      case "<": output += "&lt;"
      case ">": output += "&gt;"
      case "\"": output += "&quot;"
      case "'": output += "&#39;"
      case "\n", "\t": output.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value): output += "\u{fffd}"
      case _ where Self.turning.contains(scalar.value): output += "[U+\(String(scalar.value, radix: 16).uppercased())]"
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output
  }

  /// Embeddings, overrides and isolates (Unicode UAX #9 §2).
  private static let turning: Set<UInt32> = [
    0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
  ]
}
