import Archive
import Primitives
import RTP

/// A peer that sends one track of tiny pictures or sound packets and reports its clock.
struct SimulatedTrack {
  let kind: TrackKind
  let ssrc: SSRC
  /// Ticks from frame to frame, and per second.
  var ticks: UInt32
  let clockRate: UInt32
  var width: UInt8 = 64
  /// Frames from keyframe to keyframe.
  var keyframeInterval = 30
  /// RTP timestamp of what was taken at ``UTCTime/testStart``.
  var origin: UInt32 = 0xffff_0000
  private(set) var sequence: Int64 = 100

  static func audio(ssrc: UInt32 = 1) -> SimulatedTrack {
    SimulatedTrack(kind: .audio, ssrc: SSRC(ssrc), ticks: 960, clockRate: 48_000)
  }

  static func video(ssrc: UInt32 = 2, width: UInt8 = 64) -> SimulatedTrack {
    SimulatedTrack(kind: .video, ssrc: SSRC(ssrc), ticks: 3_000, clockRate: 90_000, width: width)
  }

  private init(kind: TrackKind, ssrc: SSRC, ticks: UInt32, clockRate: UInt32, width: UInt8 = 64) {
    self.kind = kind
    self.ssrc = ssrc
    self.ticks = ticks
    self.clockRate = clockRate
    self.width = width
  }

  /// When frame `index` is taken.
  func time(of index: Int) -> UTCTime {
    .testStart + .microseconds(Int64(index) * Int64(ticks) * 1_000_000 / Int64(clockRate))
  }

  /// By how much what comes `delay` after it began to be taken was delayed at least: sound had to be taken whole.
  func leastDelay(_ delay: TimeInterval64) -> TimeInterval64 {
    kind == .audio ? delay - .milliseconds(20) : delay
  }

  /// The packets of frame `index`, three for a picture, one for sound.
  mutating func packets(_ index: Int, delay: TimeInterval64 = .milliseconds(40), isKeyframe: Bool? = nil)
    -> [RecordedPacket]
  {
    let payloads: [[UInt8]]
    let number = [UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8)]
    switch kind {
    case .audio: payloads = [[0x78] + number]
    case .video:
      let isKey = isKeyframe ?? (index % keyframeInterval == 0)
      let head: [UInt8] = isKey ? [0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, width, 0, width, 0] : [0x10, 0x11]
      payloads = [head + number, [0x00] + number, [0x00] + number]
    }
    return payloads.enumerated().map { part, payload in
      defer { sequence += 1 }
      return RecordedPacket(
        format: kind == .audio ? .opus : .video(.vp8), ssrc: ssrc, sequence: sequence,
        rtpTimestamp: origin &+ UInt32(truncatingIfNeeded: index) &* ticks, marker: part == payloads.count - 1,
        arrival: time(of: index) + delay, payload: payload)
    }
  }

  /// A report about `time`, by a clock that is 1,000 s fast.
  func report(at time: UTCTime, delay: TimeInterval64 = .milliseconds(30)) -> RecordedReport {
    let passed = (time - .testStart).nanoseconds
    let stamp = origin &+ UInt32(truncatingIfNeeded: passed * Int64(clockRate) / 1_000_000_000)
    let ntp = NTPTimestamp(unixNanoseconds: UInt64(time.microseconds + 1_000_000_000) * 1_000)
    return RecordedReport(ssrc: ssrc, rtpTimestamp: stamp, ntpTime: ntp, arrival: time + delay)
  }
}

extension [TrackOutput] {
  var fragments: [(fragment: MediaFragment, beginsSegment: Bool, layer: ManifestEntry.Layer?)] {
    compactMap {
      guard case .fragment(let fragment, let begins, let layer) = $0 else { return nil }
      return (fragment, begins, layer)
    }
  }

  var frames: [MediaFrame] { fragments.flatMap(\.fragment.frames) }

  var gaps: [ManifestEntry.Gap] {
    compactMap { if case .gap(let gap) = $0 { gap } else { nil } }
  }

  var requests: [SSRC] {
    compactMap { if case .keyframeWanted(let ssrc) = $0 { ssrc } else { nil } }
  }
}

extension TrackRecorder {
  init(_ kind: TrackKind, encodings: [String] = []) {
    guard let track = TrackID("camera-1") else { preconditionFailure("the name is not accepted") }
    self.init(track: track, kind: kind, encodings: encodings)
  }

  mutating func receiveAll(_ packets: [RecordedPacket], encoding: Int = 0, clock: PeerClock = PeerClock())
    -> [TrackOutput]
  {
    packets.reduce(into: []) { outputs, packet in
      outputs += receive(packet, encoding: encoding, clock: clock)
      outputs += advance(to: packet.arrival, clock: clock)
    }
  }
}
