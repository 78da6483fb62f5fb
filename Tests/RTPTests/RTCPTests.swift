import Primitives
import RTP
import Testing

@Suite struct RTCPTests {
  private func parse(_ bytes: [UInt8]) throws -> [RTCPPacket] {
    try withBytes(bytes) { datagram in try RTCPCompound.parse(datagram) }
  }

  private static let block = ReportBlock(
    ssrc: SSRC(0xbc5e_9a40), fractionLost: 12, cumulativeLost: -3, extendedHighestSequence: 0x0001_46e1, jitter: 273,
    lastSenderReport: 0x9f36_432a, delaySinceLastSenderReport: 150_137)

  private static let samples: [RTCPPacket] = [
    .senderReport(
      SenderReport(
        ssrc: SSRC(0x902f_9e2e), ntpTime: NTPTimestamp(bits: 0xda8b_d1fc_dddd_a05a), rtpTimestamp: 0xaaf4_edd5,
        packetCount: 1, octetCount: 2, reports: [block, block])),
    .receiverReport(ReceiverReport(ssrc: SSRC(1), reports: [block])),
    .receiverReport(ReceiverReport(ssrc: SSRC(1))),
    .sourceDescription(
      SourceDescription(chunks: [
        .init(ssrc: SSRC(7), canonicalName: "abc"), .init(ssrc: SSRC(8), canonicalName: "{9c00eb92}"),
      ])),
    .goodbye(Goodbye(sources: [SSRC(1), SSRC(2)], reason: "FOO")),
    .goodbye(Goodbye(sources: [])),
    .genericNACK(
      GenericNACK(
        senderSSRC: SSRC(1), mediaSSRC: SSRC(2), lost: [10, 11, 26, 27, 65_535, 0].map { SequenceNumber($0) })),
    .pictureLossIndication(PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: SSRC(2))),
    .fullIntraRequest(
      FullIntraRequest(
        senderSSRC: SSRC(1),
        entries: [.init(ssrc: SSRC(5), commandNumber: 9), .init(ssrc: SSRC(6), commandNumber: 255)])),
    .receiverEstimatedMaximumBitrate(
      ReceiverEstimatedMaximumBitrate(senderSSRC: SSRC(1), bitrate: 2_500_000, sources: [SSRC(3), SSRC(4)])),
    .transportFeedback(
      TransportFeedback(
        senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(65_530), referenceTime: 0x12_3456,
        feedbackCount: 200,
        statuses: [
          .received(delta: 0), .notReceived, .received(delta: -5), .received(delta: 255), .received(delta: 256),
        ]
      )),
  ]

  @Test(arguments: samples)
  func packetIsReadBackAsItWasWritten(packet: RTCPPacket) throws {
    let bytes = RTCPCompound.serialize([packet])
    #expect(bytes.count % 4 == 0)
    #expect(try parse(bytes) == [packet])
  }

  @Test func compoundIsReadBackInOrder() throws {
    #expect(try parse(RTCPCompound.serialize(Self.samples)) == Self.samples)
  }

  @Test func senderReportHasTheLayoutOfTheRFC() throws {
    let report = SenderReport(
      ssrc: SSRC(0x902f_9e2e), ntpTime: NTPTimestamp(bits: 0xda8b_d1fc_dddd_a05a), rtpTimestamp: 0xaaf4_edd5,
      packetCount: 1, octetCount: 2, reports: [Self.block])
    let expected = """
      81c8000c 902f9e2e da8bd1fc dddda05a aaf4edd5 00000001 00000002
      bc5e9a40 0cfffffd 000146e1 00000111 9f36432a 00024a79
      """
    #expect(RTCPCompound.serialize([.senderReport(report)]) == (try hex(expected)))
  }

  @Test func feedbackHasTheLayoutOfTheRFCs() throws {
    let nack = GenericNACK(senderSSRC: SSRC(1), mediaSSRC: SSRC(2), lost: [10, 11, 26].map { SequenceNumber($0) })
    #expect(RTCPCompound.serialize([.genericNACK(nack)]) == (try hex("81cd0003 00000001 00000002 000a8001")))
    let remb = ReceiverEstimatedMaximumBitrate(senderSSRC: SSRC(1), bitrate: 8_927_168, sources: [SSRC(0x48)])
    #expect(
      RTCPCompound.serialize([.receiverEstimatedMaximumBitrate(remb)])
        == (try hex("8fce0005 00000001 00000000 52454d42 011a20df 00000048")))
    let fir = FullIntraRequest(senderSSRC: SSRC(1), entries: [.init(ssrc: SSRC(2), commandNumber: 3)])
    #expect(
      RTCPCompound.serialize([.fullIntraRequest(fir)]) == (try hex("84ce0004 00000001 00000000 00000002 03000000")))
  }

  @Test func typesThatAreNotActedOnAreSkipped() throws {
    // APP, XR, an unknown feedback format, another application's PSFB 15, then a PLI.
    let text = """
      80cc0002 00000001 6e616d65 80cf0001 00000001 83cd0002 00000001 00000002
      8fce0003 00000001 00000000 41424344 81ce0002 00000001 00000002
      """
    let pli = PictureLossIndication(senderSSRC: SSRC(1), mediaSSRC: SSRC(2))
    #expect(try parse(try hex(text)) == [.pictureLossIndication(pli)])
  }

  @Test(arguments: [
    ("", RTPError.truncated),
    ("80c9", .truncated),
    ("80c90001", .truncated),
    ("40c90001 00000001", .unsupportedVersion),
    ("81c90001 00000001", .truncated),
    ("80c90001 00000001 80", .truncated),
    ("a0c90001 00000000", .invalidPadding),
    ("a0c90001 00000005", .invalidPadding),
    ("a0c90000", .invalidPadding),
    ("84ce0002 00000001 00000000", .truncated),
    ("81ca0002 00000001 01056162", .truncated),
    ("8fcd0004 00000001 00000002 00010000 00000000", .malformed),
    ("8fcd0005 00000001 00000002 00013000 00000000 3fff3fff", .limitExceeded),
    ("8fcd0005 00000001 00000002 00010002 00000000 60020000", .malformed),
    ("8fcd0005 00000001 00000002 00010002 00000000 20000000", .malformed),
  ])
  func brokenDatagramIsRefused(text: String, error: RTPError) throws {
    let bytes = try hex(text)
    #expect(throws: error) { try parse(bytes) }
  }

  @Test func tooManyPacketsAreRefused() throws {
    let one = RTCPCompound.serialize([.receiverReport(ReceiverReport(ssrc: SSRC(1)))])
    let most = Array(repeatElement(one, count: RTCPCompound.maximumPackets).joined())
    #expect(try parse(most).count == RTCPCompound.maximumPackets)
    #expect(throws: RTPError.limitExceeded) { try parse(most + one) }
  }

  @Test func longNACKIsCutAtTheLimit() throws {
    let lost = (0..<2_000).map { SequenceNumber(UInt16($0)) }
    let bytes = RTCPCompound.serialize([
      .genericNACK(GenericNACK(senderSSRC: SSRC(1), mediaSSRC: SSRC(2), lost: lost))
    ])
    guard case .genericNACK(let nack) = try parse(bytes).first else {
      Issue.record("no NACK")
      return
    }
    #expect(nack.lost == Array(lost.prefix(nack.lost.count)))
    #expect((1_000...GenericNACK.maximumSequenceNumbers).contains(nack.lost.count))
  }

  @Test(arguments: [(UInt64(0), UInt64(0)), (262_143, 262_143), (262_145, 262_144), (.max, 0xffff_c000_0000_0000)])
  func estimateKeepsItsUpperBits(bitrate: UInt64, kept: UInt64) throws {
    let packet = ReceiverEstimatedMaximumBitrate(senderSSRC: SSRC(1), bitrate: bitrate, sources: [])
    let parsed = try parse(RTCPCompound.serialize([.receiverEstimatedMaximumBitrate(packet)]))
    var expected = packet
    expected.bitrate = kept
    #expect(parsed == [.receiverEstimatedMaximumBitrate(expected)])
  }

  @Test func estimateBeyondTheWordMeansNoLimit() throws {
    let parsed = try parse(try hex("8fce0004 00000001 00000000 52454d42 00ffffff"))
    let expected = ReceiverEstimatedMaximumBitrate(senderSSRC: SSRC(1), bitrate: .max, sources: [])
    #expect(parsed == [.receiverEstimatedMaximumBitrate(expected)])
  }

  @Test func roundTripTimeFollowsTheExampleOfTheRFC() {
    // RFC 3550 figure 2: A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 0x0005:4000, delay = 6.125 s.
    let block = ReportBlock(
      ssrc: SSRC(1), lastSenderReport: 0xb705_2000, delaySinceLastSenderReport: 0x0005_4000)
    let now = NTPTimestamp(bits: 0xb44d_b710_8000_0000)
    #expect(block.roundTripTime(now: now) == .milliseconds(6_125))
    #expect(block.roundTripTime(now: NTPTimestamp(bits: 0xb44d_b705_8000_0000)) == nil)
    #expect(ReportBlock(ssrc: SSRC(1)).roundTripTime(now: now) == nil)
  }

  @Test func canonicalNameIsFound() {
    #expect(SourceDescription.Chunk(ssrc: SSRC(1), canonicalName: "x").canonicalName == "x")
    #expect(SourceDescription.Chunk(ssrc: SSRC(1), items: [.init(type: 1, value: [0xff])]).canonicalName == nil)
  }

  @Test func damagedCompoundsNeverTrap() throws {
    for bytes in mutations(of: RTCPCompound.serialize(Self.samples), count: 20_000, seed: 4) {
      _ = try? parse(bytes)
    }
    for packet in Self.samples {
      for bytes in mutations(of: RTCPCompound.serialize([packet]), count: 2_000, seed: 5) { _ = try? parse(bytes) }
    }
  }
}
