import Primitives

/// Protected datagrams on their way to the socket, gathered per viewer so that the kernel can split them (UDP_SEGMENT).
///
/// The relay fills it, the media thread sends it and clears it. All memory is allocated once.
package struct EgressBuffer: ~Copyable {
  /// One message for the socket: a datagram, or several of equal size (the last may be shorter) to one peer.
  package struct Message: BitwiseCopyable {
    package var destination: PeerHandle
    /// Where the bytes start in ``memory``.
    package var offset: Int32
    /// All bytes of the message.
    package var length: Int32
    /// Bytes of each datagram but the last; equal to `length` for a single datagram.
    package var segmentSize: Int32
    /// Datagrams in the message.
    package var segments: Int32
    /// What they are marked with on a network that tells packets apart.
    package var codePoint: DSCP
  }

  /// Messages that fit: more than a few of a picture's would push each other out of the processor's cache before they are
  /// sent.
  package static let maximumMessages = 16
  /// Bytes that fit.
  package static let capacity = 1 << 18
  /// Longest message: the largest UDP payload over IPv4.
  package static let maximumMessageLength = 65_507
  /// Most datagrams in a message: the kernel's UDP_MAX_SEGMENTS on the oldest kernels in use.
  package static let maximumSegments = 64

  package let memory: UnsafeMutableRawPointer
  package let messages: UnsafeMutablePointer<Message>
  package private(set) var count = 0
  package private(set) var used = 0

  package init() {
    memory = .allocate(byteCount: Self.capacity, alignment: 64)
    messages = .allocate(capacity: Self.maximumMessages)
  }

  deinit {
    memory.deallocate()
    messages.deallocate()
  }

  /// Whether another message of the largest size fits.
  @inline(__always)
  package var hasRoom: Bool {
    count < Self.maximumMessages && used &+ Self.maximumMessageLength <= Self.capacity
  }

  /// Where the next message's bytes go.
  ///
  /// Only valid while ``hasRoom``.
  @inline(__always)
  package var next: UnsafeMutableRawPointer { memory + used }

  /// Takes `length` bytes that were written at ``next`` as a message of `segments` datagrams.
  @inline(__always)
  package mutating func commit(
    to destination: PeerHandle, length: Int, segmentSize: Int, segments: Int, codePoint: DSCP
  ) {
    messages[count] = Message(
      destination: destination, offset: Int32(truncatingIfNeeded: used), length: Int32(truncatingIfNeeded: length),
      segmentSize: Int32(truncatingIfNeeded: segmentSize), segments: Int32(truncatingIfNeeded: segments),
      codePoint: codePoint)
    count &+= 1
    // Aligned, so that the next message's header is written without splitting a cache line.
    used = (used &+ length &+ 63) & ~63
  }

  /// Forgets everything, after it was sent.
  package mutating func clear() {
    count = 0
    used = 0
  }
}
