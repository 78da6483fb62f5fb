import Archive
import Primitives
import RTP
import Testing

/// Spatial layers of a picture: one superframe, of which a decoder shows the highest layer alone.
@Suite struct VP9LayerTests {
  /// The clip's pictures, each as the frames of its layers.
  private let pictures: [[[UInt8]]]

  init() throws {
    pictures = try MediaClip.frames(of: "vp9-layers").map(Self.layers)
  }

  /// A superframe's frames, by its index (VP9 bitstream specification annex B).
  private static func layers(_ superframe: [UInt8]) -> [[UInt8]] {
    guard let marker = superframe.last, marker & 0xe0 == 0xc0 else { return [superframe] }
    let (count, width) = (Int(marker & 7) + 1, Int(marker >> 3 & 3) + 1)
    let index = superframe.suffix(2 + count * width)
    guard index.first == marker else { return [superframe] }
    var rest = superframe[...]
    return (0..<count).map { layer in
      let bytes = index.dropFirst(1 + layer * width).prefix(width)
      let size = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
      defer { rest = rest.dropFirst(size) }
      return Array(rest.prefix(size))
    }
  }

  /// Pictures that need no other.
  private static let keyframes = [0, 10]

  /// What is sent of the pictures, a packet a layer, with those layers.
  private func record(_ layers: (_ picture: Int) -> [Int]) -> [CodedFrame] {
    var assembler = FrameAssembler(format: .video(.vp9))
    var packets: [RecordedPacket] = []
    for (number, picture) in pictures.enumerated() {
      let sent = layers(number)
      for layer in sent {
        let isInter: UInt8 = Self.keyframes.contains(number) ? 0 : 0x40
        // Picture id, layers, begin and end of a layer frame; the layer in its place; the base layer index.
        let descriptor = [0b1010_1100 | isInter, UInt8(number), UInt8(layer << 1), 0]
        packets.append(
          RecordedPacket(
            format: .video(.vp9), ssrc: SSRC(1), sequence: Int64(packets.count), rtpTimestamp: UInt32(number) * 3_000,
            marker: layer == sent.last, arrival: .testStart, payload: descriptor + picture[layer]))
      }
    }
    return assembler.receiveAll(packets).frames
  }

  /// Whether a frame is marked as shown (§6.2).
  private func isShown(_ frame: [UInt8]) -> Bool { frame[0] & 0x02 != 0 }

  @Test func layersOfOneMomentAreOneFrameThatShowsTheHighest() {
    let frames = record { _ in [0, 1] }
    #expect(frames.map(\.rtpTime) == (0..<12).map { $0 * 3_000 })
    #expect(frames.map(\.isKeyframe) == (0..<12).map(Self.keyframes.contains))
    for (frame, sent) in zip(frames, pictures) {
      let kept = Self.layers(frame.bytes)
      #expect(kept.map(isShown) == [false, true])
      #expect(sent.map(isShown) == [true, true], "as it was sent")
      #expect(kept[1] == sent[1])
      // One bit more, in a header that is filled up to a whole byte.
      #expect(kept[0].count - sent[0].count <= 1)
    }
  }

  @Test func sizeIsThatOfTheHighestLayerThatCame() {
    #expect(record { _ in [0, 1] }.first?.format.width == 640)
    #expect(record { _ in [0, 1] }.first?.format.height == 360)
    #expect(record { _ in [0] }.first?.format.width == 320)
  }

  @Test func whatComesOfALowerLayerAloneIsShown() {
    let frames = record { $0 < 4 ? [0, 1] : [0] }
    #expect(frames.count == 12)
    for frame in frames { #expect(Self.layers(frame.bytes).last.map(isShown) == true) }
    #expect(frames[5].bytes == pictures[5][0])
  }

  @Test func aLayerThatCannotBeReadIsALoss() {
    var assembler = FrameAssembler(format: .video(.vp9))
    let payloads: [(UInt32, Bool, [UInt8])] = [
      (0, false, [0b1010_1100, 0, 0, 0] + pictures[0][0]), (0, true, [0b1010_1100, 0, 2, 0] + pictures[0][1]),
      // An inter frame whose header ends at once, below another one.
      (3_000, false, [0b1110_1100, 1, 0, 0, 0x86]), (3_000, true, [0b1110_1100, 1, 2, 0] + pictures[1][1]),
    ]
    let events = assembler.receiveAll(
      payloads.enumerated().map { number, payload in
        RecordedPacket(
          format: .video(.vp9), ssrc: SSRC(1), sequence: Int64(number), rtpTimestamp: payload.0, marker: payload.1,
          arrival: .testStart, payload: payload.2)
      })
    #expect(events.frames.count == 1)
    #expect(events.losses.count == 1)
    #expect(assembler.needsKeyframe)
  }
}
