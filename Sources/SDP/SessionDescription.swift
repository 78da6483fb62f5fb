import Primitives

/// A session description (RFC 8866), kept as it was written: every line and attribute in order, known or not.
///
/// What the lines mean is read through typed accessors (`MediaSection+….swift`), which throw an ``SDPError`` that names
/// the line.
package struct SessionDescription: Hashable, Sendable, SDPAttributeHolder {
  /// The value of `o=`: user, session id, version, network type, address type, address.
  package var origin: String
  /// The value of `s=`.
  package var name: String
  /// The session's other lines (`i u e p c b t r z k`), in order.
  package var lines: [SDPLine]
  package var attributes: [SDPAttribute]
  package var media: [MediaSection]

  package init(
    origin: String, name: String = "-", lines: [SDPLine] = [SDPLine("t", "0 0")], attributes: [SDPAttribute] = [],
    media: [MediaSection] = []
  ) {
    self.origin = origin
    self.name = name
    self.lines = lines
    self.attributes = attributes
    self.media = media
  }

  /// Parses a description with CRLF or LF line ends, within ``SDPLimits``.
  package init(parsing text: String) throws(SDPError) {
    let lines = try SDPLine.lines(of: text)
    guard let first = lines.first else { throw SDPError(.malformed, reason: "the description is empty") }
    guard first.type == "v", first.value.trimmed == "0" else {
      throw SDPError(.malformed, line: 1, text: first.text, reason: "a description starts with v=0")
    }
    let sessionEnd = lines.firstIndex { $0.type == "m" } ?? lines.count
    self.init(origin: "")
    try parseSession(lines[1..<sessionEnd])
    try parseMedia(lines[sessionEnd...])
  }

  /// The description as text, with CRLF line ends.
  package func serialize() -> String {
    var text = "v=0\r\no=\(origin)\r\ns=\(name)\r\n"
    for line in lines { text += line.text + "\r\n" }
    for attribute in attributes { text += attribute.text + "\r\n" }
    for section in media { section.serialize(into: &text) }
    return text
  }

  private mutating func parseSession(_ session: ArraySlice<SDPLine>) throws(SDPError) {
    var origin: String?
    var name: String?
    lines = []
    for line in session {
      switch line.type {
      case "o":
        guard line.value.words.count == 6 else {
          throw SDPError(.malformed, line: line.number, text: line.text, reason: "o= has six fields")
        }
        origin = line.value
      case "s": name = line.value
      case "a": attributes.append(try SDPAttribute(parsing: line))
      case "i", "u", "e", "p", "c", "b", "t", "r", "z", "k": lines.append(line)
      default:
        throw SDPError(
          .malformed, line: line.number, text: line.text, reason: "'\(line.type)=' is unknown before the first m=")
      }
    }
    guard let origin, let name else {
      throw SDPError(.malformed, reason: "the description needs one o= and one s= line before the first m=")
    }
    self.origin = origin
    self.name = name
  }

  private mutating func parseMedia(_ rest: ArraySlice<SDPLine>) throws(SDPError) {
    for line in rest {
      switch line.type {
      case "m":
        guard media.count < SDPLimits.maximumMediaSections else {
          throw SDPError(
            .tooLarge, line: line.number, text: line.text,
            reason: "there are more than \(SDPLimits.maximumMediaSections) m-lines")
        }
        media.append(try MediaSection(parsing: line))
      case "a": media[media.count - 1].attributes.append(try SDPAttribute(parsing: line))
      case "i", "c", "b", "k": media[media.count - 1].lines.append(line)
      default:
        throw SDPError(
          .malformed, line: line.number, text: line.text, reason: "'\(line.type)=' is unknown after an m=")
      }
    }
  }
}
