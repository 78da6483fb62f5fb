import Primitives

/// One thing that a media thread tells the recorder; the payload of a packet follows it in the ring.
package struct RecordingEntry: BitwiseCopyable, Sendable {
  package enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// Fills the end of the ring's memory.
    case padding
    /// A packet, with its payload.
    case packet
    /// A sender report's clock pair.
    case report
  }

  package var kind: Kind
  package var format = FormatIndex.none
  package var marker = false
  /// Which of several simulcast encodings.
  package var layer: UInt8 = 0
  /// Which recorded source, by the number of its ``SourceAnnouncement``.
  package var source: UInt32
  package var ssrc = SSRC(0)
  package var timestamp: UInt32 = 0
  /// Bytes of the payload.
  package var length: Int32 = 0
  /// Extended sequence number.
  package var extended: Int64 = 0
  /// Monotonic, nanoseconds.
  package var arrival: UInt64 = 0
  /// The sender's clock in a report.
  package var ntpTime = NTPTimestamp(bits: 0)

  package init(kind: Kind, source: UInt32) {
    self.kind = kind
    self.source = source
  }
}

/// A source that is recorded, told before its first entry is in the ring; simulcast encodings differ by their SSRC.
package struct SourceAnnouncement: Hashable, Sendable {
  package var incident: IncidentID
  /// Unique on the node while it runs.
  package var number: UInt32
  package var peer: PeerID
  package var kind: SourceKind
  /// The formats of the relay by their index, as far as the source may send them.
  package var formats: [FormatIndex: MediaFormat]

  package init(
    incident: IncidentID, number: UInt32, peer: PeerID, kind: SourceKind, formats: [FormatIndex: MediaFormat]
  ) {
    self.incident = incident
    self.number = number
    self.peer = peer
    self.kind = kind
    self.formats = formats
  }
}

/// Asks the sender of a recorded source for a keyframe of one of its streams.
package typealias RecordedKeyframeRequest = @Sendable (_ source: UInt32, _ stream: SSRC) -> Void

/// Who records: told of rings and sources by media threads, off the packet path; must not block.
package protocol RecordingSink: Sendable {
  /// A media thread writes to `ring` from now on.
  func attach(_ ring: RecordingRing, shard: Int, requestKeyframe: @escaping RecordedKeyframeRequest)
  /// A source is about to send.
  func announce(_ source: SourceAnnouncement, shard: Int)
  /// Nothing comes of a source any more; what it sent is in the ring.
  func withdraw(_ source: UInt32, shard: Int)
}
