import Primitives
import RTP
import Testing

@Suite struct TransportFeedbackTests {
  private func parse(_ bytes: [UInt8]) throws -> TransportFeedback? {
    let packets = try withBytes(bytes) { try RTCPCompound.parse($0) }
    guard case .transportFeedback(let feedback) = packets.first else { return nil }
    return feedback
  }

  private func feedback(_ statuses: [TransportFeedback.Status]) -> TransportFeedback {
    TransportFeedback(
      senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(10), referenceTime: 5, feedbackCount: 0,
      statuses: statuses)
  }

  /// What follows the fixed fields.
  private func chunksAndDeltas(_ statuses: [TransportFeedback.Status]) -> String {
    Hex.encode(RTCPCompound.serialize([.transportFeedback(feedback(statuses))]).dropFirst(20))
  }

  @Test func browsersFeedbackIsUnderstood() throws {
    // A browser's packet: nine small deltas in one run, padded by a single byte.
    let text = "afcd0007 00000001 dd586eb6 00010009 5e911000 20091c0c 2c380004 00081801"
    let feedback = try #require(try parse(try hex(text)))
    #expect(feedback.mediaSSRC == SSRC(0xdd58_6eb6))
    #expect(feedback.baseSequence == SequenceNumber(1))
    #expect(feedback.referenceTime == 6_197_520)
    #expect(feedback.statuses == [28, 12, 44, 56, 0, 4, 0, 8, 24].map { .received(delta: $0) })
    var arrivals: [Int64] = []
    feedback.forEachPacket { _, arrival in arrivals.append(arrival ?? -1) }
    #expect(arrivals == [28, 40, 84, 140, 140, 144, 144, 152, 176].map { 6_197_520 * 256 + $0 })
  }

  @Test func chunksOfTheDraftAreUnderstood() throws {
    // §3.1.3: a run of 221 lost packets. §3.1.4: the one-bit vector 0 11111 000 111 00.
    let text = "8fcd0007 00000001 00000002 000a00eb 00000500 00dd9f1c 01020304 05060708"
    let statuses = try #require(try parse(try hex(text))).statuses
    let expected: [TransportFeedback.Status] =
      Array(repeating: .notReceived, count: 222) + (1...5).map { .received(delta: $0) }
      + Array(repeating: .notReceived, count: 3) + (6...8).map { .received(delta: $0) }
      + Array(repeating: .notReceived, count: 2)
    #expect(statuses == expected)
  }

  @Test(arguments: [
    // One run for many alike.
    ([TransportFeedback.Status](repeating: .notReceived, count: 221) + [.received(delta: 1)], "00dd 2001 01 000000"),
    // A one-bit vector for small deltas and losses.
    (
      [.received(delta: 1), .notReceived] + [TransportFeedback.Status](repeating: .received(delta: 2), count: 12),
      "afff 01 020202020202020202020202 00"
    ),
    // The same for a rest that is shorter than the vector.
    (
      [.received(delta: 1), .notReceived] + [TransportFeedback.Status](repeating: .received(delta: 1), count: 8),
      "aff0 01 0101010101010101"
    ),
    // Two-bit vectors as soon as a delta is large or negative.
    ([.received(delta: 1), .received(delta: 256), .received(delta: -1)], "da00 01 0100 ffff 00"),
  ])
  func smallestChunkIsChosen(statuses: [TransportFeedback.Status], expected: String) throws {
    let wanted = Hex.encode(try hex(expected))
    // The RTCP packet is padded with zeros to a whole word.
    let padded = wanted + String(repeating: "0", count: (8 - wanted.count % 8) % 8)
    #expect(chunksAndDeltas(statuses) == padded)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func anyStatusesSurviveTheRoundTrip(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    var statuses: [TransportFeedback.Status] = []
    while statuses.count < Int(seed) + 1 {
      let status: TransportFeedback.Status =
        switch Int.random(in: 0..<4, using: &random) {
        case 0: .notReceived
        case 1: .received(delta: .random(in: 0...255, using: &random))
        case 2: .received(delta: .random(in: .min ... .max, using: &random))
        default: .received(delta: 4)
        }
      statuses += Array(repeating: status, count: .random(in: 1...20, using: &random))
    }
    let packet = feedback(statuses)
    #expect(try parse(RTCPCompound.serialize([.transportFeedback(packet)])) == packet)
  }
}

@Suite struct TransportFeedbackRecorderTests {
  private func take(_ recorder: inout TransportFeedbackRecorder) throws -> [TransportFeedback] {
    try recorder.takeFeedback(senderSSRC: SSRC(1), mediaSSRC: SSRC(2)).map { feedback in
      let bytes = RTCPCompound.serialize([.transportFeedback(feedback)])
      #expect(bytes.count <= TransportFeedbackRecorder.maximumFeedbackLength)
      let parsed = try withBytes(bytes) { try RTCPCompound.parse($0) }
      #expect(parsed == [.transportFeedback(feedback)])
      return feedback
    }
  }

  @Test func silenceGivesNoFeedback() throws {
    var recorder = TransportFeedbackRecorder()
    #expect(try take(&recorder).isEmpty)
    recorder.record(SequenceNumber(1), arrival: .milliseconds(1))
    #expect(try take(&recorder).count == 1)
    #expect(!recorder.hasNews)
    #expect(try take(&recorder).isEmpty)
  }

  @Test func referenceTimeCountsUnitsOf64Milliseconds() throws {
    var recorder = TransportFeedbackRecorder()
    recorder.record(SequenceNumber(7), arrival: .milliseconds(64 * 3 + 10))
    recorder.record(SequenceNumber(9), arrival: .milliseconds(64 * 3 + 11))
    let feedback = try #require(try take(&recorder).first)
    #expect(feedback.baseSequence == SequenceNumber(7))
    #expect(feedback.referenceTime == 3)
    #expect(feedback.statuses == [.received(delta: 40), .notReceived, .received(delta: 4)])
  }

  @Test func countGrowsByOneWithEachFeedback() throws {
    var recorder = TransportFeedbackRecorder()
    for number in 0..<3 as Range<UInt16> {
      recorder.record(SequenceNumber(number), arrival: .milliseconds(UInt64(number)))
      #expect(try take(&recorder).map(\.feedbackCount) == [UInt8(number)])
    }
  }

  @Test func packetAfterItsFeedbackIsToldInTheNext() throws {
    var recorder = TransportFeedbackRecorder()
    recorder.record(SequenceNumber(1), arrival: .milliseconds(1))
    recorder.record(SequenceNumber(3), arrival: .milliseconds(2))
    _ = try take(&recorder)
    recorder.record(SequenceNumber(2), arrival: .milliseconds(30))
    let feedback = try #require(try take(&recorder).first)
    #expect(feedback.baseSequence == SequenceNumber(2))
    #expect(feedback.statuses == [.received(delta: 120), .received(delta: -112)])
  }

  @Test func firstOfTwoArrivalsCounts() throws {
    var recorder = TransportFeedbackRecorder()
    recorder.record(SequenceNumber(1), arrival: .milliseconds(1))
    recorder.record(SequenceNumber(1), arrival: .milliseconds(9))
    #expect(try take(&recorder).first?.statuses == [.received(delta: 4)])
  }

  @Test func longPauseStartsAnotherPacket() throws {
    var recorder = TransportFeedbackRecorder()
    recorder.record(SequenceNumber(1), arrival: .milliseconds(1))
    recorder.record(SequenceNumber(2), arrival: .milliseconds(60_000))
    let feedback = try take(&recorder)
    #expect(feedback.map(\.baseSequence) == [SequenceNumber(1), SequenceNumber(2)])
  }

  @Test func jumpBeyondTheWindowForgetsWhatLiesBefore() throws {
    var recorder = TransportFeedbackRecorder()
    recorder.record(SequenceNumber(1), arrival: .milliseconds(1))
    recorder.record(SequenceNumber(20_000), arrival: .milliseconds(2))
    let statuses = try take(&recorder).flatMap(\.statuses)
    #expect(statuses.count == TransportFeedbackRecorder.windowSize)
    #expect(statuses.filter { $0 != .notReceived }.count == 1)
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func everyArrivalIsToldOnceItsTimeIsKnown(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    // Arrivals with loss, bursts, pauses and reordering, across the wrap of the sequence number.
    var arrivals: [(number: Int, time: Int64)] = []
    var clock: Int64 = 4 * 64_000
    for number in 65_000..<68_000 where Int.random(in: 0..<100, using: &random) >= Int(seed) {
      clock += Int64.random(in: 0...3, using: &random) * Int64.random(in: 0...30, using: &random)
      if Int.random(in: 0..<400, using: &random) == 0 { clock += 40_000 }
      let delay = Int.random(in: 0..<10, using: &random) == 0 ? Int64.random(in: 0...200, using: &random) : 0
      arrivals.append((number, clock + delay))
    }
    arrivals.sort { $0.time < $1.time }

    var recorder = TransportFeedbackRecorder()
    var told: [SequenceNumber: Int64] = [:]
    func collect() throws {
      for feedback in try take(&recorder) {
        feedback.forEachPacket { number, arrival in
          guard let arrival else { return }
          #expect(told[number] == nil || told[number] == arrival)
          told[number] = arrival
        }
      }
    }
    for (number, time) in arrivals {
      recorder.record(
        SequenceNumber(UInt16(truncatingIfNeeded: number)),
        arrival: MonotonicTime(nanoseconds: UInt64(time * TransportFeedback.nanosecondsPerTick)))
      if Int.random(in: 0..<50, using: &random) == 0 { try collect() }
    }
    try collect()
    let expected = Dictionary(
      uniqueKeysWithValues: arrivals.map { (SequenceNumber(UInt16(truncatingIfNeeded: $0.number)), $0.time) })
    #expect(told == expected)
  }
}
