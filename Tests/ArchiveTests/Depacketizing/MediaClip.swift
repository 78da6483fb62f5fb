import Archive
import Foundation
import Primitives
import RTP
import Testing

/// A clip of `fixtures/codecs`, cut into packets as a sender would.
struct MediaClip: Sendable {
  enum Name: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case h264
    case vp8
    case vp9
    case av1
    case opus

    var testDescription: String { rawValue }

    static let video: [Name] = [.h264, .vp8, .vp9, .av1]
  }

  let name: Name
  /// As the encoder made them.
  let frames: [[UInt8]]
  let format: RecordedPacket.Format
  /// RTP ticks from frame to frame.
  let ticks: UInt32

  init(_ name: Name) throws {
    self.name = name
    frames = try Self.frames(of: name.rawValue)
    format =
      switch name {
      case .h264: .video(.h264)
      case .vp8: .video(.vp8)
      case .vp9: .video(.vp9)
      case .av1: .video(.av1)
      case .opus: .opus
      }
    ticks = name == .opus ? 960 : 6_000
  }

  /// What a file of `fixtures/codecs` holds.
  static func frames(of name: String) throws -> [[UInt8]] {
    let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let data = [UInt8](try Data(contentsOf: folder.appendingPathComponent("fixtures/codecs/\(name).ivf")))
    var frames: [[UInt8]] = []
    var offset = 32
    while offset + 12 <= data.count {
      let length = data[offset..<(offset + 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
      frames.append(Array(data[(offset + 12)..<(offset + 12 + length)]))
      offset += 12 + length
    }
    return frames
  }

  /// The frames in the form in which files hold them.
  var recorded: [[UInt8]] {
    frames.map { frame in
      switch name {
      case .vp8, .vp9, .opus: return frame
      case .av1: return Array(frame.dropFirst(2))
      case .h264:
        let units = frame.withUnsafeBytes { H264AccessUnit.units(of: $0, framing: .annexB) }
        return units.filter { ![7, 8, 9].contains($0[0] & 0x1f) }.reduce(into: []) { bytes, unit in
          bytes += (0..<4).map { UInt8(truncatingIfNeeded: unit.count >> (24 - 8 * $0)) } + unit
        }
      }
    }
  }

  /// Whether the frame with that number is a keyframe.
  func isKeyframe(_ index: Int) -> Bool { name == .opus || index % 15 == 0 }

  /// All packets, each arriving `delay` after its frame was taken; the first frame is taken at `start`.
  func packets(
    maximumPayloadSize: Int = 400, ssrc: SSRC = SSRC(1), firstSequence: Int64 = 65_530,
    firstTimestamp: UInt32 = 0xffff_f000, start: UTCTime = .testStart, delay: TimeInterval64 = .milliseconds(50)
  ) -> [RecordedPacket] {
    var packetizer = makePacketizer(maximumPayloadSize)
    var packets: [RecordedPacket] = []
    for (index, frame) in frames.enumerated() {
      let payloads = frame.withUnsafeBytes { packetizer.packetize($0) }
      let offset = Int64(index) * Int64(ticks) * 1_000_000 / Int64(format.clockRate)
      for (part, payload) in payloads.enumerated() {
        packets.append(
          RecordedPacket(
            format: format, ssrc: ssrc, sequence: firstSequence + Int64(packets.count),
            rtpTimestamp: firstTimestamp &+ UInt32(index) &* ticks, marker: part == payloads.count - 1,
            arrival: start + .microseconds(offset) + delay, payload: payload))
      }
    }
    return packets
  }

  private func makePacketizer(_ size: Int) -> any Packetizer {
    switch name {
    case .h264: H264Packetizer(maximumPayloadSize: size)
    case .vp8: VP8Packetizer(maximumPayloadSize: size)
    case .vp9: VP9Packetizer(maximumPayloadSize: size)
    case .av1: AV1Packetizer(maximumPayloadSize: size)
    case .opus: OpusPacketizer(maximumPayloadSize: size)
    }
  }
}

extension UTCTime {
  /// When tests begin.
  static let testStart = UTCTime(seconds: 1_790_000_000)
}

extension [FrameAssembler.Event] {
  var frames: [CodedFrame] {
    compactMap { if case .frame(let frame) = $0 { frame } else { nil } }
  }

  var losses: [FrameAssembler.Loss] {
    compactMap { if case .lost(let loss) = $0 { loss } else { nil } }
  }
}

extension FrameAssembler {
  mutating func receiveAll(_ packets: [RecordedPacket]) -> [Event] {
    packets.reduce(into: []) { $0 += receive($1) }
  }
}
