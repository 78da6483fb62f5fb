import Archive
import Primitives
import RTP
import Testing

@Suite struct SynchronisationTests {
  /// Over a way of 30 ms, sound of 20 ms that is sent at once and pictures that take 150 ms to encode, with reports.
  @Test(arguments: [UInt64(1), 2, 3])
  func soundAndPictureAreInStepByReports(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    var (sound, picture) = (SimulatedTrack.audio(), SimulatedTrack.video())
    picture.origin = 12_345
    var (soundRecorder, pictureRecorder) = (TrackRecorder(.audio), TrackRecorder(.video))
    var clock = PeerClock()
    var outputs: (sound: [TrackOutput], picture: [TrackOutput]) = ([], [])
    for second in 0..<20 {
      for track in [sound, picture] {
        let report = track.report(
          at: sound.time(of: second * 50 + 3), delay: .milliseconds(30 + Int64(random.next() % 40)))
        clock.update(report)
        outputs.sound += track.kind == .audio ? soundRecorder.receive(report, clock: clock) : []
        outputs.picture += track.kind == .video ? pictureRecorder.receive(report, clock: clock) : []
      }
      for index in (second * 50)..<(second * 50 + 50) {
        outputs.sound += soundRecorder.receiveAll(sound.packets(index, delay: .milliseconds(50)), clock: clock)
      }
      for index in (second * 30)..<(second * 30 + 30) {
        outputs.picture += pictureRecorder.receiveAll(picture.packets(index, delay: .milliseconds(180)), clock: clock)
      }
    }
    outputs.sound += soundRecorder.end(at: sound.time(of: 1_000), clock: clock)
    outputs.picture += pictureRecorder.end(at: sound.time(of: 1_000), clock: clock)
    #expect(outputs.sound.gaps.isEmpty && outputs.picture.gaps.isEmpty)
    // From the second on in which corrections are caught up, both are the same distance from when they were taken.
    let offsets =
      outputs.sound.frames.enumerated().dropFirst(100).map { $1.time - sound.time(of: $0) }
      + outputs.picture.frames.enumerated().dropFirst(60).map { $1.time - picture.time(of: $0) }
    let settled = offsets.filter { $0 == offsets.last }
    #expect(settled.count > offsets.count / 2)
    let late =
      outputs.sound.frames.enumerated().dropFirst(550).map { $1.time - sound.time(of: $0) }
      + outputs.picture.frames.enumerated().dropFirst(330).map { $1.time - picture.time(of: $0) }
    let (least, most) = (late.min() ?? .zero, late.max() ?? .zero)
    #expect(late.count > 600 && most - least <= .milliseconds(1))
    #expect(least >= .milliseconds(29) && most <= .milliseconds(40))
  }

  /// Sound that leaves in bursts: what is left over from 140 ms comes at once with the last of it, and a report made then
  /// says that it was taken just now.
  @Test(arguments: [true, false])
  func reportFromABurstIsCorrected(byWhatCameBefore: Bool) {
    var sound = SimulatedTrack.audio()
    var recorder = TrackRecorder(.audio)
    var clock = PeerClock()
    var outputs: [TrackOutput] = []
    let burst = byWhatCameBefore ? 40..<47 : 0..<7
    for index in 0..<150 {
      // Each is 20 ms long, on a way of 25 ms.
      let wait = burst.contains(index) ? Int64(burst.upperBound - index) * 20 : 0
      if index == burst.upperBound - 1 {
        // Its clock is right, and what it says of the sound is late by 80 ms.
        var report = sound.report(at: sound.time(of: index) + .milliseconds(20), delay: .milliseconds(25))
        report.rtpTimestamp &-= 80 * 48
        clock.update(report)
        outputs += recorder.receive(report, clock: clock)
      }
      outputs += recorder.receiveAll(sound.packets(index, delay: .milliseconds(45 + wait)), clock: clock)
    }
    outputs += recorder.end(at: sound.time(of: 150), clock: clock)
    let late = outputs.frames.enumerated().dropFirst(75).map { ($1.time - sound.time(of: $0)).milliseconds }
    #expect(late.count == 75 && late.allSatisfy { $0 == 25 }, "\(late)")
    #expect(outputs.gaps.isEmpty)
    let isSteady = outputs.frames.allSatisfy { $0.duration == .milliseconds(20) }
    #expect(isSteady || !byWhatCameBefore, "not even a moment of it is late")
  }

  /// After samples that were never taken all others are later, and only the newest report knows.
  @Test func soundThatStoodStillIsLaterForGood() {
    var sound = SimulatedTrack.audio()
    var recorder = TrackRecorder(.audio)
    var clock = PeerClock()
    var outputs: [TrackOutput] = []
    for index in 0..<200 {
      let stood: Int64 = index < 40 ? 0 : 70
      if index == 100 {
        var report = sound.report(at: sound.time(of: index), delay: .milliseconds(25))
        report.rtpTimestamp &-= 70 * 48
        clock.update(report)
        outputs += recorder.receive(report, clock: clock)
      }
      outputs += recorder.receiveAll(sound.packets(index, delay: .milliseconds(45 + stood)), clock: clock)
    }
    outputs += recorder.end(at: sound.time(of: 200), clock: clock)
    #expect(outputs.frames.last.map { ($0.time - sound.time(of: 199)).milliseconds } == 95)
  }

  /// The first packet waited for 120 ms, and no report ever says so.
  @Test func withoutReportsTheQuickestFrameCounts() {
    var sound = SimulatedTrack.audio()
    var recorder = TrackRecorder(.audio)
    let clock = PeerClock()
    var outputs: [TrackOutput] = []
    for index in 0..<150 {
      let wait = Int64(max(0, 6 - index) * 20)
      outputs += recorder.receiveAll(sound.packets(index, delay: .milliseconds(45 + wait)), clock: clock)
    }
    outputs += recorder.end(at: sound.time(of: 150), clock: clock)
    #expect(outputs.frames.first?.time == sound.time(of: 0) + .milliseconds(145))
    let late = outputs.frames.enumerated().dropFirst(75).map { ($1.time - sound.time(of: $0)).milliseconds }
    #expect(late.count == 75 && late.allSatisfy { $0 == 25 }, "\(late)")
  }

  /// The way to the peer becomes shorter or longer, or its clock drifts: the same for all of its tracks, none is corrected.
  @Test(arguments: [(way: Int64(100), later: Int64(20)), (20, 100)])
  func whatAllReportsShareIsNoFaultOfOne(way: Int64, later: Int64) {
    var clock = PeerClock()
    let (sound, picture) = (SimulatedTrack.audio(), SimulatedTrack.video())
    func time(second: Int64) -> UTCTime { .testStart + .milliseconds(second * 1_000) }
    for second in 0..<60 as Range<Int64> {
      clock.update(picture.report(at: time(second: second), delay: .milliseconds(second < 15 ? way : later)))
    }
    let now = time(second: 60)
    var late = sound.report(at: now, delay: .milliseconds(later))
    late.rtpTimestamp &-= 60 * 48
    for (track, report, wait) in [
      (sound, sound.report(at: now, delay: .milliseconds(later)), Int64(20)), (sound, late, 20),
      (picture, picture.report(at: now, delay: .milliseconds(later)), 100),
    ] {
      var timeline = TrackTimeline(clockRate: track.clockRate)
      clock.update(report)
      timeline.update(report)
      let stamp = Int64(track.origin) + 60 * Int64(track.clockRate)
      let mapped = timeline.time(
        of: stamp, lasting: track.kind == .audio ? Int64(track.ticks) : 0, arrival: now + .milliseconds(later + wait),
        clock: clock)
      #expect((mapped.time - now).milliseconds == way && !mapped.isJump, "\(track.kind)")
    }
  }

  @Test func timeNeverRunsBackwardsWhenTheClockIsCorrected() {
    var track = SimulatedTrack.video()
    var recorder = TrackRecorder(.video)
    var clock = PeerClock()
    var outputs: [TrackOutput] = []
    for index in 0..<120 {
      if index == 45 {
        let report = track.report(at: track.time(of: index), delay: .milliseconds(10))
        clock.update(report)
        outputs += recorder.receive(report, clock: clock)
      }
      outputs += recorder.receiveAll(track.packets(index, delay: .milliseconds(300)), clock: clock)
    }
    outputs += recorder.end(at: track.time(of: 120), clock: clock)
    let frames = outputs.frames
    #expect(frames.count == 120 && outputs.gaps.isEmpty)
    #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time + $0.duration == $1.time && $0.time < $1.time })
    // Twice as fast and no faster, however long it takes: files do not tell frames apart that are closer than a millisecond.
    #expect(frames.allSatisfy { $0.duration >= .milliseconds(16) })
    #expect(frames.first?.time == track.time(of: 0) + .milliseconds(300))
    #expect(frames.last?.time == track.time(of: 119) + .milliseconds(10))
  }

  @Test func picturesAreInStepAgainAfterOneThatStoodLong() {
    var track = SimulatedTrack.video()
    var recorder = TrackRecorder(.video)
    var clock = PeerClock()
    var outputs: [TrackOutput] = []
    // One picture stands for 430 ms, and then the clock is set back.
    for index in Array(0..<45) + Array(58..<150) {
      if index == 58 {
        let report = track.report(at: track.time(of: index), delay: .milliseconds(10))
        clock.update(report)
        outputs += recorder.receive(report, clock: clock)
      }
      outputs += recorder.receiveAll(track.packets(index, delay: .milliseconds(600)), clock: clock)
    }
    outputs += recorder.end(at: track.time(of: 150), clock: clock)
    #expect(outputs.frames.last.map { ($0.time - track.time(of: 149)).milliseconds } == 10)
    #expect(zip(outputs.frames, outputs.frames.dropFirst()).allSatisfy { $1.time - $0.time >= .milliseconds(16) })
  }

  @Test func reportsAreKeptAsTheyCame() throws {
    var recorder = TrackRecorder(.audio)
    var track = SimulatedTrack.audio()
    let report = track.report(at: .testStart)
    var clock = PeerClock()
    clock.update(report)
    let expected = TrackOutput.clock(
      ManifestEntry.ClockPair(
        track: try #require(TrackID("camera-1")), ssrc: track.ssrc, rtpTimestamp: report.rtpTimestamp,
        ntpTime: report.ntpTime, arrival: report.arrival))
    #expect(recorder.receive(report, clock: clock) == [expected])
    #expect(recorder.receive(report, clock: clock).isEmpty, "a repetition")
    // It came before the stream did, and counts nevertheless.
    var outputs = recorder.receiveAll(track.packets(0, delay: .milliseconds(90)), clock: clock)
    outputs += recorder.end(at: .testStart, clock: clock)
    #expect(outputs.frames.map(\.time) == [.testStart + .milliseconds(30)])
  }

  @Test func clockSettlesOnTheQuickestReport() {
    let track = SimulatedTrack.audio()
    var clock = PeerClock()
    var offsets: [Int64] = []
    for (second, delay) in [Int64(90), 40, 38, 70, 20, 90].enumerated() {
      let time = UTCTime.testStart + .milliseconds(Int64(second) * 3_000)
      let report = track.report(at: time, delay: .milliseconds(delay))
      clock.update(report)
      if let mapped = clock.time(of: report.ntpTime) { offsets.append((mapped - time).milliseconds) }
    }
    #expect(offsets == [90, 40, 40, 40, 40, 40], "after 10 s a quicker one is no reason for a step")
  }

  @Test func clockFollowsASleepAndNoStall() {
    let track = SimulatedTrack.audio()
    var clock = PeerClock()
    func offset(second: Int64, delay: Int64) -> Int64 {
      let time = UTCTime.testStart + .milliseconds(second * 1_000)
      let report = track.report(at: time, delay: .milliseconds(delay))
      clock.update(report)
      return clock.time(of: report.ntpTime).map { ($0 - time).milliseconds } ?? -1
    }
    #expect(offset(second: 0, delay: 30) == 30)
    for second in 1..<5 { #expect(offset(second: Int64(second), delay: 9_000 - Int64(second) * 1_000) == 30) }
    #expect(offset(second: 9, delay: 35) == 30)
    // The peer's clock stands still for a minute: from now on all reports seem to be late.
    for second in 20..<30 { #expect(offset(second: Int64(second), delay: 60_000 + Int64(second)) == 30) }
    #expect(offset(second: 30, delay: 60_090) == 60_020)
    // The clock was set forward: no report comes before it was sent.
    #expect(offset(second: 31, delay: 30) == 30)
  }
}
