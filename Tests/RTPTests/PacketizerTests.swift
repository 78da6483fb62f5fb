import Primitives
import RTP
import Testing

@Suite struct PacketizerTests {
  private func payloads(_ packetizer: inout some Packetizer, _ frame: [UInt8]) -> [[UInt8]] {
    withBytes(frame) { packetizer.packetize($0) }
  }

  /// Bytes that look like no start code.
  private func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = RandomSource.seeded(seed)
    return (0..<count).map { _ in UInt8.random(in: 4...255, using: &random) }
  }

  @Test(arguments: [1, 93, 94, 95, 500, 5_000])
  func vp8FrameIsCutAndJoined(size: Int) throws {
    var packetizer = VP8Packetizer(maximumPayloadSize: 100, firstPictureID: 0x7fff)
    let frame = [0x10] + noise(size - 1)
    let parts = payloads(&packetizer, frame)
    var joined: [UInt8] = []
    for (index, part) in parts.enumerated() {
      #expect(part.count <= 100)
      let descriptor = try withBytes(part) { try VP8Descriptor(parsing: $0) }
      #expect(descriptor.startsFrame == (index == 0))
      #expect(descriptor.isKeyframeStart == (index == 0))
      #expect(descriptor.pictureID == 0x7fff)
      #expect(descriptor.baseLayerIndex == 1)
      joined += part.dropFirst(descriptor.length)
    }
    #expect(joined == frame)
    #expect(Set(parts.dropLast().map(\.count)).count <= 1)
    let next = payloads(&packetizer, frame)
    #expect(try withBytes(next[0]) { try VP8Descriptor(parsing: $0) }.pictureID == 0)
  }

  @Test(arguments: [(UInt8(0x82), true), (0x86, false), (0x8a, false), (0xb0, true), (0xb2, false)])
  func vp9FrameIsCutAndJoined(firstByte: UInt8, isKeyframe: Bool) throws {
    var packetizer = VP9Packetizer(maximumPayloadSize: 100)
    let frame = [firstByte] + noise(999)
    let parts = payloads(&packetizer, frame)
    var joined: [UInt8] = []
    for (index, part) in parts.enumerated() {
      #expect(part.count <= 100)
      let descriptor = try withBytes(part) { try VP9Descriptor(parsing: $0) }
      #expect(descriptor.startsFrame == (index == 0))
      #expect(descriptor.endsFrame == (index == parts.count - 1))
      #expect(descriptor.isKeyframeStart == (index == 0 && isKeyframe))
      joined += part.dropFirst(descriptor.length)
    }
    #expect(joined == frame)
  }

  /// The units of H.264 payloads (RFC 6184 §5.6 to §5.8).
  private func units(_ payloads: [[UInt8]]) -> [[UInt8]] {
    var units: [[UInt8]] = []
    for payload in payloads {
      switch payload[0] & 0x1f {
      case 24:
        var rest = payload.dropFirst()
        while rest.count > 2 {
          let size = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
          units.append(Array(rest.dropFirst(2).prefix(size)))
          rest = rest.dropFirst(2 + size)
        }
      case 28:
        if payload[1] & 0x80 != 0 { units.append([payload[0] & 0xe0 | payload[1] & 0x1f]) }
        units[units.count - 1] += payload.dropFirst(2)
      default: units.append(payload)
      }
    }
    return units
  }

  @Test func h264KeyframeIsAggregatedAndFragmented() {
    let (sps, pps) = ([0x67, 0x42, 0xc0] as [UInt8], [0x68, 0xce] as [UInt8])
    let (idr, slice) = ([0x65] + noise(1_000), [0x41] + noise(50))
    var packetizer = H264Packetizer(maximumPayloadSize: 300)
    let codes: [UInt8] = [0, 0, 0, 1]
    let frame = codes + [0x09, 0xf0] + codes + sps + codes + pps + codes.dropFirst() + idr + codes + slice
    let parts = payloads(&packetizer, frame)
    #expect(parts.allSatisfy { $0.count <= 300 })
    #expect(parts.map { $0[0] & 0x1f } == [24, 28, 28, 28, 28, 1])
    #expect(parts.map { part in withBytes(part) { VideoCodec.h264.isKeyframeStart($0) } }.filter { $0 }.count == 1)
    #expect(units(parts) == [sps, pps, idr, slice])
  }

  @Test func h264ParameterSetsAreAddedToAFileFrame() {
    var packetizer = H264Packetizer(maximumPayloadSize: 300, framing: .lengthPrefixed(bytes: 4))
    packetizer.parameterSets = [[0x67, 0x42], [0x68, 0xce]]
    let idr: [UInt8] = [0x65, 1, 2, 3]
    let parts = payloads(&packetizer, [0, 0, 0, 4] + idr)
    #expect(units(parts) == packetizer.parameterSets + [idr])
    let delta = payloads(&packetizer, [0, 0, 0, 2, 0x41, 9])
    #expect(delta == [[0x41, 9]])
  }

  @Test func av1UnitsAreAggregatedFragmentedAndJoined() throws {
    let sequenceHeader: [UInt8] = [0x0a, 3, 1, 2, 3]
    let body = noise(1_000)
    // A temporal delimiter, a sequence header and a frame, each with its size.
    let frame = [0x12, 0] + sequenceHeader + [0x32, 0xe8, 0x07] + body
    var packetizer = AV1Packetizer(maximumPayloadSize: 300)
    let parts = payloads(&packetizer, frame)
    var joined: [[UInt8]] = []
    for (index, part) in parts.enumerated() {
      #expect(part.count <= 300)
      try withBytes(part) { bytes in
        let payload = try #require(AV1Payload(bytes))
        #expect(payload.header.startsWithFragment == (index > 0))
        #expect(payload.header.endsWithFragment == (index < parts.count - 1))
        #expect(VideoCodec.av1.isKeyframeStart(bytes) == (index == 0))
        for (position, element) in payload.enumerated() {
          if position == 0, payload.header.startsWithFragment {
            joined[joined.count - 1] += element
          } else {
            joined.append(Array(element))
          }
        }
      }
    }
    #expect(joined == [[0x08, 1, 2, 3], [0x30] + body])
  }

  @Test(arguments: [
    ("78", 960 as UInt32), ("fc", 960), ("08", 960), ("18", 2_880), ("79", 1_920), ("7b03", 2_880), ("80", 120),
  ])
  func opusDurationFollowsTheContentsByte(packet: String, samples: UInt32) throws {
    #expect(withBytes(try hex(packet)) { OpusPacket.sampleCount($0) } == samples)
  }

  @Test(arguments: ["", "7b", "7b00", "7b3f"])
  func impossibleOpusPacketHasNoDuration(packet: String) throws {
    #expect(withBytes(try hex(packet)) { OpusPacket.sampleCount($0) } == nil)
  }

  @Test func opusIsNeverCut() {
    var packetizer = OpusPacketizer(maximumPayloadSize: 10)
    #expect(payloads(&packetizer, [1, 2, 3]) == [[1, 2, 3]])
    #expect(payloads(&packetizer, noise(11)).isEmpty)
  }

  @Test func nonsenseIsPacketizedIntoNothingOrSomethingSmall() {
    var random = RandomSource.seeded(6)
    // Few values, so that start codes and small lengths occur.
    let values: [UInt8] = [0, 0, 0, 1, 4, 0x67, 0x0a, 0xff]
    for _ in 0..<2_000 {
      let frame = (0..<Int.random(in: 0..<400, using: &random)).map { _ in
        values[Int.random(in: 0..<values.count, using: &random)]
      }
      var h264 = H264Packetizer(maximumPayloadSize: 100)
      var avcc = H264Packetizer(maximumPayloadSize: 100, framing: .lengthPrefixed(bytes: 2))
      var av1 = AV1Packetizer(maximumPayloadSize: 100)
      var vp8 = VP8Packetizer(maximumPayloadSize: 100)
      let all = payloads(&h264, frame) + payloads(&avcc, frame) + payloads(&av1, frame) + payloads(&vp8, frame)
      #expect(all.allSatisfy { (1...100).contains($0.count) })
    }
  }
}
