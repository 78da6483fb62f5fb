import Archive
import Primitives
import RTP
import Testing

@Suite struct LayerTests {
  private let clock = PeerClock()

  /// Three encodings of one picture, as a browser sends them.
  private struct Simulcast {
    var tracks = [
      SimulatedTrack.video(ssrc: 10, width: 16), SimulatedTrack.video(ssrc: 11, width: 32),
      SimulatedTrack.video(ssrc: 12, width: 64),
    ]
    var recorder = TrackRecorder(.video, encodings: ["q", "h", "f"])
    var outputs: [TrackOutput] = []
    let clock = PeerClock()

    mutating func send(_ index: Int, _ layers: [Int], keyframeOf key: Int? = nil) {
      for layer in layers {
        let isKeyframe: Bool? = key == layer ? true : nil
        outputs += recorder.receiveAll(tracks[layer].packets(index, isKeyframe: isKeyframe), encoding: layer)
      }
    }

    mutating func end(at index: Int) {
      outputs += recorder.end(at: tracks[0].time(of: index), clock: clock)
    }
  }

  @Test func bestIsKeptFromItsKeyframeOn() {
    var simulcast = Simulcast()
    for index in 0..<30 { simulcast.send(index, [0]) }
    for index in 30..<90 { simulcast.send(index, [0, 1, 2]) }
    simulcast.end(at: 90)
    let segments = simulcast.outputs.fragments.filter(\.beginsSegment)
    #expect(segments.map(\.layer) == ["q", "f"].map { ManifestEntry.Layer(name: $0, count: 3) } || segments.count == 3)
    #expect(segments.last?.layer?.name == "f")
    #expect(simulcast.recorder.currentEncoding == 2)
    #expect(simulcast.outputs.gaps.isEmpty)
    #expect(zip(simulcast.outputs.frames, simulcast.outputs.frames.dropFirst()).allSatisfy { $0.time < $1.time })
  }

  @Test func keyframeOfAWorseOneChangesNothing() {
    var simulcast = Simulcast()
    for index in 0..<60 { simulcast.send(index, [2, 1, 0], keyframeOf: index == 20 ? 0 : nil) }
    simulcast.end(at: 60)
    #expect(simulcast.outputs.fragments.filter(\.beginsSegment).map(\.layer?.name) == ["f"])
    #expect(simulcast.outputs.frames.count == 60)
  }

  @Test func anotherTakesOverWhenTheBestStalls() throws {
    var simulcast = Simulcast()
    for index in 0..<40 { simulcast.send(index, [2, 1, 0]) }
    // The two larger stop; the sender answers a request 200 ms after it is made.
    var answer: Int?
    var requested: Int?
    for index in 40..<85 {
      let count = simulcast.outputs.count
      simulcast.tracks[0].keyframeInterval = 10_000
      simulcast.send(index, [0], keyframeOf: index == answer ? 0 : nil)
      if requested == nil, simulcast.outputs[count...].contains(.keyframeWanted(SSRC(10))) {
        requested = index
        answer = index + 6
      }
    }
    simulcast.end(at: 85)
    #expect(simulcast.recorder.currentEncoding == 0)
    let gap = try #require(simulcast.outputs.gaps.first)
    #expect(gap.reason == .loss && gap.end - gap.start <= LayerChooser.maximumFallback)
    #expect(simulcast.outputs.fragments.filter(\.beginsSegment).map(\.layer?.name) == ["f", "q"])
  }

  @Test func bestThatPausesIsLeftSoonAndTakenAgainWhenItComesBack() {
    var simulcast = Simulcast()
    for layer in 0..<3 { simulcast.tracks[layer].keyframeInterval = 10_000 }
    var (answers, seen): ([Int: Int], Int) = ([:], 0)
    for index in 0..<150 {
      // The sender stops the largest for two seconds, and answers each request 100 ms later.
      for layer in (40..<100).contains(index) ? [1, 0] : [2, 1, 0] {
        let isAnswer = answers[layer] == index
        simulcast.send(index, [layer], keyframeOf: index == 0 || isAnswer ? layer : nil)
      }
      for request in Array(simulcast.outputs[seen...]).requests { answers[Int(request.rawValue) - 10] = index + 3 }
      seen = simulcast.outputs.count
    }
    simulcast.end(at: 150)
    #expect(simulcast.outputs.fragments.filter(\.beginsSegment).map(\.layer?.name) == ["f", "h", "f"])
    #expect(simulcast.outputs.requests == [SSRC(11), SSRC(12)])
    #expect(simulcast.outputs.gaps.count == 1, "none when the largest comes back")
    #expect(simulcast.outputs.gaps.allSatisfy { $0.end - $0.start <= .milliseconds(550) })
  }

  @Test func holeInTheNetworkIsNoPause() {
    var simulcast = Simulcast()
    for layer in 0..<3 { simulcast.tracks[layer].keyframeInterval = 10_000 }
    for index in 0..<40 { simulcast.send(index, [2, 1, 0]) }
    // 600 ms in which nothing comes; a smaller one is first, with a keyframe.
    for index in 58..<90 { simulcast.send(index, [0, 1, 2], keyframeOf: index == 58 ? 0 : nil) }
    simulcast.end(at: 90)
    #expect(simulcast.outputs.fragments.filter(\.beginsSegment).map(\.layer?.name) == ["f"])
    #expect(simulcast.outputs.requests.isEmpty)
  }

  @Test func keyframesNowAndThenAreAskedOfTheKeptEncodingAlone() {
    var simulcast = Simulcast()
    for layer in 0..<3 { simulcast.tracks[layer].keyframeInterval = 10_000 }
    var (answer, seen) = (0, 0)
    for index in 0..<600 {
      simulcast.send(index, [0, 1])
      simulcast.send(index, [2], keyframeOf: index == answer ? 2 : nil)
      if !Array(simulcast.outputs[seen...]).requests.isEmpty { answer = index + 3 }
      seen = simulcast.outputs.count
    }
    simulcast.end(at: 600)
    #expect(simulcast.outputs.requests == [SSRC](repeating: SSRC(12), count: 3), "one in five seconds")
    let starts = simulcast.outputs.fragments.filter(\.fragment.startsWithKeyframe).map(\.fragment.start)
    #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 <= .milliseconds(5_500) })
  }

  @Test func nothingIsAskedOfAPictureThatHasStopped() {
    var (track, recorder) = (SimulatedTrack.video(), TrackRecorder(.video))
    track.keyframeInterval = 10_000
    var outputs: [TrackOutput] = []
    for index in 0..<60 { outputs += recorder.receiveAll(track.packets(index)) }
    for index in 60..<600 { outputs += recorder.advance(to: track.time(of: index), clock: clock) }
    #expect(outputs.requests.isEmpty)
  }

  @Test func encodingWithoutANameIsCalledByItsSSRC() {
    var recorder = TrackRecorder(.video)
    var (low, high) = (SimulatedTrack.video(ssrc: 10, width: 16), SimulatedTrack.video(ssrc: 11, width: 32))
    var outputs: [TrackOutput] = []
    for index in 0..<10 {
      outputs += recorder.receiveAll(high.packets(index), encoding: 1)
      outputs += recorder.receiveAll(low.packets(index), encoding: 0)
    }
    outputs += recorder.end(at: low.time(of: 10), clock: clock)
    #expect(outputs.fragments.map(\.layer) == [ManifestEntry.Layer(name: "11", count: 2)])
  }

  @Test func amongEqualsTheOneWithMoreBitsIsBetter() {
    var chooser = LayerChooser()
    var time = UTCTime.testStart
    for _ in 0..<30 {
      chooser.note(0, bytes: 1_000, at: time)
      chooser.note(1, bytes: 2_000, at: time)
      time = time + .milliseconds(100)
      if chooser.current == nil {
        #expect(chooser.judge(0, pixels: 100, isKeyframe: true, at: time) == .change)
        #expect(chooser.judge(1, pixels: 100, isKeyframe: true, at: time) == .drop, "its bit rate is not known yet")
      }
    }
    #expect(chooser.wanted(at: time) == 1)
    #expect(chooser.judge(1, pixels: 100, isKeyframe: false, at: time) == .drop)
    #expect(chooser.judge(1, pixels: 100, isKeyframe: true, at: time) == .change)
    #expect(chooser.wanted(at: time) == nil)
    #expect(chooser.judge(0, pixels: 100, isKeyframe: true, at: time) == .drop)
  }
}
