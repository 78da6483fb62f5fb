import Archive
import Primitives
import RTP
import Testing

@Suite struct TrackRecorderTests {
  private let clock = PeerClock()

  /// Records frames, and ends a frame's length after the last.
  private func record(
    _ track: SimulatedTrack, _ indices: some Sequence<Int>, losing isLost: (RecordedPacket) -> Bool = { _ in false }
  ) -> [TrackOutput] {
    var (track, recorder) = (track, TrackRecorder(track.kind))
    var outputs: [TrackOutput] = []
    var last = UTCTime.testStart
    for index in indices {
      let packets = track.packets(index)
      last = track.time(of: index + 1) + .milliseconds(40)
      outputs += recorder.receiveAll(packets.filter { !isLost($0) })
    }
    return outputs + recorder.end(at: last, clock: clock)
  }

  /// Frames and gaps must follow each other from the first to the last without overlap or anything between.
  private func expectCoverage(_ outputs: [TrackOutput], slack: TimeInterval64 = .zero) {
    let frames = outputs.frames.map { ($0.time, $0.time + $0.duration) }
    let gaps = outputs.gaps.map { ($0.start, $0.end) }
    let spans = (frames + gaps).sorted { $0.0 < $1.0 }
    for (span, next) in zip(spans, spans.dropFirst()) {
      #expect(span.1 <= next.0 && next.0 - span.1 <= slack, "\(span) then \(next)")
    }
  }

  @Test(arguments: [SimulatedTrack.audio(), .video()])
  func undisturbedTrackHasNoGaps(track: SimulatedTrack) {
    let outputs = record(track, 0..<300)
    #expect(outputs.gaps.isEmpty)
    #expect(outputs.frames.count == 300)
    expectCoverage(outputs)
    for (index, frame) in outputs.frames.enumerated() {
      #expect(frame.time == track.time(of: index) + track.leastDelay(.milliseconds(40)))
    }
  }

  @Test func keyframeBeginsAFragmentHoweverShortTheOneBefore() {
    var track = SimulatedTrack.video()
    track.keyframeInterval = 76
    for (fragment, _, _) in record(track, 0..<400).fragments {
      #expect(!fragment.frames.dropFirst().contains { $0.isKeyframe })
    }
  }

  @Test(arguments: [SimulatedTrack.audio(), .video()])
  func fragmentsAndSegmentsAreBounded(track: SimulatedTrack) {
    var track = track
    track.keyframeInterval = 75
    let outputs = record(track, 0..<(track.kind == .audio ? 7_000 : 4_200))
    for (fragment, begins, layer) in outputs.fragments {
      #expect(fragment.end - fragment.start <= .milliseconds(500))
      #expect(!begins || fragment.startsWithKeyframe)
      #expect(layer == nil)
      // A keyframe begins a fragment, so that it can be jumped to.
      if track.kind == .video { #expect(!fragment.frames.dropFirst().contains { $0.isKeyframe }) }
    }
    let starts = outputs.fragments.filter(\.beginsSegment).map { $0.fragment.start - outputs.frames[0].time }
    #expect(starts == [.zero, .milliseconds(60_000), .milliseconds(120_000)])
  }

  @Test func segmentWaitsForAKeyframe() {
    var track = SimulatedTrack.video()
    track.keyframeInterval = 2_000
    let outputs = record(track, 0..<2_100)
    #expect(
      outputs.fragments.filter(\.beginsSegment).map { $0.fragment.frames[0].time }
        == [0, 2_000].map {
          track.time(of: $0) + .milliseconds(40)
        })
    // From 5 s on one is asked for, once a second while none comes.
    #expect((60...64).contains(outputs.requests.count))
  }

  @Test(arguments: [SimulatedTrack.audio(), .video()], [UInt64(1), 2, 3, 4, 5])
  func framesAndGapsCoverTheTime(track: SimulatedTrack, seed: UInt64) {
    var random = RandomSource.seeded(seed)
    let lost = Set((0..<10_000).filter { _ in random.next() % 50 == 0 }.map { Int64($0) })
    let outputs = record(track, 0..<1_000) { lost.contains($0.sequence) }
    #expect(outputs == record(track, 0..<1_000) { lost.contains($0.sequence) })
    expectCoverage(outputs)
    #expect(Set(outputs.gaps.map(\.reason)) == [.loss])
    let frames = outputs.frames
    let covered = frames.reduce(Int64(0)) { $0 + $1.duration.nanoseconds }
    let missing = outputs.gaps.reduce(Int64(0)) { $0 + ($1.end - $1.start).nanoseconds }
    let whole = (track.time(of: 1_000) - .testStart).nanoseconds
    #expect(abs(covered + missing - whole) < 40_000_000)
    if track.kind == .audio {
      #expect(outputs.gaps.allSatisfy { ($0.end - $0.start).nanoseconds % 20_000_000 == 0 })
    } else {
      let keyframes = Set(frames.filter(\.isKeyframe).map(\.time))
      let end = track.time(of: 1_000) + .milliseconds(40)
      #expect(outputs.gaps.allSatisfy { keyframes.contains($0.end) || $0.end == end })
    }
  }

  @Test func whatComesBeforeTheFirstKeyframeIsAGap() {
    let track = SimulatedTrack.video()
    let outputs = record(track, 12..<60)
    #expect(
      outputs.gaps.map { [$0.start, $0.end] } == [
        [track.time(of: 12) + .milliseconds(40), track.time(of: 30) + .milliseconds(40)]
      ])
    #expect(outputs.frames.count == 30)
    #expect(outputs.requests == [track.ssrc])
  }

  @Test(arguments: [SimulatedTrack.audio(), .video()])
  func pauseIsAGapAndBeginsASegment(track: SimulatedTrack) {
    let outputs = record(track, Array(0..<60) + Array(180..<240))
    #expect(outputs.gaps.map(\.reason) == [.pause])
    #expect(outputs.gaps.map(\.end) == [track.time(of: 180) + track.leastDelay(.milliseconds(40))])
    #expect(outputs.fragments.filter(\.beginsSegment).count == 2)
    expectCoverage(outputs)
  }

  @Test func shortSilenceIsPartOfTheFrameBefore() {
    // Discontinuous transmission: a packet each 400 ms (RFC 7587 §3.1.3).
    let outputs = record(.audio(), Array(0..<50) + [70, 90, 110] + Array(111..<150))
    #expect(outputs.gaps.isEmpty)
    #expect(outputs.fragments.filter(\.beginsSegment).count == 1)
    expectCoverage(outputs)
  }

  @Test func jumpOfTheTimestampBeginsASegment() {
    var track = SimulatedTrack.video()
    var recorder = TrackRecorder(.video)
    var outputs: [TrackOutput] = []
    for index in 0..<60 { outputs += recorder.receiveAll(track.packets(index)) }
    track.origin &-= 1_000_000_000
    for index in 60..<120 { outputs += recorder.receiveAll(track.packets(index)) }
    outputs += recorder.end(at: track.time(of: 120), clock: clock)
    #expect(outputs.frames.count == 120)
    #expect(outputs.gaps.isEmpty, "the sender went on without a break")
    #expect(outputs.fragments.filter(\.beginsSegment).count == 2)
    #expect(zip(outputs.frames, outputs.frames.dropFirst()).allSatisfy { $0.time < $1.time })
  }

  @Test func reconnectBeginsASegmentAndSaysSo() {
    var recorder = TrackRecorder(.video)
    var (first, second) = (SimulatedTrack.video(ssrc: 2), SimulatedTrack.video(ssrc: 3))
    second.origin = 77
    var outputs: [TrackOutput] = []
    for index in 0..<45 { outputs += recorder.receiveAll(first.packets(index)) }
    outputs += recorder.interrupt(reason: .reconnect, at: first.time(of: 70), clock: clock)
    for index in 90..<120 { outputs += recorder.receiveAll(second.packets(index)) }
    outputs += recorder.end(at: second.time(of: 120), clock: clock)
    #expect(outputs.gaps.map(\.reason) == [.reconnect])
    #expect(outputs.fragments.filter(\.beginsSegment).count == 2)
    #expect(outputs.frames.count == 75)
    expectCoverage(outputs)
  }

  @Test func newStreamOfTheSameEncodingReplacesTheOld() {
    var recorder = TrackRecorder(.video)
    var (first, second) = (SimulatedTrack.video(ssrc: 2), SimulatedTrack.video(ssrc: 3))
    second.origin = 77
    var outputs: [TrackOutput] = []
    for index in 0..<45 { outputs += recorder.receiveAll(first.packets(index)) }
    for index in 45..<90 { outputs += recorder.receiveAll(second.packets(index, isKeyframe: index == 45)) }
    outputs += recorder.end(at: second.time(of: 90), clock: clock)
    #expect(outputs.frames.count == 90)
    #expect(outputs.gaps.isEmpty)
  }

  @Test func overloadOutranksTheLossThatItCauses() {
    var recorder = TrackRecorder(.audio)
    var track = SimulatedTrack.audio()
    var outputs: [TrackOutput] = []
    for index in 0..<100 {
      let packets = track.packets(index)
      // It is known a little before the last packets that came through are taken.
      if index == 48 { outputs += recorder.interrupt(reason: .overload, at: packets[0].arrival, clock: clock) }
      if (50..<60).contains(index) { continue }
      outputs += recorder.receiveAll(packets)
    }
    outputs += recorder.end(at: track.time(of: 100) + .milliseconds(40), clock: clock)
    #expect(outputs.gaps.map(\.reason) == [.overload])
    expectCoverage(outputs)
  }

  @Test func endSaysWhatIsMissingBeforeIt() {
    var recorder = TrackRecorder(.audio)
    var track = SimulatedTrack.audio()
    var outputs = recorder.receiveAll(track.packets(0))
    outputs += recorder.end(at: track.time(of: 500), clock: clock)
    #expect(outputs.frames.count == 1)
    #expect(outputs.gaps.map(\.reason) == [.pause] && outputs.gaps.first?.end == track.time(of: 500))
  }

  @Test func nothingWaitsForMoreThanASecond() {
    var recorder = TrackRecorder(.video)
    var track = SimulatedTrack.video()
    var outputs: [TrackOutput] = []
    for index in 0..<10 { outputs += recorder.receiveAll(track.packets(index)) }
    let last = track.time(of: 9) + .milliseconds(40)
    outputs += recorder.advance(to: last + .milliseconds(500), clock: clock)
    #expect(outputs.frames.count == 9)
    outputs += recorder.advance(to: last + .milliseconds(1_000), clock: clock)
    outputs += recorder.advance(to: last + .milliseconds(1_100), clock: clock)
    #expect(outputs.frames.count == 10)
  }

  @Test func codecMayChangeWithinAStream() throws {
    let (vp8, h264) = (try MediaClip(.vp8), try MediaClip(.h264))
    let first = vp8.packets()
    let next = try #require(first.last)
    let second = h264.packets(
      firstSequence: next.sequence + 1, firstTimestamp: next.rtpTimestamp &+ 6_000,
      start: .testStart + .milliseconds(3_000))
    var recorder = TrackRecorder(.video)
    var outputs = recorder.receiveAll(first + second)
    outputs += recorder.end(at: .testStart + .milliseconds(6_000), clock: clock)
    #expect(outputs.frames.map(\.bytes) == vp8.recorded + h264.recorded)
    #expect(outputs.fragments.filter(\.beginsSegment).map(\.fragment.format.codecName) == ["VP8", "H264"])
    #expect(outputs.gaps.isEmpty)
  }

  @Test(arguments: [TrackKind.audio, .video], [UInt64(1), 2, 3])
  func nonsenseDoesNoHarm(kind: TrackKind, seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let clips = try MediaClip.Name.allCases.map { try MediaClip($0).packets(maximumPayloadSize: 400) }
    var recorder = TrackRecorder(kind)
    var clock = PeerClock()
    for _ in 0..<5_000 {
      var packet = clips[Int(random.next() % 5)].randomElement(using: &random) ?? clips[0][0]
      if random.next() % 4 == 0 { packet.rtpTimestamp = UInt32(truncatingIfNeeded: random.next()) }
      if random.next() % 8 == 0 { packet.sequence = Int64(bitPattern: random.next()) }
      if random.next() % 8 == 0 { packet.arrival = UTCTime(microseconds: Int64(bitPattern: random.next())) }
      if random.next() % 8 == 0 { packet.ssrc = SSRC(UInt32(random.next() % 3)) }
      _ = recorder.receive(packet, encoding: Int(random.next() % 10), clock: clock)
      if random.next() % 8 == 0 {
        let report = RecordedReport(
          ssrc: packet.ssrc, rtpTimestamp: UInt32(truncatingIfNeeded: random.next()),
          ntpTime: NTPTimestamp(bits: random.next()), arrival: packet.arrival)
        clock.update(report)
        _ = recorder.receive(report, clock: clock)
      }
      if random.next() % 64 == 0 { _ = recorder.interrupt(reason: .reconnect, at: packet.arrival, clock: clock) }
      _ = recorder.advance(to: packet.arrival, clock: clock)
    }
    _ = recorder.end(at: UTCTime(microseconds: .max), clock: clock)
  }
}
