import Primitives
import SDP
import Testing

/// What the answer to each fixture must hold.
struct FixtureExpectation: Sendable, CustomTestStringConvertible {
  var name: String
  var sources = 0
  var slots = 0
  var hasDataChannel = false
  /// The codecs of the last video line.
  var video: [MediaCodec] = []
  var rids: [String] = []

  var testDescription: String { name }

  static let browser: [MediaCodec] = [.vp8, .vp9, .h264, .av1]
  static let firefox: [MediaCodec] = [.vp8, .vp9, .av1]

  static let all: [FixtureExpectation] = [
    .init(name: "chromium-sendonly", sources: 2, video: browser),
    .init(name: "chromium-recvonly", slots: 2, video: browser),
    .init(name: "chromium-simulcast", sources: 2, video: browser, rids: ["q", "h", "f"]),
    .init(name: "chromium-datachannel", hasDataChannel: true),
    .init(name: "chromium-sendrecv", sources: 2, slots: 2, hasDataChannel: true, video: browser),
    .init(name: "chromium-wall", slots: 8, hasDataChannel: true, video: browser),
    .init(name: "firefox-sendonly", sources: 2, video: firefox),
    .init(name: "firefox-recvonly", slots: 2, video: firefox),
    .init(name: "firefox-simulcast", sources: 2, video: firefox, rids: ["q", "h", "f"]),
    .init(name: "firefox-datachannel", hasDataChannel: true),
    .init(name: "firefox-sendrecv", sources: 2, slots: 2, hasDataChannel: true, video: firefox),
    .init(name: "firefox-wall", slots: 8, hasDataChannel: true, video: firefox),
    .init(name: "aiortc-sendonly", sources: 2, video: [.vp8, .h264]),
    .init(name: "aiortc-recvonly", slots: 2, video: [.vp8, .h264]),
    .init(name: "aiortc-datachannel", hasDataChannel: true),
    .init(name: "gstreamer-sendonly-h264", sources: 2, video: [.h264]),
    .init(name: "gstreamer-recvonly", slots: 2, video: [.vp8]),
    .init(name: "gstreamer-datachannel", hasDataChannel: true),
    .init(name: "safari-ios-sendonly", sources: 2, video: [.h264, .vp8, .vp9]),
    .init(name: "obs-whip", sources: 2, video: [.h264]),
  ]
}

@Suite struct FixtureAnswerTests {
  @Test func theTableCoversEveryFixture() throws {
    #expect(try Fixture.names() == FixtureExpectation.all.map(\.name).sorted())
  }

  @Test(arguments: FixtureExpectation.all)
  func theAnswerHoldsWhatIsExpected(expected: FixtureExpectation) throws {
    let session = try answer(Fixture.text(expected.name)).session
    #expect(session.sources.count == expected.sources)
    #expect(session.slots.count == expected.slots)
    #expect((session.dataChannel != nil) == expected.hasDataChannel)
    let video = session.sources.last { $0.kind == .video }?.codecs ?? session.slots.last { $0.kind == .video }?.codecs
    #expect(Set((video ?? []).map(\.codec)) == Set(expected.video))
    #expect(session.sources.last?.rids ?? [] == expected.rids)
  }

  @Test(arguments: FixtureExpectation.all)
  func theAnswerParsesAgainAndMirrorsTheOffer(expected: FixtureExpectation) throws {
    let offer = try SessionDescription(parsing: Fixture.text(expected.name))
    let answer = try answer(offer.serialize())
    let parsed = try SessionDescription(parsing: answer.text)
    #expect(parsed == answer.description)
    #expect(parsed.media.map(\.media) == offer.media.map(\.media))
    let mids = try offer.media.map { try $0.mid() }
    #expect(try parsed.media.map { try $0.mid() } == mids)
    #expect(parsed.bundle == offer.bundle)
    for (ours, theirs) in zip(parsed.media, offer.media) {
      #expect(Set(ours.formats).isSubset(of: theirs.formats))
      let offered = Set(try theirs.headerExtensions().map { "\($0.id) \($0.uri)" })
      let accepted = Set(try ours.headerExtensions().map { "\($0.id) \($0.uri)" })
      #expect(accepted.isSubset(of: offered))
      let direction = theirs.direction(in: offer)
      #expect(ours.isDataChannel || ours.direction(in: parsed) == direction.reversed)
    }
  }

  @Test(arguments: FixtureExpectation.all)
  func everyVideoSlotCanBeShownAndRepaired(expected: FixtureExpectation) throws {
    let answer = try answer(Fixture.text(expected.name))
    for slot in answer.session.slots {
      let section = answer.description.media[slot.mediaLineIndex]
      #expect(section.has("msid"))
      #expect(try section.announcedSources().encodings.map(\.ssrc) == [slot.ssrc])
      let hasRetransmission = slot.codecs.contains { $0.retransmission != nil }
      #expect((slot.retransmissionSSRC != nil) == hasRetransmission)
      #expect(section.attributes.contains { $0.value?.hasPrefix("FID") == true } == hasRetransmission)
    }
  }
}
