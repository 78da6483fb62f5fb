import Archive
import Primitives
import RTP
import Testing

/// The first pictures of a track, which come later than all others and before any report.
@Suite struct OpeningTests {
  /// Encoders that have just been started take their time: the first picture comes 200 ms late, the tenth 40 ms.
  private func delay(_ index: Int) -> TimeInterval64 { .milliseconds(Int64(max(40, 200 - 16 * index))) }

  @Test func firstPicturesGoByTheReportThatComesSoon() {
    var (track, recorder, clock) = (SimulatedTrack.video(), TrackRecorder(.video), PeerClock())
    var outputs: [TrackOutput] = []
    for index in 0..<90 {
      if index == 16 {
        let report = track.report(at: track.time(of: index), delay: .milliseconds(30))
        clock.update(report)
        outputs += recorder.receive(report, clock: clock)
      }
      outputs += recorder.receiveAll(track.packets(index, delay: delay(index)), clock: clock)
    }
    outputs += recorder.end(at: track.time(of: 90), clock: clock)
    #expect(outputs.gaps.isEmpty)
    #expect(outputs.frames.count == 90)
    for (index, frame) in outputs.frames.enumerated() {
      #expect(
        abs((frame.time - track.time(of: index)).milliseconds - 30) <= 1, "as late as the report, from the first on")
    }
  }

  @Test func withoutAReportNothingWaitsForLong() throws {
    var (track, recorder) = (SimulatedTrack.video(), TrackRecorder(.video))
    var outputs: [TrackOutput] = []
    var firstOut: UTCTime?
    for index in 0..<60 {
      let packets = track.packets(index)
      outputs += recorder.receiveAll(packets)
      if firstOut == nil, !outputs.frames.isEmpty { firstOut = packets[0].arrival }
    }
    outputs += recorder.end(at: track.time(of: 60) + .milliseconds(40), clock: PeerClock())
    #expect(try #require(firstOut) - .testStart <= .milliseconds(850))
    #expect(outputs.frames.map(\.time) == (0..<60).map { track.time(of: $0) + .milliseconds(40) })
    #expect(outputs.gaps.isEmpty)
  }

  @Test func betterOfSeveralThatBeginTogetherIsTheFirst() {
    var tracks = [SimulatedTrack.video(ssrc: 10, width: 16), SimulatedTrack.video(ssrc: 11, width: 32)]
    var recorder = TrackRecorder(.video, encodings: ["l", "m"])
    var outputs: [TrackOutput] = []
    for index in 0..<60 {
      outputs += recorder.receiveAll(tracks[0].packets(index), encoding: 0)
      // The larger one's first picture comes a while after the smaller one's.
      let delay = TimeInterval64.milliseconds(index == 0 ? 60 : 42)
      outputs += recorder.receiveAll(tracks[1].packets(index, delay: delay), encoding: 1)
    }
    outputs += recorder.end(at: tracks[0].time(of: 60) + .milliseconds(60), clock: PeerClock())
    #expect(outputs.fragments.filter(\.beginsSegment).map(\.layer?.name) == ["m"])
    #expect(outputs.frames.count == 60 && outputs.gaps.isEmpty)
  }

  @Test func shortTrackComesOutAtItsEnd() {
    var (track, recorder) = (SimulatedTrack.video(), TrackRecorder(.video))
    var outputs = recorder.receiveAll(track.packets(0) + track.packets(1))
    #expect(outputs.frames.isEmpty)
    outputs += recorder.end(at: track.time(of: 2) + .milliseconds(40), clock: PeerClock())
    #expect(outputs.frames.count == 2 && outputs.gaps.isEmpty)
  }
}
