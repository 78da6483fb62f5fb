import MediaClient
import Primitives
import RTP
import SDP
import SRTP
import Testing

/// A player whose packets are decrypted again; time is simulated.
private struct PlayedClip {
  let clip: Clip
  var player: ClipPlayer
  private let sender: SRTPContext
  private let receiver: SRTPContext

  init(stampClock: (() -> MonotonicTime)? = nil) throws {
    clip = try Clip(path: Fixtures.webm)
    var random = RandomSource.seeded(3)
    player = try #require(ClipPlayer(clip, session: .sending(), stampClock: stampClock, random: &random))
    let engine = try SRTPEngine(.openSSL)
    let here = SRTPKeys(masterKey: [UInt8](repeating: 1, count: 16), masterSalt: [UInt8](repeating: 2, count: 12))
    let there = SRTPKeys(masterKey: [UInt8](repeating: 3, count: 16), masterSalt: [UInt8](repeating: 4, count: 12))
    sender = try SRTPContext(engine: engine, profile: .aeadAES128GCM, local: here, remote: there)
    receiver = try SRTPContext(engine: engine, profile: .aeadAES128GCM, local: there, remote: here)
  }

  /// The packets due at `now`, in the clear.
  mutating func play(_ now: MonotonicTime) throws -> [[UInt8]] {
    var sent: [[UInt8]] = []
    player.play(now: now, outbound: sender.outbound) { sent.append(Array($0)) }
    return try sent.map(open)
  }

  /// What the player sends when `numbers` of a stream are asked for.
  mutating func ask(for numbers: [SequenceNumber], of ssrc: SSRC) throws -> [[UInt8]] {
    var sent: [[UInt8]] = []
    let request = GenericNACK(senderSSRC: SSRC(9), mediaSSRC: ssrc, lost: numbers)
    player.handle([.genericNACK(request)], outbound: sender.outbound) { sent.append(Array($0)) }
    return try sent.map(open)
  }

  private func open(_ packet: [UInt8]) throws -> [UInt8] {
    var packet = packet
    let result = packet.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { receiver.unprotectRTP($0, length: bytes.count) }
    }
    guard case .accepted(let length) = try #require(result) else {
      Issue.record("\(String(describing: result))")
      return []
    }
    return Array(packet.prefix(length))
  }
}

@Suite("Clip players")
struct ClipPlayerTests {
  private func header(_ packet: [UInt8]) throws -> RTPHeader {
    try packet.withUnsafeBytes { try RTPHeader(parsing: $0) }
  }

  @Test func `packets are sent when they are due, round after round`() throws {
    var played = try PlayedClip()
    defer { played.player.deallocate() }
    var sent = 0
    for step in 0...2_500 {
      let now = MonotonicTime.ms(Int64(step) * 10)
      let packets = try played.play(now)
      sent += packets.count
      let position = TimeInterval64.milliseconds(Int64(step) * 10)
      let rounds = position.nanoseconds / played.clip.duration.nanoseconds
      let rest = TimeInterval64(nanoseconds: position.nanoseconds % played.clip.duration.nanoseconds)
      let due = Int(rounds) * played.clip.payloads.count + played.clip.payloads.count { $0.time <= rest }
      try #require(sent == due)
      #expect(played.player.deadline <= now + .milliseconds(40))
    }
    #expect(played.player.counters.sent == UInt64(sent) && played.player.counters.skipped == 0)
  }

  @Test func `each stream's numbers are continuous and its timestamps follow the clip`() throws {
    var played = try PlayedClip()
    defer { played.player.deallocate() }
    var headers: [RTPHeader] = []
    for step in 0..<200 { headers += try played.play(.ms(Int64(step) * 5)).map(header) }
    for ssrc in [SSRC(1), Packets.video] {
      let own = headers.filter { $0.ssrc == ssrc }
      #expect(own.count > 40)
      #expect(zip(own, own.dropFirst()).allSatisfy { $1.sequenceNumber.distance(from: $0.sequenceNumber) == 1 })
    }
    let frames = headers.filter { $0.ssrc == Packets.video && $0.marker }
    #expect(zip(frames, frames.dropFirst()).allSatisfy { (2_900...3_100).contains($1.timestamp &- $0.timestamp) })
  }

  @Test func `a lost packet is sent again on the retransmission stream, once per request`() throws {
    var played = try PlayedClip(stampClock: { .ms(1) })
    defer { played.player.deallocate() }
    let sent = try played.play(.ms(0))
    let original = try #require(try sent.first { try header($0).ssrc == Packets.video })
    let number = try header(original).sequenceNumber
    let again = try played.ask(for: [number], of: Packets.video)
    #expect(again.count == 1)
    let packet = try #require(again.first)
    let repeated = try header(packet)
    #expect(repeated.ssrc == Packets.repair && repeated.payloadType == PayloadType(97))
    #expect(repeated.timestamp == (try header(original)).timestamp)
    #expect(packet[12...13].elementsEqual([UInt8(number.rawValue >> 8), UInt8(number.rawValue & 0xff)]))
    // The same payload, but not the stamp: a repair is no measure of forwarding.
    let payload = original.dropFirst(12)
    #expect(packet.dropFirst(14).dropLast(DelayStamp.length).elementsEqual(payload.dropLast(DelayStamp.length)))
    #expect(payload.withUnsafeBytes { DelayStamp.read($0) } == .ms(1))
    #expect(packet.withUnsafeBytes { DelayStamp.read($0) } == nil)
    #expect(try played.ask(for: [number &+ 2_000], of: Packets.video).isEmpty)
    #expect(try played.ask(for: [number], of: SSRC(4_711)).isEmpty)
    #expect(played.player.counters.retransmitted == 1)
  }

  @Test func `a player that was held up skips ahead instead of flooding`() throws {
    var played = try PlayedClip()
    defer { played.player.deallocate() }
    _ = try played.play(.ms(0))
    #expect(try played.play(.ms(9_000)).count == 512)
    #expect(played.player.counters.skipped > 1_000)
    #expect(try played.play(.ms(9_020)).count < 40)
  }

  @Test func `a stopped player sends nothing new but still answers`() throws {
    var played = try PlayedClip()
    defer { played.player.deallocate() }
    let sent = try played.play(.ms(0))
    played.player.stop()
    #expect(try played.play(.ms(100)).isEmpty)
    let number = try header(try #require(try sent.first { try header($0).ssrc == Packets.video })).sequenceNumber
    #expect(try played.ask(for: [number], of: Packets.video).count == 1)
  }
}
