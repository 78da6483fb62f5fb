import Outgoing
import Primitives
import Testing

@Suite("Mail message")
struct MailTests {
  static let date = UTCTime(seconds: 880_127_706)

  func lines(_ message: MailMessage, name: String = "Leitstelle") -> [String] {
    let bytes = message.rendered(from: "dispatch@example.org", name: name, date: Self.date, token: "abc123")
    return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n").split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
  }

  @Test("a plain mail has its headers, an empty line, and its text")
  func rendersPlain() throws {
    let message = try MailMessage(to: "jo@example.com", subject: "Video link", text: "Open this:\nhttps://x/?a=b\n")
    #expect(
      lines(message) == [
        "Date: Fri, 21 Nov 1997 15:55:06 +0000", "From: \"Leitstelle\" <dispatch@example.org>", "To: <jo@example.com>",
        "Subject: Video link", "Message-ID: <abc123@example.org>", "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable",
        "Auto-Submitted: auto-generated", "", "Open this:", "https://x/?a=3Db", "", "",
      ])
  }

  // The encoded words were read back by Python's email.header.
  @Test("other alphabets are written as encoded words of whole characters, folded")
  func encodesSubject() throws {
    let message = try MailMessage(
      to: "jo@example.com", subject: "Grüße 🚑 " + String(repeating: "ä", count: 30), text: "")
    let rendered = lines(message, name: "Zentrale Süd")
    #expect(rendered[1] == "From: =?UTF-8?B?WmVudHJhbGUgU8O8ZA==?=")
    #expect(rendered[2] == " <dispatch@example.org>")
    #expect(rendered[4] == "Subject: =?UTF-8?B?R3LDvMOfZSDwn5qRIMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOk?=")
    #expect(rendered[5] == " =?UTF-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpA==?=")
    #expect(rendered.allSatisfy { $0.utf8.count <= 76 })
  }

  @Test("a subject or name with line breaks adds no header")
  func keepsHeadersApart() throws {
    let message = try MailMessage(to: "jo@example.com", subject: "Hi\r\nBcc: all@example.com", text: "")
    let rendered = lines(message, name: "A\r\nBcc: \"all@example.com")
    #expect(rendered[1] == #"From: "A  Bcc: \"all@example.com" <dispatch@example.org>"#)
    #expect(rendered[3] == "Subject: Hi  Bcc: all@example.com")
    #expect(!rendered.contains { $0.hasPrefix("Bcc") })
  }

  // RFC 2045 §6.7: rules 2, 3 and 5.
  @Test("long lines are broken softly, and what could be lost on the way is written as numbers")
  func quotesBody() throws {
    let message = try MailMessage(
      to: "jo@example.com", subject: "", text: "tail \n.\n..x\r\nü=\t\n" + String(repeating: "é", count: 30))
    let body = lines(message).drop { !$0.isEmpty }.dropFirst()
    #expect(
      Array(body) == [
        "tail=20", "=2E", "=2E.x", "=C3=BC=3D=09",
        "=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=",
        "=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=",
        "=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9", "",
      ])
  }

  @Test("a date before 1970 has the right day")
  func writesEarlyDates() {
    #expect(MailMessage.dateText(UTCTime(seconds: -1)) == "Wed, 31 Dec 1969 23:59:59 +0000")
    #expect(MailMessage.dateText(UTCTime(seconds: -86_400)) == "Wed, 31 Dec 1969 00:00:00 +0000")
    #expect(MailMessage.dateText(UTCTime(seconds: 951_782_400)) == "Tue, 29 Feb 2000 00:00:00 +0000")
  }

  @Test(
    "what is no address is refused",
    arguments: [
      "", "jo", "jo@", "@x.org", "a@b@c", "a b@c.org", "a@c.org\r\nRCPT TO:<x@y>", "<a@b.org>", "a@-b.org",
      "a..b@c.org",
      ".a@c.org", "a@c..org", "ü@c.org", "a@bücher.example", "a,b@c.org", "\"a\"@c.org",
      String(repeating: "a", count: 65) + "@c.org", "a@" + String(repeating: "b", count: 254),
    ])
  func refusesAddress(_ address: String) {
    #expect(throws: OutgoingError.self) { try MailMessage(to: address, subject: "", text: "") }
  }

  @Test("usual addresses are taken", arguments: ["jo@example.org", "a.b+c_d'e@sub.example.co.uk", "x@localhost"])
  func takesAddress(_ address: String) throws {
    #expect(try MailMessage(to: address, subject: "", text: "").to == address)
  }

  @Test("settings are read, with TLS unless the server is this machine")
  func readsSettings() throws {
    let far = try MailConfiguration(json: ["host": "mail.example.org", "from": "a@b.org"])
    #expect(far.security == .startTLS)
    #expect(far.port == 587)
    let near = try MailConfiguration(json: ["host": "127.0.0.1", "from": "a@b.org", "port": 2525, "password": "x"])
    #expect(near.security == .none)
    #expect(near.port == 2525)
    let tls = try MailConfiguration(
      json: ["host": "m.org", "from": "a@b.org", "security": "tls", "user": "u", "password": "secret"])
    #expect(tls.port == 465)
    #expect(!"\(tls)".contains("secret"))
  }

  @Test("settings that cannot work are refused")
  func refusesSettings() {
    for (host, port, security, password, from) in [
      ("bad host", 25, MailConfiguration.Security.tls, nil, "a@b.org"), ("h/x", 25, .tls, nil, "a@b.org"),
      ("h", 0, .tls, nil, "a@b.org"), ("h", 25, .none, "secret", "a@b.org"), ("h", 25, .tls, nil, "nobody"),
    ] as [(String, Int, MailConfiguration.Security, String?, String)] {
      #expect(throws: OutgoingError.self) {
        try MailConfiguration(host: host, port: port, security: security, user: "u", password: password, from: from)
      }
    }
    #expect(throws: OutgoingError.self) {
      try MailConfiguration(json: ["host": "h.org", "from": "a@b.org", "security": "ssl"])
    }
  }
}
