import Primitives

extension MailMessage {
  /// The mail as it is sent (RFC 5322, RFC 2045): headers, then the text in quoted-printable.
  ///
  /// `token` makes the Message-ID unique; letters and digits.
  package func rendered(from address: String, name: String, date: UTCTime, token: String) -> [UInt8] {
    let lines = [
      "Date: \(Self.dateText(date))",
      "From: \(Self.phrase(name, after: "From: ".count))<\(address)>",
      "To: <\(to)>",
      "Subject: \(Self.unstructured(subject, after: "Subject: ".count))",
      "Message-ID: <\(token)@\(Self.domain(of: address))>",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: quoted-printable",
      // RFC 3834: out-of-office answers stay away.
      "Auto-Submitted: auto-generated",
    ]
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + Self.quotedPrintable(text)
  }

  /// RFC 5322 §3.3, in UTC.
  package static func dateText(_ time: UTCTime) -> String {
    let days = time.seconds >= 0 ? time.seconds / 86_400 : -((-time.seconds + 86_399) / 86_400)
    let second = time.seconds - days * 86_400
    let date = CivilDate(daysSince1970: days)
    // 1970-01-01 was a Thursday.
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int((days % 7 + 7) % 7)]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let clock = [second / 3_600, second / 60 % 60, second % 60].map { ($0 < 10 ? "0" : "") + String($0) }
    return "\(weekday), \(date.day) \(months[Int(date.month) - 1]) \(date.year) \(clock.joined(separator: ":")) +0000"
  }

  // MARK: - Headers

  /// Characters of a line (RFC 5322 §2.1.1, RFC 2047 §2).
  private static let lineLength = 76

  /// A display name, quoted or in encoded words, with the space that follows it.
  private static func phrase(_ name: String, after used: Int) -> String {
    let name = oneLine(name)
    // The address stands on a line of its own after encoded words, whose lines are short.
    guard isPlain(name, limit: lineLength - used) else { return encodedWords(name, after: used) + "\r\n " }
    return "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\" "
  }

  private static func unstructured(_ text: String, after used: Int) -> String {
    isPlain(text, limit: lineLength - used) ? text : encodedWords(text, after: used)
  }

  private static func isPlain(_ text: String, limit: Int) -> Bool {
    text.utf8.count <= limit && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } && !text.contains("=?")
  }

  /// RFC 2047 §4.1: a word a line, each of whole characters (§5).
  private static func encodedWords(_ text: String, after used: Int) -> String {
    let frame = "=?UTF-8?B??=".count
    func room(_ used: Int) -> Int { (lineLength - used - frame) / 4 * 3 }
    var words: [[UInt8]] = [[]]
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      let limit = room(words.count == 1 ? used : 1)
      if words[words.count - 1].count + bytes.count > limit { words.append([]) }
      words[words.count - 1] += bytes
    }
    return words.map { "=?UTF-8?B?\(Base64.encode($0))?=" }.joined(separator: "\r\n ")
  }

  // MARK: - Body

  /// RFC 2045 §6.7, lines ending in CRLF.
  private static func quotedPrintable(_ text: String) -> [UInt8] {
    var output: [UInt8] = []
    let normalized = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    for line in normalized.split(separator: "\n", omittingEmptySubsequences: false) {
      appendLine(Array(line.utf8), to: &output)
      output += Array("\r\n".utf8)
    }
    return output
  }

  private static func appendLine(_ line: [UInt8], to output: inout [UInt8]) {
    var used = 0
    for (index, byte) in line.enumerated() {
      let token = quoted(byte, isFirst: used == 0, isLast: index == line.count - 1)
      if used + token.count >= lineLength {
        output += Array("=\r\n".utf8)
        used = 0
      }
      output += token
      used += token.count
    }
  }

  /// White space at the end is lost on some ways, and a dot alone ends the mail: both are written as numbers.
  private static func quoted(_ byte: UInt8, isFirst: Bool, isLast: Bool) -> [UInt8] {
    let isText = byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "=") && !(byte == UInt8(ascii: ".") && isFirst)
    let isInnerSpace = (byte == 0x20 || byte == 0x09) && !isLast
    return isText || isInnerSpace ? [byte] : Array("=\(Hex.encode([byte]).uppercased())".utf8)
  }
}
