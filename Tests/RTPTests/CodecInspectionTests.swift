import Primitives
import RTP
import Testing

@Suite struct CodecInspectionTests {
  @Test(arguments: [
    // VP8: S and PID 0, then the frame tag; its lowest bit is 0 in a keyframe (RFC 7741 §4.3).
    (VideoCodec.vp8, "10 50", true),
    (.vp8, "10 51", false),
    (.vp8, "00 50", false),
    (.vp8, "11 50", false),
    (.vp8, "90 e0 8001 05 40 50", true),
    (.vp8, "90 80 01 50", true),
    (.vp8, "90 80 8001", false),
    // VP9: B without P, on the lowest spatial layer.
    (.vp9, "88 01 82", true),
    (.vp9, "c8 01 82", false),
    (.vp9, "80 01 82", false),
    (.vp9, "a8 01 00 05 82", true),
    (.vp9, "a8 01 02 05 82", false),
    (.vp9, "88 01", false),
    // H.264: a sequence parameter set, alone, aggregated or fragmented.
    (.h264, "67 42", true),
    (.h264, "65 88", false),
    (.h264, "61 88", false),
    (.h264, "78 0002 6742 0002 68ce 0002 6588", true),
    (.h264, "78 0002 68ce 0002 6742", true),
    (.h264, "78 0002 68ce 0002 6588", false),
    (.h264, "78 0000 6742", false),
    (.h264, "78 0009 6742", false),
    (.h264, "7c 87 42", true),
    (.h264, "7c 07 42", false),
    (.h264, "7c 85 42", false),
    // AV1: N, or a sequence header with a key frame.
    (.av1, "18 0a0b", true),
    (.av1, "98 0a0b", false),
    (.av1, "10 3010", false),
    (.av1, "20 02 08aa 3010", true),
    (.av1, "20 02 08aa 3030", false),
    (.av1, "20 02 08aa 3090", false),
    (.av1, "10 08aa", false),
    (.av1, "08", false),
  ])
  func keyframeStartIsRecognised(codec: VideoCodec, payload: String, expected: Bool) throws {
    #expect(withBytes(try hex(payload)) { codec.isKeyframeStart($0) } == expected)
  }

  @Test func vp8FieldsAndTheirPlacesAreFound() throws {
    let descriptor = try withBytes(try hex("b0 f0 9234 07 a5 50")) { bytes in
      try VP8Descriptor(parsing: bytes)
    }
    #expect(descriptor.length == 6)
    #expect(descriptor.isNonReference)
    #expect(descriptor.pictureID == 0x1234)
    #expect(descriptor.pictureIDBits == 15)
    #expect(descriptor.pictureIDOffset == 2)
    #expect(descriptor.baseLayerIndex == 7)
    #expect(descriptor.baseLayerIndexOffset == 4)
    #expect(descriptor.hasTemporalLayer)
    #expect(descriptor.temporalLayer == 2)
    #expect(descriptor.isLayerSync)
    #expect(descriptor.keyframeIndex == 5)
    #expect(descriptor.temporalLayerOffset == 5)
  }

  @Test func keyframeIndexWithoutTemporalLayerLeavesTheLayerOut() throws {
    let descriptor = try withBytes(try hex("90 10 e3 50")) { bytes in
      try VP8Descriptor(parsing: bytes)
    }
    #expect(!descriptor.hasTemporalLayer)
    #expect(descriptor.temporalLayer == 0)
    #expect(!descriptor.isLayerSync)
    #expect(descriptor.keyframeIndex == 3)
  }

  @Test(arguments: [
    ("90 e0 8001 05 40 50", "90 e0 fabc 99 40 50"),
    ("90 e0 01 05 40 50", "90 e0 3c 99 40 50"),
    ("90 20 40 50", "90 20 40 50"),
    ("10 50", "10 50"),
  ])
  func vp8RewritingKeepsTheShape(before: String, after: String) throws {
    var payload = try hex(before)
    try payload.withUnsafeMutableBytes { memory in
      let descriptor = try VP8Descriptor(parsing: UnsafeRawBufferPointer(memory))
      guard let base = memory.baseAddress else { return }
      descriptor.rewrite(base, pictureID: 0x7abc, baseLayerIndex: 0x99)
    }
    #expect(payload == (try hex(after)))
  }

  @Test func vp9FieldsAndStructureAreFound() throws {
    // Layers T2 S1 with U and D, TL0PICIDX 9; two spatial layers with sizes, one picture with two references.
    let text = "aa 8123 53 09 38 0140 00f0 0280 01e0 01 48 01 02 82"
    let descriptor = try withBytes(try hex(text)) { bytes in try VP9Descriptor(parsing: bytes) }
    #expect(descriptor.length == 18)
    #expect(descriptor.pictureID == 0x123)
    #expect(descriptor.temporalLayer == 2)
    #expect(descriptor.isSwitchingUpPoint)
    #expect(descriptor.spatialLayer == 1)
    #expect(descriptor.isInterLayerPredicted)
    #expect(descriptor.baseLayerIndex == 9)
    #expect(descriptor.baseLayerIndexOffset == 4)
    #expect(descriptor.spatialLayerCount == 2)
    #expect(descriptor.width == 320)
    #expect(descriptor.height == 240)
  }

  @Test func vp9FlexibleModeNamesAtMostThreeReferences() throws {
    let three = try withBytes(try hex("d8 01 03 05 06 82")) { bytes in
      try VP9Descriptor(parsing: bytes)
    }
    #expect(three.length == 5)
    #expect(throws: RTPError.malformed) {
      try withBytes([0xd8, 0x01, 0x03, 0x05, 0x07, 0x08, 0x82]) { bytes in
        try VP9Descriptor(parsing: bytes)
      }
    }
  }

  @Test func av1ElementsFollowTheCount() throws {
    let counted = try withBytes(try hex("20 02 08aa 3010ff")) { bytes in
      try #require(AV1Payload(bytes)).map(Array.init)
    }
    #expect(counted == [[0x08, 0xaa], [0x30, 0x10, 0xff]])
    let prefixed = try withBytes(try hex("00 02 08aa 03 3010ff")) { bytes in
      try #require(AV1Payload(bytes)).map(Array.init)
    }
    #expect(prefixed == counted)
  }

  @Test(arguments: VideoCodec.allCases)
  func codecIsFoundByItsNameInAnyCase(codec: VideoCodec) {
    #expect(VideoCodec(name: codec.name.lowercased()) == codec)
    #expect(VideoCodec(name: codec.name.uppercased()) == codec)
  }

  @Test func audioCodecIsFoundByItsName() {
    #expect(AudioCodec(name: "OPUS") == .opus)
    #expect(AudioCodec(name: "telephone-event") == .telephoneEvent)
    #expect(AudioCodec(name: "speex") == nil)
  }

  @Test(arguments: [
    ("90 e0 8001 05 40 50"), ("aa 8123 53 09 38 0140 00f0 0280 01e0 01 48 01 02 82"),
    ("78 0002 6742 0002 68ce 0002 6588"), ("20 02 08aa 3010ff"),
  ])
  func damagedPayloadsNeverTrap(text: String) throws {
    for bytes in mutations(of: try hex(text), count: 10_000, seed: 3) {
      withBytes(bytes) { payload in
        for codec in VideoCodec.allCases { _ = codec.isKeyframeStart(payload) }
      }
    }
  }
}
