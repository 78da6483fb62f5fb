import Archive
import Primitives

/// Gives the bytes of segments in the clear, however they lie on the disk.
package protocol SegmentSource: Sendable {
  /// Bytes that each part (the header, a fragment, a whole still) is longer on the disk than in the clear.
  var overhead: Int { get }

  /// The clear bytes of a part, out of what the disk holds.
  ///
  /// Throws `damaged` when they are not what was written.
  func open(part: Int, of path: ArchivePath, stored bytes: [UInt8]) throws(Refusal) -> [UInt8]
}

/// Where nothing is encrypted at rest.
package struct PlainSegments: SegmentSource {
  package init() {}

  package var overhead: Int { 0 }

  package func open(part: Int, of path: ArchivePath, stored bytes: [UInt8]) -> [UInt8] { bytes }
}
