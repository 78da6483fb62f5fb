import Primitives
import RTP
import Relay
import SRTP
import Testing

/// The far end of one viewer: decrypts what the relay sends it.
final class Viewer {
  struct Slot {
    let handle: SlotHandle
    let ssrc: SSRC
    let retransmissionSSRC: SSRC
  }

  let peer: PeerHandle
  let server: SRTPContext
  var slots: [Slot] = []
  private(set) var received: [ReceivedPacket] = []
  private(set) var rejections: [SRTPRejection] = []
  private let client: SRTPContext

  init(peer: PeerHandle, engine: SRTPEngine) throws {
    self.peer = peer
    var random = RandomSource.seeded(UInt64(peer.index) + 77)
    let profile = SRTPProfile.aeadAES128GCM
    let local = SRTPKeys(masterKey: random.bytes(profile.keyLength), masterSalt: random.bytes(profile.saltLength))
    let remote = SRTPKeys(masterKey: random.bytes(profile.keyLength), masterSalt: random.bytes(profile.saltLength))
    server = try SRTPContext(engine: engine, profile: profile, local: local, remote: remote)
    client = try SRTPContext(engine: engine, profile: profile, local: remote, remote: local)
  }

  /// Packets of a slot's media stream, in order of arrival.
  func media(_ slot: Int = 0) -> [ReceivedPacket] { received.filter { $0.header.ssrc == slots[slot].ssrc } }

  /// Packets of a slot's retransmission stream, in order of arrival.
  func retransmissions(_ slot: Int = 0) -> [ReceivedPacket] {
    received.filter { $0.header.ssrc == slots[slot].retransmissionSSRC }
  }

  func forgetReceived() { received = [] }

  func receive(_ datagram: UnsafeRawBufferPointer, at now: MonotonicTime) {
    var bytes = Array(datagram)
    let result = bytes.withUnsafeMutableBytes { buffer in
      buffer.baseAddress.map { client.unprotectRTP($0, length: buffer.count) } ?? .rejected(.malformed)
    }
    switch result {
    case .rejected(let reason): rejections.append(reason)
    case .accepted(let length):
      bytes.removeLast(bytes.count - length)
      do {
        received.append(try ReceivedPacket(bytes, at: now))
      } catch {
        Issue.record("the relay made RTP that does not parse: \(error)")
      }
    }
  }
}

/// A packet as a viewer sees it.
struct ReceivedPacket {
  let header: RTPHeader
  let bytes: [UInt8]
  let payload: [UInt8]
  let arrival: MonotonicTime

  init(_ bytes: [UInt8], at now: MonotonicTime) throws {
    self.bytes = bytes
    header = try bytes.withUnsafeBytes { try RTPHeader(parsing: $0) }
    payload = Array(bytes[header.headerLength..<(header.headerLength + header.payloadLength)])
    arrival = now
  }

  var sequence: UInt16 { header.sequenceNumber.rawValue }
  /// Which packet of a ``TestStream`` this is.
  var tag: UInt32 { TestStream.tag(of: payload) }
  /// The original sequence number of a retransmission.
  var original: UInt16 { UInt16(payload[0]) << 8 | UInt16(payload[1]) }
}

extension [ReceivedPacket] {
  var tags: [UInt32] { map(\.tag) }

  /// Each sequence number is the successor of the one before.
  var isContinuous: Bool {
    zip(self, dropFirst()).allSatisfy { $1.sequence == $0.sequence &+ 1 }
  }
}
