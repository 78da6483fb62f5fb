import Primitives
import RTP

/// One thing that a media thread hands to another thread; the payload of a packet follows it in the ring.
///
/// What crosses: packets and sender reports of recorded sources to the recorder, the same of mirrored sources to the media
/// threads that serve more of an incident's viewers.
package struct HandoverEntry: BitwiseCopyable, Sendable {
  package enum Kind: UInt8, BitwiseCopyable, Sendable {
    /// Fills the end of the ring's memory.
    case padding
    /// A packet, with its payload.
    case packet
    /// A sender report's clock pair.
    case report
    /// A packet from before the handing over began, with its payload: for the caches only.
    case history
    /// The history of a stream ends here: what comes next is ``HandoverEntry/extended`` plus one.
    case present
  }

  package var kind: Kind
  /// In the numbers of the relay that writes.
  package var format = FormatIndex.none
  package var marker = false
  /// Which of several simulcast encodings.
  package var layer: UInt8 = 0
  /// Which source, by the number under which it was announced.
  package var source: UInt32
  package var ssrc = SSRC(0)
  package var timestamp: UInt32 = 0
  /// Bytes of the payload.
  package var length: Int32 = 0
  /// Under which the packet came.
  package var payloadType = PayloadType(0)
  /// Extended sequence number.
  package var extended: Int64 = 0
  /// Monotonic, nanoseconds.
  package var arrival: UInt64 = 0
  /// For the recorder the sender's clock in a report; for a mirror the server's wall clock at ``timestamp``.
  package var ntpTime = NTPTimestamp(bits: 0)
  var layers = PacketLayers()
  /// Pixels of the stream's pictures; 0 while unknown.
  var width: UInt16 = 0
  var height: UInt16 = 0

  package init(kind: Kind, source: UInt32) {
    self.kind = kind
    self.source = source
  }
}
