import Primitives
import SDP
import Testing

@Suite struct SDPAnswererTests {
  @Test func whatThePeerSendsBecomesSources() throws {
    let session = try answer(smallOffer).session
    #expect(session.sources.map(\.mid) == ["0", "1"])
    #expect(session.slots.isEmpty)
    #expect(session.mediaLines.map(\.direction) == [.recvonly, .recvonly])
    #expect(session.dtlsRole == .server)
  }

  @Test func whatThePeerReceivesBecomesSlotsWithTheirOwnSSRCs() throws {
    let offer = smallOffer.replacingOccurrences("a=sendonly", "a=recvonly")
    let answer = try answer(offer)
    #expect(answer.session.sources.isEmpty)
    #expect(answer.session.slots.map(\.mid) == ["0", "1"])
    #expect(answer.session.slots[0].retransmissionSSRC == nil)
    let video = answer.session.slots[1]
    let retransmission = try #require(video.retransmissionSSRC)
    #expect(Set(answer.session.slots.map(\.ssrc) + [retransmission]).count == 3)
    let announced = try answer.description.media[1].announcedSources()
    #expect(
      announced
        == AnnouncedSources(encodings: [.init(ssrc: video.ssrc, retransmission: retransmission)], cname: "server"))
    #expect(video.streamID == answer.session.slots[0].streamID)
  }

  @Test func theAnswerIsTheSameForTheSameSeed() throws {
    #expect(try answer(smallOffer).text == answer(smallOffer).text)
  }

  @Test(arguments: [(true, false, MediaDirection.recvonly), (false, true, .sendonly), (true, true, .sendrecv)])
  func permissionsTakeDirectionsAway(publish: Bool, subscribe: Bool, expected: MediaDirection) throws {
    let offer = smallOffer.replacingOccurrences("a=sendonly", "a=sendrecv")
    let session = try answer(offer, policy: AnswerPolicy(mayPublish: publish, maySubscribe: subscribe)).session
    #expect(session.mediaLines.map(\.direction) == [expected, expected])
    #expect(session.sources.count == (publish ? 2 : 0))
    #expect(session.slots.count == (subscribe ? 2 : 0))
  }

  @Test func anOfferOfWhichNothingIsPermittedIsRefused() throws {
    let error = try #require(throws: SDPError.self) { try answer(smallOffer, policy: AnswerPolicy(mayPublish: false)) }
    #expect(error.code == .notPermitted)
  }

  @Test func whatIsNotPermittedIsInactiveBesideADataChannel() throws {
    let offer = try Fixture.text("chromium-sendrecv")
    let answer = try answer(offer, policy: AnswerPolicy(mayPublish: false, maySubscribe: false))
    #expect(answer.session.mediaLines.map(\.direction) == [.inactive, .inactive, .inactive])
    #expect(answer.session.mediaLines.allSatisfy { !$0.isRejected })
    #expect(answer.description.media.map(\.port) == [9, 9, 9])
    #expect(answer.session.dataChannel?.remotePort == 5000)
  }

  @Test func slotsAndSourcesAreLimited() throws {
    let wall = try Fixture.text("chromium-wall")
    let session = try answer(wall, policy: AnswerPolicy(maximumSlots: 3)).session
    #expect(session.slots.map(\.mid) == ["0", "1", "2"])
    #expect(try answer(smallOffer, policy: AnswerPolicy(maximumSources: 1)).session.sources.map(\.mid) == ["0"])
  }

  @Test func unsupportedFormatsAreDropped() throws {
    let session = try answer(Fixture.text("safari-ios-sendonly")).session
    #expect(session.sources[0].codecs.map(\.codec) == [.opus, .red])
    #expect(session.sources[1].codecs.map(\.payloadType.rawValue) == [96, 98, 35, 102])
    #expect(session.sources[1].codecs.map(\.retransmission?.rawValue) == [97, 99, 36, 125])
  }

  @Test(arguments: [
    ("a=fmtp:98 packetization-mode=0;profile-level-id=42e01f", false),
    ("a=fmtp:98 packetization-mode=1;profile-level-id=f4001f", false),
    ("a=fmtp:98 packetization-mode=1;profile-level-id=zz", false),
    ("a=fmtp:98 packetization-mode=1", true), ("a=fmtp:98 packetization-mode=1; profile-level-id=640c1f", true),
    ("a=x", false),
  ])
  func h264NeedsModeOneAndAKnownProfile(fmtp: String, isKept: Bool) throws {
    let offer = smallOffer.replacingFirst("a=fmtp:98 packetization-mode=1;profile-level-id=42e01f", with: fmtp)
    #expect(try answer(offer).session.sources[1].codecs.contains { $0.codec == .h264 } == isKept)
  }

  @Test func opusGetsInBandFECAndKeepsWhatWasOffered() throws {
    let answer = try answer(Fixture.text("obs-whip"))
    let opus = try #require(answer.session.sources[0].codecs.first?.parameters)
    #expect(opus["stereo"] == "1" && opus["useinbandfec"] == "1" && opus["usedtx"] == nil)
    #expect(try self.opus(in: smallOffer) == "useinbandfec=1")
  }

  private func opus(in offer: String) throws -> String? {
    try answer(offer).session.sources[0].codecs.first?.parameters?.text
  }

  @Test func theSourcePreferenceReordersSourcesOnly() throws {
    let policy = AnswerPolicy(sourceCodecPreference: [.h264])
    let sending = try answer(smallOffer, policy: policy)
    #expect(sending.session.sources[1].codecs.map(\.codec) == [.h264, .vp8])
    #expect(sending.description.media[1].formats == ["98", "99", "96", "97"])
    let receiving = try answer(smallOffer.replacingOccurrences("a=sendonly", "a=recvonly"), policy: policy)
    #expect(receiving.session.slots[1].codecs.map(\.codec) == [.vp8, .h264])
  }

  @Test func videoOrientationIsAcceptedOnlyWhereThePolicySaysSo() throws {
    let offer = try Fixture.text("chromium-sendrecv")
    #expect(try answer(offer).session.sources[1].extensionIDs[HeaderExtensionURI.videoOrientation] == nil)
    var policy = AnswerPolicy()
    policy.sourceExtensions.insert(HeaderExtensionURI.videoOrientation)
    let session = try answer(offer, policy: policy).session
    #expect(session.sources[1].extensionIDs[HeaderExtensionURI.videoOrientation] == 13)
    #expect(session.slots[1].extensionIDs[HeaderExtensionURI.videoOrientation] == nil)
  }

  @Test func extensionDirectionsOfTheOfferAreTurnedRound() throws {
    let answer = try answer(Fixture.text("firefox-simulcast"))
    let rid = try answer.description.media[1].headerExtensions().first { $0.uri == HeaderExtensionURI.rid }
    #expect(rid?.direction == .recvonly)
    #expect(answer.session.sources[1].extensionIDs[HeaderExtensionURI.rid] == rid?.id)
  }

  @Test func extensionsBeyondTheOneByteFormAreNotAccepted() throws {
    let offer = smallOffer.replacingFirst("a=rtcp-mux", with: "a=rtcp-mux\na=extmap:15 \(HeaderExtensionURI.mid)")
    #expect(try answer(offer).session.sources[0].extensionIDs.isEmpty)
  }

  @Test func simulcastNeedsTheRIDExtension() throws {
    let offer = try Fixture.text("chromium-simulcast")
    let accepted = try answer(offer)
    #expect(accepted.session.sources[1].rids == ["q", "h", "f"])
    #expect(accepted.description.media[1].attribute("simulcast")?.value == "recv q;h;f")
    let refused = try answer(offer.replacingOccurrences(HeaderExtensionURI.rid, "urn:other"))
    #expect(refused.session.sources[1].rids.isEmpty)
    #expect(!refused.description.media[1].has("simulcast") && !refused.description.media[1].has("rid"))
    #expect(try answer(offer, policy: AnswerPolicy(maximumLayers: 2)).session.sources[1].rids == ["q", "h"])
  }
}

extension String {
  func replacingOccurrences(_ part: String, _ other: String) -> String {
    split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }
}
