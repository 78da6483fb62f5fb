import Archive
import Primitives
import RTP
import Testing

/// What the clips do not have: spatial layers, odd sizes, parameter sets of their own, senders that break rules.
@Suite struct DepacketizerTests {
  private func frames(
    _ codec: VideoCodec, _ payloads: [(timestamp: UInt32, marker: Bool, bytes: [UInt8])]
  ) -> [CodedFrame] {
    var assembler = FrameAssembler(format: .video(codec))
    return assembler.receiveAll(
      payloads.enumerated().map { index, payload in
        RecordedPacket(
          format: .video(codec), ssrc: SSRC(1), sequence: Int64(index), rtpTimestamp: payload.timestamp,
          marker: payload.marker, arrival: .testStart, payload: payload.bytes)
      }
    ).frames
  }

  /// The start of a VP9 key frame of profile 0: sync code, colour, size.
  private func vp9KeyFrame(width: Int, height: Int) -> [UInt8] {
    var bits = "10000010" + "010010011000001101000010" + "0010"
    for side in [width - 1, height - 1] { bits += String(side + 65_536, radix: 2).suffix(16) }
    bits += String(repeating: "0", count: 4)
    return stride(from: 0, to: bits.count, by: 8).compactMap { UInt8(bits.dropFirst($0).prefix(8), radix: 2) }
  }

  @Test func vp9FlexibleModeHasReferencesBeforeTheStructure() throws {
    let frame = vp9KeyFrame(width: 64, height: 48)
    let key = frames(.vp9, [(1, true, [0b1001_1100, 0x05] + frame)])
    #expect(key.map(\.bytes) == [frame] && key.first?.format.width == 64 && key.first?.format.height == 48)
    let both = frames(
      .vp9, [(1, true, [0b1001_1100, 0x05] + frame), (2, true, [0b1101_1100, 0x06, 0x03, 0x02] + [0x86, 1, 2])])
    #expect(both.map(\.bytes) == [frame, [0x86, 1, 2]] && both.last?.isKeyframe == false)
  }

  private static let sps: [UInt8] = [0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe8, 0x40]
  private static let pps: [UInt8] = [0x68, 0xce, 0x3c, 0x80]
  private static let idr: [UInt8] = [0x65, 0x88, 0x84, 0x00]

  private func prefixed(_ unit: [UInt8]) -> [UInt8] { [0, 0, 0, UInt8(unit.count)] + unit }

  private func aggregate(_ units: [[UInt8]]) -> [UInt8] {
    [0x78] + units.flatMap { [0, UInt8($0.count)] + $0 }
  }

  @Test func h264ParameterSetsMayComeBeforeThePicture() {
    let result = frames(.h264, [(1, true, Self.sps), (1, true, Self.pps), (2, true, Self.idr)])
    #expect(result.isEmpty, "the second of two with one timestamp is behind a marker")
    let apart = frames(.h264, [(1, false, Self.sps), (1, true, Self.pps), (2, true, Self.idr)])
    #expect(apart.map(\.bytes) == [prefixed(Self.idr)] && apart.map(\.rtpTime) == [2])
    guard case .h264(let sequence, let picture) = apart.first?.format.codec else {
      Issue.record("no format")
      return
    }
    #expect(sequence == [Self.sps] && picture == [Self.pps])
    #expect(apart.first?.format.width == 1_280 && apart.first?.format.height == 720)
  }

  @Test func h264DelimitersAndFillerAreLeftOut() {
    let message: [UInt8] = [0x06, 0x05, 0x01, 0x80]
    let units = [[0x09, 0x10], Self.sps, Self.pps, message, [0x0c, 0xff], Self.idr]
    let result = frames(.h264, [(1, true, aggregate(units))])
    #expect(result.map(\.bytes) == [prefixed(message) + prefixed(Self.idr)])
  }

  @Test(
    arguments: [
      // An IDR picture without parameter sets, one whose first slice is missing, an interleaved mode, a torn aggregate.
      [[0x65, 0x88]], [sps, pps, [0x65, 0x42]], [[0x39, 0, 0, 0x65]], [[0x78, 0, 9, 0x65]],
      // A fragment without its beginning, and one without its end.
      [sps, pps, [0x7c, 0x45, 1]], [sps, pps, [0x7c, 0x85, 0x88]],
    ] as [[[UInt8]]])
  func h264WithoutAWholePictureGivesNone(payloads: [[UInt8]]) {
    let last = payloads.count - 1
    #expect(frames(.h264, payloads.enumerated().map { (1, $0 == last, $1) }).isEmpty)
  }

  @Test func av1FragmentsAndSizesInsideElements() throws {
    let clip = try MediaClip(.av1)
    let sequence = Array(clip.recorded[0].prefix(Int(clip.recorded[0][1]) + 2))
    // A key frame OBU with its size on the wire, then one that goes over three packets without a count of elements.
    let body: [UInt8] = [0x10] + (0..<40).map { UInt8($0) }
    let withSize: [UInt8] = [0x32, UInt8(body.count)] + body
    let bare: [UInt8] = [0x30] + body
    let result = frames(
      .av1,
      [
        (1, false, [0b0010_1000] + [UInt8(sequence.count)] + sequence + withSize),
        (1, false, [0b0101_0000] + bare[..<10]),
        (1, false, [0b1101_0000] + bare[10..<20]),
        (1, true, [0b1001_0000] + bare[20...]),
      ])
    #expect(result.map(\.bytes) == [sequence + withSize + withSize])
    #expect(result.first?.format == TrackFormat(codec: .av1(sequenceHeader: sequence), width: 320, height: 180))
  }

  @Test(
    arguments: [
      [0b0000_1000, 5, 0x32], [0b0010_1000, 1], [0b1001_0000, 1, 2], [0b0100_1000, 2, 0x30, 0x10], [0b0001_1000, 0x36],
    ] as [[UInt8]])
  func av1WithoutAWholeUnitGivesNothing(payload: [UInt8]) {
    #expect(frames(.av1, [(1, true, payload)]).isEmpty)
  }

  @Test func pictureIsBounded() {
    let part = [UInt8](repeating: 0xff, count: 60_000)
    let key: [UInt8] = [0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0]
    for (count, fits) in [(69, true), (70, false)] {
      let parts = (0..<count).map { (UInt32(1), $0 == count - 1, [0x00] + part) }
      #expect(frames(.vp8, [(1, false, key)] + parts).isEmpty != fits)
    }
  }
}
