import Archive
import Primitives
import RTP

/// The first byte chooses the codec; each part is a packet: steps of sequence number, timestamp and arrival, flags, and
/// the payload.
func fuzzFrames(_ bytes: UnsafeRawBufferPointer) {
  guard let first = bytes.first, let track = TrackID("fuzz") else { return }
  let formats: [RecordedPacket.Format] = [
    .video(.h264), .video(.vp8), .video(.vp9), .video(.av1), .opus, .red,
  ]
  let format = formats[Int(first) % formats.count]
  var recorder = TrackRecorder(track: track, kind: format.kind)
  var clock = PeerClock()
  var last: UTCTime?
  var sender = FuzzSender(format: format)
  for part in Parts(UnsafeRawBufferPointer(rebasing: bytes.dropFirst())) {
    guard let packet = sender.packet(part) else { continue }
    if part[3] & 0x08 != 0 {
      let report = RecordedReport(
        ssrc: packet.ssrc, rtpTimestamp: packet.rtpTimestamp, ntpTime: NTPTimestamp(bits: UInt64(part[1]) << 30),
        arrival: packet.arrival)
      clock.update(report)
      _ = recorder.receive(report, clock: clock)
    }
    let outputs = recorder.receive(packet, encoding: Int(part[3] >> 4 & 3), clock: clock)
    check(outputs, &last)
    check(recorder.advance(to: packet.arrival, clock: clock), &last)
  }
  check(recorder.end(at: sender.now, clock: clock), &last)
}

/// Frames of a track never overlap, and each has bytes.
private func check(_ outputs: [TrackOutput], _ last: inout UTCTime?) {
  for case .fragment(let fragment, _, _) in outputs {
    require(!fragment.frames.isEmpty, "a fragment without frames")
    for frame in fragment.frames {
      require(!frame.bytes.isEmpty && frame.duration >= .zero, "a frame of nothing")
      require(last.map { $0 <= frame.time } ?? true, "time runs backwards")
      last = frame.time + frame.duration
    }
  }
}

private struct FuzzSender {
  let format: RecordedPacket.Format
  var now = UTCTime(seconds: 1_790_000_000)
  private var sequence: Int64 = 1_000
  private var timestamp: UInt32 = 0xffff_0000

  init(format: RecordedPacket.Format) { self.format = format }

  /// Nil for a part that is too short.
  mutating func packet(_ part: UnsafeRawBufferPointer) -> RecordedPacket? {
    guard part.count >= 4 else { return nil }
    sequence += Int64(Int8(bitPattern: part[0]))
    timestamp &+= UInt32(truncatingIfNeeded: Int(Int8(bitPattern: part[1])) * 960)
    now = now + .milliseconds(Int64(part[2]))
    return RecordedPacket(
      format: format, ssrc: SSRC(UInt32(part[3] >> 6)), sequence: sequence, rtpTimestamp: timestamp,
      marker: part[3] & 1 != 0, rotation: part[3] & 2 != 0 ? 90 : nil, arrival: now, payload: Array(part.dropFirst(4)))
  }
}
