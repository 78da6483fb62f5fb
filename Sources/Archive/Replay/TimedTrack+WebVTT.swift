import Primitives

extension TimedTrack {
  /// Seconds that a moment stays on the screen, and that what has no end yet goes on for.
  private static let shownFor = (moment: TimeInterval64.seconds(5), open: TimeInterval64.seconds(30))

  /// The track as WebVTT (W3C), for players of others: cues in order of their beginning, each in a class of its kind.
  ///
  /// Times count from the epoch; what came before it stands at 0.
  package var webVTT: String {
    var text = "WEBVTT\n\nNOTE 0 is \(epoch)\n"
    let ordered = cues.sorted { ($0.start, $0.number) < ($1.start, $1.number) }
    for cue in ordered {
      let start = max(0, cue.start.offset(from: epoch) / 1_000)
      let open = cue.isSpan ? Self.shownFor.open : Self.shownFor.moment
      let end = max(start + 1, (cue.end ?? cue.start + open).offset(from: epoch) / 1_000)
      text += "\n\(cue.number)\n\(Self.timestamp(start)) --> \(Self.timestamp(end))\n"
      let voice = cue.kind == .chat || cue.kind == .note ? "<v \(Self.escaped(cue.who))>" : ""
      text += "\(voice)<c.\(cue.kind.rawValue)>\(Self.escaped(cue.text))</c>\n"
    }
    return text
  }

  /// `HH:MM:SS.mmm` (WebVTT §4.1); hours may have more digits.
  private static func timestamp(_ milliseconds: Int64) -> String {
    let seconds = milliseconds / 1_000
    let parts = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
    return parts.joined(separator: ":") + "." + padded(milliseconds % 1_000, 3)
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }

  /// Text in which nothing is markup and no line ends the cue.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\r", "\n", "\0", "\u{2028}", "\u{2029}": escaped += " "
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
