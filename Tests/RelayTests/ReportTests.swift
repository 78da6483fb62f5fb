import Primitives
import RTP
import Relay
import Testing

/// RTCP that the relay makes of its own.
@Suite struct ReportTests {
  @Test func audioAndVideoOfOneSourceStayInSync() throws {
    let world = try World()
    let caller = world.addCaller()
    let video = try world.addSource(of: caller, mid: "v")
    let audio = try world.addSource(of: caller, kind: .audio, mid: "a", formats: [.opus])
    let viewer = try world.addViewer([(.video, [.vp8]), (.audio, [.opus])])
    world.connect(viewer, slot: 0, to: video)
    world.connect(viewer, slot: 1, to: audio)
    var picture = TestStream(1, timestamp: 1_000)
    var sound = TestStream(2, .opus, payloadType: 111, timestamp: 500_000)
    // The caller's clock is an hour off; picture and sound are 40 ms apart in it.
    let ahead = TimeInterval64.seconds(3_600)
    let captured = world.wall.advanced(by: ahead)
    let reports: [RTCPPacket] = [
      .senderReport(.init(ssrc: SSRC(1), ntpTime: captured, rtpTimestamp: 1_000, packetCount: 0, octetCount: 0)),
      .senderReport(
        .init(
          ssrc: SSRC(2), ntpTime: captured.advanced(by: .milliseconds(40)), rtpTimestamp: 500_000, packetCount: 0,
          octetCount: 0)),
    ]
    for _ in 0..<100 {
      world.send(picture.frame(keyframe: true, ticks: 2_700), from: caller)
      world.send(sound.frame(ticks: 1_440), from: caller)
      if picture.sequence == 1_002 { world.sendRTCP(reports, from: caller) }
      world.advance(30)
    }
    let sent = world.takeFeedback(to: viewer.peer).compactMap { packet -> SenderReport? in
      if case .senderReport(let report) = packet { report } else { nil }
    }
    for report in sent.suffix(2) {
      #expect(report.packetCount > 80)
      #expect(report.octetCount == report.packetCount * 200)
    }
    let pictureReport = try #require(sent.last { $0.ssrc == viewer.slots[0].ssrc })
    let soundReport = try #require(sent.last { $0.ssrc == viewer.slots[1].ssrc })
    // When each first packet was captured, on the server's wall clock, as a viewer computes it.
    let shown = try #require(Self.captureTime(viewer.media(0)[0], by: pictureReport, rate: 90_000))
    let heard = try #require(Self.captureTime(viewer.media(1)[0], by: soundReport, rate: 48_000))
    #expect(abs((heard - shown) - 0.040) < 0.001, "\(heard - shown) s apart")
    #expect(abs(shown - Self.seconds(captured.advanced(by: TimeInterval64.zero - ahead))) < 0.035)
  }

  private static func captureTime(_ packet: ReceivedPacket, by report: SenderReport, rate: UInt32) -> Double? {
    var clock = SenderReportClock(clockRate: rate)
    clock.update(ntpTime: report.ntpTime, rtpTimestamp: report.rtpTimestamp)
    return clock.ntpTime(of: packet.header.timestamp).map(seconds)
  }

  private static func seconds(_ time: NTPTimestamp) -> Double { Double(time.bits) / 4_294_967_296 }

  @Test func withoutTheSendersReportThereIsNone() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    let viewer = try world.addViewer()
    world.connect(viewer, to: source)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    world.advance(2_000)
    #expect(world.takeFeedback(to: viewer.peer).isEmpty)
  }

  @Test func receptionIsReportedToTheSender() throws {
    let world = try World()
    let caller = world.addCaller()
    _ = try world.addSource(of: caller, acceptsNACK: false)
    var stream = TestStream(1)
    for index in 0..<100 {
      let packets = stream.frame(keyframe: index == 0)
      if index % 10 != 5 { world.send(packets, from: caller) }
      world.advance(5)
    }
    world.advance(500)
    let blocks = world.takeFeedback(to: caller).flatMap { packet -> [ReportBlock] in
      if case .receiverReport(let report) = packet { report.reports } else { [] }
    }
    let last = try #require(blocks.last)
    #expect(last.ssrc == SSRC(1))
    #expect(last.cumulativeLost == 10)
    #expect(last.extendedHighestSequence == 1_099)
  }

  @Test func arrivalsAreFedBackToTheSendersEstimator() throws {
    let world = try World()
    let caller = world.addCaller()
    _ = try world.addSource(of: caller)
    var stream = TestStream(1)
    for index in 0..<200 {
      stream.extensions = [(4, [UInt8(index >> 8), UInt8(index & 255)])]
      let packets = stream.frame(keyframe: index == 0)
      if index % 10 != 5 { world.send(packets, from: caller) }
      world.advance(5)
    }
    world.advance(100)
    var received: [Int: Bool] = [:]
    for case .transportFeedback(let feedback) in world.takeFeedback(to: caller) {
      for (offset, status) in feedback.statuses.enumerated() {
        received[Int(feedback.baseSequence.rawValue) + offset] = status != .notReceived
      }
    }
    #expect(received.count == 200)
    #expect(received.allSatisfy { $1 == ($0 % 10 != 5) })
  }

  @Test func noDatagramIsLongerThanAFrame() throws {
    let world = try World()
    let caller = world.addCaller()
    _ = try world.addSource(of: caller)
    var stream = TestStream(1)
    world.send(stream.frame(keyframe: true), from: caller)
    // Every 18th packet arrives: numbers that do not pack.
    for index in 0..<3_000 {
      stream.extensions = [(4, [UInt8(index >> 8), UInt8(index & 255)])]
      let packets = stream.frame()
      if index % 18 == 0 { world.send(packets, from: caller) }
      if index % 100 == 0 { world.advance(1) }
    }
    world.advance(100)
    #expect(world.datagrams.count > 2)
    #expect(world.datagrams.allSatisfy { $0.count <= 1_200 })
  }

  @Test func aSourceIsWaitingThenLiveThenStalled() throws {
    let world = try World()
    let caller = world.addCaller()
    let source = try world.addSource(of: caller)
    #expect(world.relay.status(of: source)?.activity == .waiting)
    var stream = TestStream(1)
    for index in 0..<50 {
      world.send(stream.frame(keyframe: index == 0, sizes: [1_000]), from: caller)
      world.advance(20)
    }
    let status = try #require(world.relay.status(of: source))
    #expect(status.activity == .live)
    #expect(status.format == .vp8)
    #expect((380_000...420_000).contains(status.bitsPerSecond))
    world.advance(2_000)
    #expect(world.relay.status(of: source)?.activity == .stalled)
    world.send(stream.frame(), from: caller)
    world.advance(20)
    world.sendRTCP([.goodbye(Goodbye(sources: [SSRC(1)]))], from: caller)
    world.advance(20)
    #expect(world.statuses.map(\.status.activity) == [.live, .stalled, .live, .stalled])
  }
}
