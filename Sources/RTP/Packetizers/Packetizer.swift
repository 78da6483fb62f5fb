import Primitives

/// Cuts encoded frames into RTP payloads.
///
/// For our own senders (demo caller, load generator), not for the relay's packet path.
package protocol Packetizer {
  /// The payloads of one frame in sending order, none larger than the maximum. The last one gets the marker bit
  /// (video).
  ///
  /// Empty when the frame is empty or makes no sense.
  mutating func packetize(_ frame: UnsafeRawBufferPointer) -> [[UInt8]]
}

/// Splits a frame into parts of nearly equal size: all are the same but for the last, so that they can leave in one GSO
/// batch.
struct EvenSplit: Sequence, IteratorProtocol {
  private var rest: Range<Int>
  private let size: Int

  /// Splits `count` bytes into parts of at most `maximum`, which must be positive.
  init(_ count: Int, maximum: Int) {
    precondition(maximum > 0, "no room for payload")
    let parts = (count + maximum - 1) / maximum
    rest = 0..<count
    size = parts == 0 ? 0 : (count + parts - 1) / parts
  }

  mutating func next() -> Range<Int>? {
    guard !rest.isEmpty else { return nil }
    let part = rest.prefix(size)
    rest = part.upperBound..<rest.upperBound
    return part
  }
}
