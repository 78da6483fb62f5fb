import Primitives

/// What the relay keeps of one incoming packet: the plaintext payload and the header fields that are rewritten.
struct CachedPacket: BitwiseCopyable {
  /// Extended sequence number of the stream it came on; negative while the place is empty.
  var extended: Int64 = -1
  var timestamp: UInt32 = 0
  /// Bytes of the payload as received.
  var length: Int32 = 0
  /// Bytes of the payload with the padding that equalises sizes (1 to 3 bytes) or without.
  var paddedLength: Int32 = 0
  /// Which of the relay's formats the payload is in.
  var format = FormatIndex.none
  var marker = false
  var layers = PacketLayers()
  /// A viewer can start here: any packet of sound, the first one of a keyframe.
  var startsKeyframe: Bool {
    get { layers.startsKeyframe }
    set { layers.startsKeyframe = newValue }
  }

  /// Longest payload kept: an Ethernet frame's worth.
  static let maximumPayload = 1_500
  /// Distance between payloads in memory: the payload and the padding, in whole cache lines.
  static let stride = 1_536
}

/// The last packets of one stream, found by extended sequence number: the source of retransmissions and of the fan-out.
///
/// At the limit the oldest packet gives way. Memory is allocated once and owned by whoever calls ``deallocate()``.
struct PacketRing: BitwiseCopyable {
  let capacity: Int
  let entries: UnsafeMutablePointer<CachedPacket>
  let payloads: UnsafeMutableRawPointer

  /// Packets kept of a video stream: about two seconds at 2.5 Mbit/s.
  ///
  /// A power of two.
  static let videoCapacity = 512
  /// Packets kept of an audio stream: about a second.
  ///
  /// A power of two.
  static let audioCapacity = 64

  init(capacity: Int) {
    precondition(capacity.nonzeroBitCount == 1, "ring capacity \(capacity) is no power of two")
    self.capacity = capacity
    entries = .allocate(capacity: capacity)
    entries.initialize(repeating: CachedPacket(), count: capacity)
    payloads = .allocate(byteCount: capacity * CachedPacket.stride, alignment: 64)
  }

  func deallocate() {
    entries.deallocate()
    payloads.deallocate()
  }

  @inline(__always)
  func place(of extended: Int64) -> Int {
    Int(truncatingIfNeeded: extended) & (capacity &- 1)
  }

  @inline(__always)
  func payload(at place: Int) -> UnsafeMutableRawPointer {
    payloads + place &* CachedPacket.stride
  }

  /// The place of a packet that is still kept.
  @inline(__always)
  func find(_ extended: Int64) -> Int? {
    let place = place(of: extended)
    return entries[place].extended == extended ? place : nil
  }

  /// Keeps a packet; false when it is a duplicate, or older than what its place holds.
  @inline(__always)
  func insert(_ packet: CachedPacket, payload: UnsafeRawPointer) -> Bool {
    let place = place(of: packet.extended)
    guard entries[place].extended < packet.extended else { return false }
    entries[place] = packet
    self.payload(at: place).copyMemory(from: payload, byteCount: Int(packet.length))
    return true
  }
}
