import MediaClient
import Primitives
import RTP
import SDP
import SRTP

extension NegotiatedSession {
  /// A session in which the peer sends sound and VP8 with retransmissions.
  static func receiving() -> NegotiatedSession {
    var session = NegotiatedSession(remote: .example, dtlsRole: .client)
    session.sources = [
      NegotiatedSource(mid: "0", mediaLineIndex: 0, kind: .audio, codecs: [.usualOpus]),
      NegotiatedSource(
        mid: "1", mediaLineIndex: 1, kind: .video, codecs: [.usualVP8],
        announced: AnnouncedSources(encodings: [.init(ssrc: Packets.video, retransmission: Packets.repair)])),
    ]
    return session
  }

  /// A session in which we send sound and VP8 with retransmissions.
  static func sending() -> NegotiatedSession {
    var session = NegotiatedSession(remote: .example, dtlsRole: .client)
    session.slots = [
      NegotiatedSlot(mid: "0", mediaLineIndex: 0, kind: .audio, codecs: [.usualOpus], ssrc: SSRC(1), cname: "test"),
      NegotiatedSlot(
        mid: "1", mediaLineIndex: 1, kind: .video, codecs: [.usualVP8], ssrc: Packets.video,
        retransmissionSSRC: Packets.repair, cname: "test"),
    ]
    return session
  }
}

extension RemoteTransport {
  static let example = RemoteTransport(
    credentials: SDPICECredentials(usernameFragment: "abcd", password: "abcdefghijklmnopqrstuv"),
    fingerprints: [SDPFingerprint(hash: "sha-256", bytes: [UInt8](repeating: 1, count: 32))], setup: .passive)
}

/// RTP packets as a server would send them.
enum Packets {
  static let video = SSRC(100)
  static let repair = SSRC(101)

  /// A VP8 packet in the clear; `sent` is stamped into it.
  static func vp8(_ number: UInt16, keyframe: Bool = false, sent: MonotonicTime? = nil) -> [UInt8] {
    packet(number, .usualVP8, ssrc: video, payload: payload(keyframe: keyframe, sent: sent))
  }

  /// The retransmission of ``vp8(_:keyframe:sent:)``.
  static func retransmission(_ number: UInt16, of original: UInt16, sent: MonotonicTime? = nil) -> [UInt8] {
    let body = [UInt8(original >> 8), UInt8(original & 0xff)] + payload(keyframe: false, sent: sent)
    return packet(number, PayloadType(NegotiatedCodec.usualVP8.payloadType.rawValue + 1), ssrc: repair, payload: body)
  }

  private static func payload(keyframe: Bool, sent: MonotonicTime?) -> [UInt8] {
    // RFC 7741 §4.2: S bit set, partition 0; §4.3: the lowest bit of the frame header is 0 in a keyframe.
    var payload: [UInt8] = [0x10, keyframe ? 0x00 : 0x01] + [UInt8](repeating: 7, count: 98)
    if let sent { payload.withUnsafeMutableBytes { _ = DelayStamp.write(sent, into: $0) } }
    return payload
  }

  private static func packet(_ number: UInt16, _ codec: NegotiatedCodec, ssrc: SSRC, payload: [UInt8]) -> [UInt8] {
    packet(number, codec.payloadType, ssrc: ssrc, payload: payload)
  }

  private static func packet(_ number: UInt16, _ type: PayloadType, ssrc: SSRC, payload: [UInt8]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: RTPHeader.fixedLength)
    bytes.withUnsafeMutableBytes {
      guard let base = $0.baseAddress else { return }
      RTPHeader.write(
        to: base, marker: false, payloadType: type, sequenceNumber: SequenceNumber(number), timestamp: 0, ssrc: ssrc)
    }
    return bytes + payload
  }
}

extension MonotonicTime {
  /// So many milliseconds after the simulation began.
  static func ms(_ value: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: 10_000_000_000) + .milliseconds(value) }
}
