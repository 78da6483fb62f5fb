import SDP
import Testing

@Suite struct AnswerTransportTests {
  @Test func everyAcceptedSectionHasTheTransportAndOnlyTheFirstTheCandidates() throws {
    let media = try answer(Fixture.text("chromium-wall")).description.media
    #expect(media.allSatisfy { $0.has("ice-ufrag") && $0.has("ice-pwd") && $0.has("fingerprint") })
    #expect(media.allSatisfy { $0.attribute("setup")?.value == "passive" })
    #expect(media.map { $0.candidates.count } == [1] + Array(repeating: 0, count: media.count - 1))
    #expect(media[0].has("end-of-candidates"))
  }

  @Test(arguments: [
    ("actpass", "passive", NegotiatedSession.DTLSRole.server), ("active", "passive", .server),
    ("passive", "active", .client),
  ])
  func theSetupRoleFollowsTheOffer(offered: String, answered: String, role: NegotiatedSession.DTLSRole) throws {
    let answer = try answer(smallOffer.replacingFirst("a=setup:actpass", with: "a=setup:\(offered)"))
    #expect(answer.session.dtlsRole == role)
    #expect(answer.description.media[0].attribute("setup")?.value == answered)
  }

  @Test(arguments: [
    ("a=setup:actpass", "a=setup:holdconn", SDPError.Code.unsupported),
    ("a=group:BUNDLE 0 1", "a=x", .unsupported),
    ("a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901", "a=x", .malformed),
    ("a=mid:1", "a=mid:0", .malformed),
    ("sha-256", "sha-1", .unsupported),
  ])
  func anOfferThatCannotBeServedSaysWhy(original: String, replacement: String, code: SDPError.Code) throws {
    let error = try #require(throws: SDPError.self) {
      try answer(smallOffer.replacingFirst(original, with: replacement))
    }
    #expect(error.code == code)
    #expect(!error.reason.isEmpty)
  }

  @Test func linesOutsideTheFirstBundleGroupAreRejected() throws {
    let answer = try answer(smallOffer.replacingFirst("a=group:BUNDLE 0 1", with: "a=group:BUNDLE 1"))
    #expect(answer.session.mediaLines.map(\.isRejected) == [true, false])
    #expect(answer.description.media.map(\.port) == [0, 9])
    #expect(answer.description.attribute("group")?.value == "BUNDLE 1")
    #expect(answer.description.media[1].candidates.count == 1)
    #expect(answer.session.sources.map(\.mediaLineIndex) == [1])
  }

  @Test func aLineWithoutACommonCodecIsRejectedAndTheOthersStay() throws {
    let offer = smallOffer.replacingFirst("VP8", with: "X").replacingFirst("H264", with: "Y")
    let answer = try answer(offer)
    #expect(answer.session.mediaLines.map(\.isRejected) == [false, true])
    #expect(answer.description.media.map(\.port) == [9, 0])
    #expect(answer.description.media[1].formats == ["96", "97", "98", "99"])
    #expect(answer.description.bundle == ["0"])
  }

  /// Chromium refuses an answer that rejects the line that the bundle's transport belongs to.
  @Test func theBundlesFirstLineStaysAsAPlaceholder() throws {
    let answer = try answer(smallOffer.replacingFirst("opus/48000/2", with: "speex/16000"))
    #expect(answer.session.mediaLines.map(\.isRejected) == [false, false])
    #expect(answer.session.mediaLines.map(\.direction) == [.inactive, .recvonly])
    #expect(answer.session.sources.map(\.mid) == ["1"])
    let line = answer.description.media[0]
    #expect(line.formats == ["111", "0"] && line.port == 9 && line.has("inactive") && line.candidates.count == 1)
    #expect(answer.description.bundle == ["0", "1"])
  }

  @Test func anOfferWithoutAnyCommonCodecIsRefused() throws {
    let offer = smallOffer.replacingFirst("VP8", with: "X").replacingFirst("H264", with: "Y")
    let error = try #require(throws: SDPError.self) {
      try answer(offer.replacingFirst("opus", with: "speex"))
    }
    #expect(error.code == .unsupported && error.line == 10)
    #expect(error.reason == "no codec in common: offer opus/48000/2")
  }

  @Test func aSingleLineNeedsNeitherBundleNorMidNorMux() throws {
    let single = smallOffer.prefix(upTo: "m=video")
      .replacingFirst("a=group:BUNDLE 0 1\n", with: "").replacingFirst("a=mid:0\n", with: "")
      .replacingFirst("a=rtcp-mux\n", with: "")
    let answer = try answer(single)
    #expect(answer.session.sources.map(\.mid) == ["0"])
    #expect(answer.description.bundle == nil)
    #expect(!answer.description.media[0].has("mid") && !answer.description.media[0].has("rtcp-mux"))
  }

  @Test func bundleOnlyLinesWithPortZeroAreAccepted() throws {
    let offer = try SessionDescription(parsing: Fixture.text("gstreamer-recvonly"))
    #expect(offer.media[1].port == 0 && offer.media[1].has("bundle-only"))
    #expect(try answer(offer.serialize()).session.slots.count == 2)
  }

  @Test func aLineThatTheOfferRejectsStaysRejected() throws {
    let answer = try answer(smallOffer.replacingFirst("m=audio 9", with: "m=audio 0"))
    #expect(answer.session.mediaLines.map(\.isRejected) == [true, false])
  }

  @Test func remoteTransportComesFromTheOffer() throws {
    let remote = try answer(Fixture.text("obs-whip")).session.remote
    #expect(remote.credentials == SDPICECredentials(usernameFragment: "jBoB", password: "QSZ/rQ9fO/5y6x+C2O7vqP"))
    #expect(remote.candidates == ["1 1 UDP 2122317823 192.0.2.9 50913 typ host"])
    #expect(remote.hasAllCandidates && remote.trickles && !remote.isICELite)
    #expect(remote.fingerprints.map(\.hash) == ["sha-256"])
  }

  @Test func trickleAndRTCPOptionsAreEchoedOnlyWhenOffered() throws {
    let plain = try answer(smallOffer).description
    #expect(plain.iceOptions.isEmpty && !plain.media[0].has("rtcp-rsize") && plain.media[0].has("rtcp-mux"))
    let full = try answer(Fixture.text("chromium-recvonly")).description
    #expect(full.iceOptions == ["trickle"] && full.media[0].has("rtcp-rsize") && full.isICELite)
  }

  @Test func theStrongestFingerprintComesFirst() throws {
    let strong = "a=fingerprint:sha-512 " + (0..<64).map { _ in "11" }.joined(separator: ":")
    let session = try answer(smallOffer.replacingFirst("a=setup", with: strong + "\na=setup")).session
    #expect(session.remote.fingerprints.map(\.hash) == ["sha-512", "sha-256"])
  }
}

extension String {
  func prefix(upTo part: String) -> String {
    split(separator: part, maxSplits: 1).first.map(String.init) ?? self
  }
}
