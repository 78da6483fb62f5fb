import DTLS
import Foundation
import MediaClient
import MediaServer
import Primitives
import RTP
import SDP
import Synchronization
import Testing

/// The repository's clip, found from this file.
let clipPath = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("fixtures/media/street.webm").path

let loopback = IPAddress(v4: 0x7f00_0001)

/// Counts what one viewer receives.
final class CountingReceiver: ClientReceiver, Sendable {
  struct Counts: Sendable {
    var packets = 0
    var lost = 0
    var rejected = 0
    var keyframes = 0
    var ssrcs: Set<UInt32> = []
    var highest: [UInt32: Int64] = [:]
    var reports = 0
  }

  private let state = Mutex((counts: Counts(), unwrappers: [UInt32: SequenceUnwrapper]()))

  var counts: Counts { state.withLock { $0.counts } }

  func isSatisfied(byProtected packet: UnsafeRawBufferPointer, now: MonotonicTime) -> Bool { false }

  func receiveRTP(_ packet: UnsafeRawBufferPointer, wireLength: Int, now: MonotonicTime) {
    guard let header = try? RTPHeader(parsing: packet) else { return }
    let isKeyframe = VideoCodec.vp8.isKeyframeStart(header.payload(in: packet))
    state.withLock { state in
      state.counts.packets += 1
      let ssrc = header.ssrc.rawValue
      state.counts.ssrcs.insert(ssrc)
      if header.payloadType.rawValue == 96, isKeyframe { state.counts.keyframes += 1 }
      let before = state.unwrappers[ssrc, default: SequenceUnwrapper()].highest
      let extended = state.unwrappers[ssrc, default: SequenceUnwrapper()].unwrap(header.sequenceNumber)
      if let before, extended > before + 1 { state.counts.lost += Int(extended - before - 1) }
    }
  }

  func receiveRTCP(_ packets: [RTCPPacket], now: MonotonicTime) {
    state.withLock { $0.counts.reports += packets.count }
  }

  func countRejected() {
    state.withLock { $0.counts.rejected += 1 }
  }

  func dueReport(now: MonotonicTime) -> [UInt8]? { nil }

  var deadline: MonotonicTime { MonotonicTime(nanoseconds: .max) }
}

/// A server on loopback with a client loop beside it.
struct Stage {
  let server: MediaServer
  let loop: ClientLoopHandle
  let identity: DTLSIdentity

  init(shards: Int = 1) throws {
    server = try MediaServer(MediaServer.Configuration(addresses: [loopback], shards: shards))
    loop = try ClientLoop.start(name: "test-clients")
    identity = try DTLSIdentity()
  }

  func close() async {
    await loop.stop()
    await server.stop()
  }

  /// Joins `incident`; returns the peer and a stream of what happens to it.
  func join(
    _ incident: IncidentID, _ purpose: ClientOffer.Purpose, as part: PeerPart? = nil, actor: String = "",
    clip: Clip? = nil, receiver: CountingReceiver? = nil
  ) async throws -> (peer: PeerID, events: AsyncStream<ClientPeer.ClientEvent>) {
    let identity = identity
    let made = await loop.perform { _ in Result { try ClientOffer(purpose, on: loopback, identity: identity) } }
    let offer = try #require(made).get()
    let permissions: MediaPermissions = clip == nil ? .subscribe : .publish
    let answer = try await server.connect(
      PeerRequest(
        incident: incident, permissions: permissions, name: "test", actor: actor, part: part,
        offer: offer.description.serialize()))
    let description = try SessionDescription(parsing: answer.sdp)
    let (events, sink) = AsyncStream.makeStream(of: ClientPeer.ClientEvent.self)
    let added = await loop.perform { loop in
      Result {
        try loop.add(
          ClientPeer(offer, answer: description, clip: clip, receiver: receiver, loop: loop) { sink.yield($0) })
      }
    }
    try #require(added).get()
    return (answer.peer, events)
  }
}

/// Waits until `condition` holds, for at most `limit`.
///
/// Looks are counted, not time: on a machine that stands still for half a minute, what is waited for does so, too.
func eventually(
  _ what: Comment, within limit: Duration = .seconds(10), _ condition: () async throws -> Bool
) async throws {
  let (clock, pause) = (ContinuousClock(), Duration.milliseconds(20))
  for _ in 0..<Int(limit / pause) {
    if try await condition() { return }
    try await clock.sleep(until: clock.now + pause)
  }
  Issue.record(what)
}
