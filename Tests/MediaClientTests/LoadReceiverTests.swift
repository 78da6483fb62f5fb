import MediaClient
import Primitives
import RTP
import SDP
import Testing

@Suite("Load receivers")
struct LoadReceiverTests {
  private let recorder = LoadRecorder()
  private let times = LoadReceiverTimes()

  private func receiver(_ behaviour: LoadReceiver.Behaviour = .init()) -> LoadReceiver {
    var random = RandomSource.seeded(1)
    let receiver = LoadReceiver(
      .receiving(), behaviour: behaviour, recorder: recorder, times: times, random: &random)
    recorder.add(receiver)
    return receiver
  }

  private func feed(_ packet: [UInt8], to receiver: LoadReceiver, at now: MonotonicTime) {
    packet.withUnsafeBytes { receiver.receiveRTP($0, wireLength: $0.count + 16, now: now) }
  }

  private func reports(_ receiver: LoadReceiver, now: MonotonicTime) throws -> [RTCPPacket] {
    guard let bytes = receiver.dueReport(now: now) else { return [] }
    return try bytes.withUnsafeBytes { try RTCPCompound.parse($0) }
  }

  private var counters: LoadCounters { recorder.snapshot(cpuNanoseconds: 0).counters }

  @Test func `numbers that wrap lose nothing`() {
    let receiver = receiver()
    for step in 0..<200 {
      feed(Packets.vp8(UInt16(truncatingIfNeeded: 65_500 + step)), to: receiver, at: .ms(Int64(step)))
    }
    #expect(counters.packets == 200)
    #expect(counters.expected == 200 && counters.distinct == 200)
    #expect(counters.bytes == 200 * 128)
  }

  @Test func `a missing packet is asked for and a retransmission repairs the loss`() throws {
    let receiver = receiver()
    for number: UInt16 in [65_534, 65_535, 2] { feed(Packets.vp8(number), to: receiver, at: .ms(0)) }
    #expect(counters.expected == 5 && counters.distinct == 3)
    let due = receiver.deadline
    #expect(due <= .ms(50))
    let lost = try reports(receiver, now: due).compactMap { packet -> GenericNACK? in
      guard case .genericNACK(let request) = packet else { return nil }
      return request
    }
    #expect(lost.map(\.mediaSSRC) == [Packets.video])
    #expect(lost.first?.lost == [SequenceNumber(0), SequenceNumber(1)])
    feed(Packets.retransmission(7, of: 0), to: receiver, at: .ms(30))
    feed(Packets.retransmission(8, of: 1), to: receiver, at: .ms(30))
    feed(Packets.retransmission(9, of: 1), to: receiver, at: .ms(31))
    #expect(counters.expected == 5 && counters.distinct == 5)
    #expect(counters.repaired == 2 && counters.duplicates == 1 && counters.retransmissions == 3)
    #expect(counters.packets == 3)
  }

  @Test func `without NACK losses stay and nothing is asked for`() throws {
    let receiver = receiver(.init(sendsNACK: false))
    for number: UInt16 in [1, 2, 5] { feed(Packets.vp8(number, keyframe: true), to: receiver, at: .ms(0)) }
    #expect(try reports(receiver, now: .ms(900)).isEmpty)
    #expect(counters.expected - counters.distinct == 2)
  }

  @Test func `delays are measured from what was sent after the viewer came`() {
    let receiver = receiver()
    feed(Packets.vp8(1, keyframe: true, sent: .ms(-500)), to: receiver, at: .ms(0))
    #expect(times.firstPacket == .ms(0) && times.firstKeyframe == .ms(0) && times.firstLive == nil)
    feed(Packets.vp8(2, sent: .ms(10)), to: receiver, at: .ms(13))
    feed(Packets.vp8(3, sent: .ms(20)), to: receiver, at: .ms(25))
    feed(Packets.vp8(4), to: receiver, at: .ms(26))
    feed(Packets.retransmission(1, of: 4, sent: .ms(10)), to: receiver, at: .ms(500))
    #expect(times.firstLive == .ms(13))
    let snapshot = recorder.snapshot(cpuNanoseconds: 0)
    #expect(snapshot.interval.totalCount == 2)
    #expect(snapshot.interval.valuesAreEquivalent(snapshot.interval.maxRecorded, 5_000))
    #expect(snapshot.counters.unstamped == 1)
    #expect(recorder.snapshot(cpuNanoseconds: 0).interval.totalCount == 0)
    #expect(recorder.snapshot(cpuNanoseconds: 0).window.totalCount == 2)
    recorder.openWindow(now: .ms(30))
    feed(Packets.vp8(5, sent: .ms(29)), to: receiver, at: .ms(31))
    #expect(recorder.snapshot(cpuNanoseconds: 0).window.totalCount == 0)
  }

  @Test func `a keyframe is asked for until it comes`() throws {
    let receiver = receiver()
    feed(Packets.vp8(1), to: receiver, at: .ms(0))
    #expect(try reports(receiver, now: .ms(249)).isEmpty)
    let requests = try reports(receiver, now: .ms(250))
    #expect(
      requests == [
        .pictureLossIndication(.init(senderSSRC: try #require(requests.first?.sender), mediaSSRC: Packets.video))
      ])
    feed(Packets.vp8(2, keyframe: true), to: receiver, at: .ms(300))
    let later = try reports(receiver, now: .ms(2_000))
    #expect(later.count == 1)
    guard case .receiverReport(let report) = try #require(later.first) else {
      Issue.record("\(later) is no receiver report")
      return
    }
    #expect(report.reports.map(\.ssrc) == [Packets.video])
    #expect(report.reports.first?.extendedHighestSequence == 2)
  }

  @Test func `of sampled packets only some are decrypted and all are counted`() {
    let receiver = receiver(.init(decryptsEvery: 4))
    var decrypted = 0
    for number in UInt16(1)...40 {
      let packet = Packets.vp8(number)
      let isSatisfied = packet.withUnsafeBytes { receiver.isSatisfied(byProtected: $0, now: .ms(Int64(number))) }
      if !isSatisfied {
        decrypted += 1
        feed(packet, to: receiver, at: .ms(Int64(number)))
      }
    }
    #expect(decrypted == 10)
    #expect(counters.packets == 40 && counters.distinct == 40)
    let repair = Packets.retransmission(1, of: 1)
    #expect(!repair.withUnsafeBytes { receiver.isSatisfied(byProtected: $0, now: .ms(50)) })
  }

  @Test func `packets of foreign formats and fragments of packets count as unknown`() {
    let receiver = receiver()
    var foreign = Packets.vp8(1)
    foreign[1] = 77
    feed(foreign, to: receiver, at: .ms(0))
    let packet = Packets.vp8(1)
    for length in 0..<12 { feed(Array(packet.prefix(length)), to: receiver, at: .ms(0)) }
    #expect(counters.unknown == 13 && counters.packets == 0)
  }

  @Test func `no packet, however mutated, stops the receiver`() {
    let receiver = receiver()
    var random = RandomSource.seeded(7)
    for round in 0..<20_000 {
      var packet = round % 2 == 0 ? Packets.vp8(UInt16(truncatingIfNeeded: round)) : Packets.retransmission(1, of: 2)
      for _ in 0..<3 { packet[Int(random.next() % UInt64(packet.count))] = UInt8(truncatingIfNeeded: random.next()) }
      feed(Array(packet.prefix(Int(random.next() % 120))), to: receiver, at: .ms(Int64(round)))
      _ = receiver.dueReport(now: .ms(Int64(round)))
    }
    #expect(counters.packets > 0 && counters.unknown > 0)
  }
}

extension RTCPPacket {
  /// Who sent a keyframe request.
  fileprivate var sender: SSRC? {
    guard case .pictureLossIndication(let request) = self else { return nil }
    return request.senderSSRC
  }
}
