import Primitives
import SDP
import Testing

@Suite struct OfferAnswerTests {
  private struct Agreement {
    var client: NegotiatedSession
    var server: NegotiatedSession
  }

  private func agree(_ builder: SDPOfferBuilder, policy: AnswerPolicy = AnswerPolicy()) throws -> Agreement {
    var random = RandomSource.seeded(11)
    let offer = builder.offer(random: &random)
    #expect(try SessionDescription(parsing: offer.serialize()) == offer)
    let answer = try answer(offer.serialize(), policy: policy)
    let client = try NegotiatedSession(offer: offer, answer: SessionDescription(parsing: answer.text))
    return Agreement(client: client, server: answer.session)
  }

  @Test func aCallersSlotsAreTheServersSources() throws {
    let agreed = try agree(.caller(local: .client))
    #expect(agreed.client.slots.count == 2 && agreed.client.sources.isEmpty)
    for (slot, source) in zip(agreed.client.slots, agreed.server.sources) {
      #expect(slot.mid == source.mid && slot.kind == source.kind)
      #expect(slot.codecs == source.codecs)
      #expect(slot.extensionIDs == source.extensionIDs)
      #expect(source.announced.encodings == [.init(ssrc: slot.ssrc, retransmission: slot.retransmissionSSRC)])
      #expect(source.announced.cname == slot.cname)
    }
  }

  @Test func aViewersSourcesAreTheServersSlots() throws {
    let agreed = try agree(.viewer(local: .client, slots: 3))
    #expect(agreed.client.sources.count == 6 && agreed.server.slots.count == 6)
    for (source, slot) in zip(agreed.client.sources, agreed.server.slots) {
      #expect(source.mid == slot.mid && source.codecs == slot.codecs && source.extensionIDs == slot.extensionIDs)
      #expect(source.announced.encodings == [.init(ssrc: slot.ssrc, retransmission: slot.retransmissionSSRC)])
      #expect(source.streamID == slot.streamID)
    }
    #expect(agreed.server.slots.map(\.streamID) == ["slot-0", "slot-0", "slot-1", "slot-1", "slot-2", "slot-2"])
  }

  @Test func eachSideKnowsTheOthersTransport() throws {
    let agreed = try agree(.caller(local: .client))
    #expect(agreed.client.dtlsRole == .client && agreed.server.dtlsRole == .server)
    #expect(agreed.client.remote.credentials == SDPLocalParameters.server.credentials)
    #expect(agreed.server.remote.credentials == SDPLocalParameters.client.credentials)
    #expect(agreed.client.remote.isICELite && !agreed.server.remote.isICELite)
    #expect(agreed.client.remote.candidates == SDPLocalParameters.server.candidates)
    #expect(agreed.server.remote.candidates == ["9 1 udp 2130706431 192.0.2.9 4000 typ host"])
    #expect(agreed.client.remote.fingerprints == [SDPLocalParameters.server.fingerprint])
  }

  @Test func theDataChannelIsAgreedOn() throws {
    let agreed = try agree(.viewer(local: .client, slots: 1, hasDataChannel: true))
    let client = try #require(agreed.client.dataChannel)
    #expect(client == agreed.server.dataChannel)
    #expect(client.mid == "2" && client.remoteMaximumMessageSize == 65_536)
  }

  @Test func simulcastLayersKeepTheirSSRCs() throws {
    let agreed = try agree(.caller(local: .client, rids: ["q", "h", "f"]))
    #expect(agreed.client.slots[1].layers.map(\.rid) == ["q", "h", "f"])
    #expect(agreed.server.sources[1].rids == ["q", "h", "f"])
    #expect(agreed.server.sources[1].announced.encodings == agreed.client.slots[1].layers.map(\.encoding))
    #expect(agreed.client.slots[0].layers.isEmpty)
  }

  @Test func aRejectedLineIsNeitherSlotNorSource() throws {
    let foreign = OfferedMedia(.audio, .sendonly, codecs: [])
    var random = RandomSource.seeded(3)
    var offer = SDPOfferBuilder(
      local: .client, media: [foreign, OfferedMedia(.video, .sendonly), foreign]
    ).offer(random: &random)
    offer.media[0].formats = ["0"]
    offer.media[2].formats = ["0"]
    let answer = try answer(offer.serialize())
    let client = try NegotiatedSession(offer: offer, answer: answer.description)
    #expect(client.mediaLines.map(\.isRejected) == [false, false, true])
    #expect(client.mediaLines.map(\.direction) == [.inactive, .sendonly, .inactive])
    #expect(client.slots.map(\.mid) == ["1"])
  }

  @Test func anAnswerWithAnotherNumberOfLinesIsRefused() throws {
    var random = RandomSource.seeded(3)
    let offer = SDPOfferBuilder.caller(local: .client).offer(random: &random)
    var answer = try answer(offer.serialize()).description
    answer.media.removeLast()
    #expect(throws: SDPError.self) { try NegotiatedSession(offer: offer, answer: answer) }
  }
}
