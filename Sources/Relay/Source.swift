import Primitives
import RTP

/// One m-line on which a peer sends: its payload types, its streams and the slots that follow it.
struct Source {
  /// Whether its packets come from another media thread rather than from a peer of this one.
  let isMirror: Bool
  let kind: SourceKind
  let mid: String
  let acceptsNACK: Bool
  let payloadTypes: PayloadTypeTable
  let announced: [(media: SSRC, retransmission: SSRC?)]
  /// One stream, or one for each simulcast encoding.
  var streams: [NamedStream] = []
  /// The stream that slots show.
  var preferred: StreamHandle?
  var status = SourceStatus(activity: .waiting, format: nil, bitsPerSecond: 0)
  /// Its incident's priority, 1 (most urgent) to 4.
  var priority: UInt8 = 4
  /// What the recorder knows it by; 0 while it is not recorded.
  var recording: UInt32 = 0
  /// The other media threads that fan it out, too.
  var mirrors = Mirrors()
  /// When a keyframe of one of its streams was asked for last.
  var keyframeAskedAt: MonotonicTime?
  /// Slots connected to this source.
  var slots: [SlotHandle] = []

  /// Streams of one source: a few simulcast encodings and those of a sender that changes its SSRC.
  static let maximumStreams = 8
}

/// A stream and the simulcast encoding that it is, if any (RFC 8853).
struct NamedStream {
  let handle: StreamHandle
  let rid: String?
}

/// Where a source stands, for those who watch from above.
package struct SourceStatus: Hashable, Sendable {
  package enum Activity: String, Hashable, Sendable {
    /// Nothing received yet.
    case waiting
    case live
    /// Nothing received for ``Relay/stallLimit``.
    case stalled
  }

  package var activity: Activity
  package var format: MediaFormat?
  /// Received bits per second, over all of its streams.
  package var bitsPerSecond: Int
  /// Whether somebody speaks there, as the loudness that the sender tells shows (RFC 6464).
  package var isSpeaking: Bool

  package init(activity: Activity, format: MediaFormat?, bitsPerSecond: Int, isSpeaking: Bool = false) {
    self.activity = activity
    self.format = format
    self.bitsPerSecond = bitsPerSecond
    self.isSpeaking = isSpeaking
  }
}

/// What each payload type of an m-line means.
///
/// Lookups are two loads.
struct PayloadTypeTable {
  private var formats = InlineArray<128, UInt8>(repeating: FormatIndex.none.value)
  private var originals = InlineArray<128, UInt8>(repeating: 0xff)

  init(_ list: [RelayedFormat], formats table: inout FormatTable) {
    for entry in list {
      formats[Int(entry.payloadType.rawValue & 0x7f)] = table.index(of: entry.format).value
      if let rtx = entry.retransmission {
        originals[Int(rtx.rawValue & 0x7f)] = entry.payloadType.rawValue
      }
    }
  }

  /// Has a payload type mean redundant audio; only one that means nothing else.
  mutating func setRedundancy(_ payloadType: PayloadType) {
    guard !contains(payloadType) else { return }
    formats[Int(payloadType.rawValue & 0x7f)] = FormatIndex.redundantAudio.value
  }

  /// The format of a media payload type; ``FormatIndex/none`` when it was not negotiated.
  @inline(__always)
  func format(of payloadType: PayloadType) -> FormatIndex {
    FormatIndex(formats[Int(payloadType.rawValue & 0x7f)])
  }

  /// The media payload type whose retransmissions `payloadType` carries; nil when it carries none.
  @inline(__always)
  func original(of payloadType: PayloadType) -> PayloadType? {
    let value = originals[Int(payloadType.rawValue & 0x7f)]
    return value == 0xff ? nil : PayloadType(value)
  }

  /// Whether any payload type stands for `format`.
  func carries(_ format: FormatIndex) -> Bool { payloadType(of: format) != nil }

  /// The first payload type that stands for `format`.
  func payloadType(of format: FormatIndex) -> PayloadType? {
    (UInt8(0)..<128).first { formats[Int($0)] == format.value }.map { PayloadType($0) }
  }

  func contains(_ payloadType: PayloadType) -> Bool {
    format(of: payloadType) != .none || original(of: payloadType) != nil
  }
}
