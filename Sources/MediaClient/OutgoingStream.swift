import Primitives
import RTP
import SDP

/// One RTP stream that we send, with what is needed to send a packet again.
struct OutgoingStream {
  let ssrc: SSRC
  let retransmissionSSRC: SSRC?
  let payloadType: PayloadType
  let retransmissionPayloadType: PayloadType?
  let clockRate: UInt32
  private let timestampBase: UInt32
  private(set) var nextExtended: Int64
  private var nextRetransmission: Int64
  private var history = [Sent?](repeating: nil, count: Self.historyLength)
  private(set) var packets: UInt32 = 0
  private(set) var octets: UInt32 = 0

  /// A packet as it was sent.
  struct Sent {
    let extended: Int64
    let payload: Int
    let timestamp: UInt32
    let marker: Bool
  }

  /// Packets that can be sent again, a power of two: about four seconds of video.
  private static let historyLength = 1_024

  init(_ slot: NegotiatedSlot, codec: NegotiatedCodec, random: inout RandomSource) {
    ssrc = slot.ssrc
    retransmissionSSRC = slot.retransmissionSSRC
    payloadType = codec.payloadType
    retransmissionPayloadType = codec.retransmission
    clockRate = codec.clockRate
    timestampBase = UInt32(truncatingIfNeeded: random.next())
    // Below 2^15, so that both sides begin with rollover counter 0 (RFC 3711 §3.3.1).
    nextExtended = Int64(random.next() & 0x7fff)
    nextRetransmission = Int64(random.next() & 0x7fff)
  }

  /// The RTP timestamp of a moment of the playback.
  func timestamp(at time: TimeInterval64) -> UInt32 {
    timestampBase &+ UInt32(truncatingIfNeeded: time.nanoseconds / 1_000 &* Int64(clockRate) / 1_000_000)
  }

  /// Numbers the payload at `place` as the next packet.
  mutating func send(payload place: Int, length: Int, marker: Bool, at time: TimeInterval64) -> Sent {
    let sent = Sent(extended: nextExtended, payload: place, timestamp: timestamp(at: time), marker: marker)
    history[Int(nextExtended) & (Self.historyLength - 1)] = sent
    nextExtended += 1
    packets &+= 1
    octets &+= UInt32(truncatingIfNeeded: length)
    return sent
  }

  /// The packet that was sent as `number`, if it is recent.
  func find(_ number: SequenceNumber) -> Sent? {
    let newest = nextExtended - 1
    let extended = newest + Int64(number.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: newest))))
    guard extended >= 0, let sent = history[Int(extended) & (Self.historyLength - 1)], sent.extended == extended else {
      return nil
    }
    return sent
  }

  /// The extended number of the next retransmission packet.
  mutating func takeRetransmissionNumber() -> Int64 {
    defer { nextRetransmission += 1 }
    return nextRetransmission
  }
}
