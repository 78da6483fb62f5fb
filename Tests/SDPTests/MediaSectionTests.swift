import Primitives
import SDP
import Testing

@Suite struct MediaSectionTests {
  private func section(_ lines: String...) throws -> MediaSection {
    let text = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\n" + lines.joined(separator: "\n")
    return try #require(try SessionDescription(parsing: text).media.first)
  }

  @Test(arguments: [
    ("send q;h;f", ["q", "h", "f"]),
    ("recv x send q;h", ["q", "h"]),
    ("send ~q;h,f", ["q", "h"]),
    ("send rid=q;h", ["q", "h"]),
    ("send q;unknown;q", ["q"]),
    ("recv q", []),
  ])
  func simulcastListsTheSentRIDs(value: String, expected: [String]) throws {
    let section = try section(
      "a=rid:q send", "a=rid:h send", "a=rid:f send pt=96", "a=rid:x recv", "a=simulcast:\(value)")
    #expect(try section.simulcastSendRIDs() == expected)
  }

  @Test(arguments: ["send", "sideways q", "send q!;h", "send q recv"])
  func malformedSimulcastIsAnError(value: String) throws {
    let section = try section("a=rid:q send", "a=simulcast:\(value)")
    if value == "send q recv" {
      #expect(try section.simulcastSendRIDs() == ["q"])
    } else {
      #expect(throws: SDPError.self) { try section.simulcastSendRIDs() }
    }
  }

  @Test func retransmissionSSRCsAreFoldedIntoWhatTheyRepair() throws {
    let announced = try section(
      "a=ssrc:10 cname:me", "a=ssrc:11 cname:me", "a=ssrc:20", "a=ssrc:21", "a=ssrc:30",
      "a=ssrc-group:FID 10 11", "a=ssrc-group:FID 20 21", "a=ssrc-group:FEC-FR 10 30", "a=ssrc-group:SIM 20 10"
    ).announcedSources()
    #expect(announced.cname == "me")
    #expect(
      announced.encodings == [
        .init(ssrc: SSRC(20), retransmission: SSRC(21)), .init(ssrc: SSRC(10), retransmission: SSRC(11)),
      ])
  }

  @Test func headerExtensionsCarryDirections() throws {
    let extensions = try section(
      "a=extmap:3 urn:a", "a=extmap:4/recvonly urn:b attr", "a=extmap:5 urn:a", "a=extmap:4096 urn:c"
    )
    .headerExtensions()
    #expect(
      extensions == [
        HeaderExtension(id: 3, uri: "urn:a"), HeaderExtension(id: 4, uri: "urn:b", direction: .recvonly),
      ])
  }

  @Test func feedbackOfAllFormatsAppliesToEach() throws {
    let formats = try section(
      "a=rtpmap:96 VP8/90000", "a=rtpmap:97 H264/90000", "a=rtcp-fb:* nack", "a=rtcp-fb:97 nack  pli"
    ).payloadFormats()
    #expect(formats.map(\.feedback) == [[.nack], [.nack, .nackPLI]])
  }

  @Test(arguments: [
    ("sha-256 " + (0..<32).map { _ in "aB" }.joined(separator: ":"), true),
    ("SHA-256 " + (0..<32).map { _ in "AB" }.joined(separator: ":"), true),
    ("sha-256 AB:CD", false), ("sha-256 " + (0..<32).map { _ in "+A" }.joined(separator: ":"), false),
    ("sha-256", false), ("sha-256 ", false), ("", false),
  ])
  func fingerprintsAreCheckedForForm(text: String, isGood: Bool) {
    let fingerprint = SDPFingerprint(text)
    #expect((fingerprint != nil) == isGood)
    if let fingerprint { #expect(SDPFingerprint(fingerprint.description) == fingerprint) }
  }

  @Test func formatParametersKeepTheirPlaceWhenOneIsSet() {
    var parameters = FormatParameters("minptime=10; UseInbandFEC=0;stereo=1")
    parameters.set("useinbandfec", "1")
    #expect(parameters.text == "minptime=10;stereo=1;useinbandfec=1")
    #expect(parameters["STEREO"] == "1")
    parameters.set("stereo", "1")
    #expect(parameters.text == "minptime=10;stereo=1;useinbandfec=1")
  }

  @Test func dataChannelDefaultsAreThoseOfTheRFC() throws {
    let section = try section()
    #expect(try section.sctpPort() == 5000)
    #expect(try section.maximumMessageSize() == 65_536)
  }
}
