import SDP
import Testing

@Suite struct SessionDescriptionTests {
  @Test(arguments: try Fixture.names())
  func everyFixtureSurvivesARoundTrip(name: String) throws {
    let parsed = try SessionDescription(parsing: Fixture.text(name))
    #expect(try SessionDescription(parsing: parsed.serialize()) == parsed)
  }

  @Test func serializationKeepsACapturedTextByteForByte() throws {
    let text = try Fixture.text("chromium-simulcast")
    #expect(try SessionDescription(parsing: text).serialize() == text)
  }

  @Test func lineEndsMayBeCRLFOrLFAndTheLastMayBeMissing() throws {
    let plain = try SessionDescription(parsing: smallOffer)
    let crlf = smallOffer.split(separator: "\n").joined(separator: "\r\n")
    #expect(try SessionDescription(parsing: crlf) == plain)
    #expect(try SessionDescription(parsing: smallOffer + "\r\n\r\n") == plain)
  }

  @Test(arguments: [
    ("v=0", "v=1", 1, "a description starts with v=0"),
    ("o=- 1 1 IN IP4 127.0.0.1", "o=- 1 1", 2, "o= has six fields"),
    ("t=0 0", "rubbish", 4, "a line is one letter, '=' and a value"),
    ("t=0 0", "x=0 0", 4, "'x=' is unknown before the first m="),
    ("a=setup:actpass", "a=setup:act\u{1}", 9, "the line holds a control character"),
    ("a=mid:0", "t=0 0", 12, "'t=' is unknown after an m="),
    ("a=mid:0", "a=", 12, "the attribute has no proper name"),
    ("m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 99999 X 0", 10, "the port is not a number from 0 to 65535"),
    (
      "m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9", 10, "m= has a media, a port, a protocol and at least one format"
    ),
  ])
  func syntaxErrorsNameTheLine(original: String, replacement: String, line: Int, reason: String) throws {
    let error = try #require(throws: SDPError.self) {
      try SessionDescription(parsing: smallOffer.replacingFirst(original, with: replacement))
    }
    #expect(error.line == line)
    #expect(error.reason == reason)
    #expect(error.code == .malformed)
  }

  @Test(arguments: [
    ("a=rtpmap:111 opus/48000/2", "a=rtpmap:xx", "rtpmap is a payload type, a space and a value"),
    ("a=rtpmap:111 opus/48000/2", "a=rtpmap:xx opus/48000", "the payload type is not a number from 0 to 127"),
    (
      "a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus",
      "rtpmap is a payload type, then name/clock rate and perhaps /channels"
    ),
    ("a=rtpmap:111 opus/48000/2", "a=rtpmap:   ", "the attribute needs a value"),
    ("a=fmtp:97 apt=96", "a=fmtp:128 apt=96", "the payload type is not a number from 0 to 127"),
    ("a=mid:0", "a=mid:", "the mid is no proper token"),
    ("a=setup:actpass", "a=setup:maybe", "setup is active, passive, actpass or holdconn"),
    ("a=ice-ufrag:abcd", "a=ice-ufrag:abc", "ice-ufrag has 4 to 256 visible characters"),
    ("a=ice-pwd:0123456789012345678901", "a=ice-pwd:short", "ice-pwd has 22 to 256 visible characters"),
    ("a=ice-pwd:0123456789012345678901", "a=x", "ice-ufrag stands without an ice-pwd at the same level"),
    ("a=rtcp-mux", "a=rtcp-mux\na=extmap:0 urn:x", "extmap is an id from 1 on, perhaps /direction, and a URI"),
    ("a=rtcp-mux", "a=rtcp-mux\na=ssrc:-1 cname:x", "the SSRC is not a 32-bit number"),
    (
      "a=rtcp-mux", "a=rtcp-mux\na=rid:a! send\na=simulcast:send a",
      "rid is an identifier of letters, digits, '-' or '_', then send or recv"
    ),
  ])
  func answeringNamesTheLineOfABadAttribute(original: String, replacement: String, reason: String) throws {
    let text = smallOffer.replacingFirst(original, with: replacement)
    let error = try #require(throws: SDPError.self) { try answer(text) }
    #expect(error.reason == reason)
    let line = try #require(error.line)
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false)[line - 1] == error.text)
  }

  @Test func anErrorReadsWellInAnHTTPResponse() throws {
    let error = try #require(throws: SDPError.self) {
      try answer(smallOffer.replacingFirst("a=rtpmap:111 opus/48000/2", with: "a=rtpmap:xx y"))
    }
    #expect(error.description == "line 15: \"a=rtpmap:xx y\": the payload type is not a number from 0 to 127")
  }

  @Test func quotedTextIsBoundedAndHasNoControlCharacters() {
    let error = SDPError(.malformed, line: 1, text: "a\u{7}" + String(repeating: "b", count: 500), reason: "r")
    #expect(error.text == "a?" + String(repeating: "b", count: 78) + "…")
  }

  @Test func limitsAreKept() {
    let tooLong = smallOffer + "a=x:" + String(repeating: "y", count: SDPLimits.maximumLineLength) + "\n"
    let tooManyLines = smallOffer + String(repeating: "a=x\n", count: SDPLimits.maximumLines)
    let tooBig = String(repeating: "a=x\n", count: SDPLimits.maximumBytes / 4 + 1)
    let tooManySections = smallOffer + String(repeating: "m=audio 0 X 0\n", count: SDPLimits.maximumMediaSections)
    let tooManyFormats =
      smallOffer + "m=audio 0 X" + String(repeating: " 0", count: SDPLimits.maximumFormats + 1) + "\n"
    for text in [tooLong, tooManyLines, tooBig, tooManySections, tooManyFormats] {
      let error = #expect(throws: SDPError.self) { try SessionDescription(parsing: text) }
      #expect(error?.code == .tooLarge)
    }
  }
}

extension String {
  func replacingFirst(_ part: String, with other: String) -> String {
    guard let range = firstRange(of: part) else { return self }
    return replacingCharacters(in: range, with: other)
  }

  private func firstRange(of part: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(part), let end = index(start, offsetBy: part.count, limitedBy: endIndex) {
        return start..<end
      }
      start = index(after: start)
    }
    return nil
  }

  private func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
    self[..<range.lowerBound] + other + self[range.upperBound...]
  }
}
