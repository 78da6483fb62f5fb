import Primitives

/// The last complete keyframe of a video stream: what a new viewer sees at once, while a fresh one is asked for.
///
/// A keyframe of more packets than fit is not kept. Memory is owned by whoever calls ``deallocate()``.
struct KeyframeCache {
  private enum State {
    case empty
    case collecting(start: Int64, timestamp: UInt32, received: Int, last: Int64?)
    case complete(start: Int64, count: Int)
  }

  private var state = State.empty
  private let packets: UnsafeMutablePointer<CachedPacket>
  private let payloads: UnsafeMutableRawPointer

  /// Packets of the largest keyframe kept: about 140 kB, a 1080p picture of a busy scene.
  static let maximumPackets = 128

  init() {
    packets = .allocate(capacity: Self.maximumPackets)
    packets.initialize(repeating: CachedPacket(), count: Self.maximumPackets)
    payloads = .allocate(byteCount: Self.maximumPackets * CachedPacket.stride, alignment: 64)
  }

  func deallocate() {
    packets.deallocate()
    payloads.deallocate()
  }

  /// The extended sequence numbers of the keyframe that is kept.
  var range: Range<Int64>? {
    switch state {
    case .complete(let start, let count): start..<(start + Int64(count))
    case .empty, .collecting: nil
    }
  }

  /// Where the newest keyframe starts, be it complete or not.
  var newestStart: Int64? {
    switch state {
    case .complete(let start, _), .collecting(let start, _, _, _): start
    case .empty: nil
    }
  }

  /// The place of a packet of the keyframe that is kept.
  func find(_ extended: Int64) -> Int? {
    guard let range, range.contains(extended) else { return nil }
    return Int(extended - range.lowerBound)
  }

  func packet(at place: Int) -> CachedPacket { packets[place] }

  func payload(at place: Int) -> UnsafeMutableRawPointer { payloads + place * CachedPacket.stride }

  /// Takes note of a packet of the stream; packets of other pictures cost one comparison.
  @inline(__always)
  mutating func note(_ packet: CachedPacket, payload: UnsafeRawPointer) {
    if packet.startsKeyframe { restart(at: packet) }
    if case .collecting(let start, let timestamp, let received, let last) = state, packet.timestamp == timestamp {
      collect(packet, payload, start: start, received: received, last: last)
    }
  }

  private mutating func restart(at packet: CachedPacket) {
    switch state {
    case .collecting(let start, let timestamp, _, _) where timestamp == packet.timestamp && start <= packet.extended:
      return  // A further slice of the same picture.
    case .collecting(let start, let timestamp, _, _) where timestamp != packet.timestamp && start > packet.extended:
      return  // An older picture, which came late.
    case .complete(let start, _) where start >= packet.extended || packets[0].timestamp == packet.timestamp:
      return
    case .empty, .collecting, .complete:
      for place in 0..<Self.maximumPackets { packets[place].extended = -1 }
      state = .collecting(start: packet.extended, timestamp: packet.timestamp, received: 0, last: nil)
    }
  }

  private mutating func collect(
    _ packet: CachedPacket, _ payload: UnsafeRawPointer, start: Int64, received: Int, last: Int64?
  ) {
    let place = packet.extended - start
    guard place >= 0 else { return }
    guard place < Self.maximumPackets else {
      state = .empty
      return
    }
    guard packets[Int(place)].extended != packet.extended else { return }
    packets[Int(place)] = packet
    self.payload(at: Int(place)).copyMemory(from: payload, byteCount: Int(packet.length))
    let last = packet.marker ? packet.extended : last
    let received = received + 1
    if let last, Int64(received) == last - start + 1 {
      state = .complete(start: start, count: received)
    } else {
      state = .collecting(start: start, timestamp: packet.timestamp, received: received, last: last)
    }
  }
}
