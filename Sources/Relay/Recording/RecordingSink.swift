import Primitives

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
  func attach(_ ring: HandoverRing, shard: Int, requestKeyframe: @escaping RecordedKeyframeRequest)
  /// A source is about to send.
  func announce(_ source: SourceAnnouncement, shard: Int)
  /// Nothing comes of a source any more; what it sent is in the ring.
  func withdraw(_ source: UInt32, shard: Int)
}
