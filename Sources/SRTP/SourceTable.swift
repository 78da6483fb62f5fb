/// The receiving state of one SSRC.
struct InboundSource: BitwiseCopyable {
  typealias RTPWindow = ReplayWindow<16>
  typealias RTCPWindow = ReplayWindow<2>

  var rtp = RTPWindow()
  var rtcp = RTCPWindow()
}

/// Receiving states by SSRC, in plain memory that grows with the sources that come, up to a fixed number.
///
/// SSRCs stand together, so that a look-up scans a few cache lines; peers send few sources, and most packets come in
/// the order in which sources were first seen.
///
/// A handle: copies share the memory, which the owner frees. A source's place is valid until the next ``insert(_:)``.
struct SourceTable: BitwiseCopyable {
  private let limit: Int
  private let memory: UnsafeMutablePointer<Memory>

  private struct Memory: BitwiseCopyable {
    var count = 0
    var capacity: Int
    var ssrcs: UnsafeMutablePointer<UInt32>
    var sources: UnsafeMutablePointer<InboundSource>

    init(capacity: Int) {
      self.capacity = capacity
      ssrcs = .allocate(capacity: capacity)
      ssrcs.initialize(repeating: 0, count: capacity)
      sources = .allocate(capacity: capacity)
      sources.initialize(repeating: InboundSource(), count: capacity)
    }

    func deallocate() {
      ssrcs.deallocate()
      sources.deallocate()
    }
  }

  /// Places made at first: a viewer's reports need one or two.
  private static var firstCapacity: Int { 4 }

  init(_ limit: Int) {
    self.limit = limit
    memory = .allocate(capacity: 1)
    memory.initialize(to: Memory(capacity: min(limit, Self.firstCapacity)))
  }

  func deallocate() {
    memory.pointee.deallocate()
    memory.deallocate()
  }

  var count: Int { memory.pointee.count }

  @inline(__always)
  var isFull: Bool { memory.pointee.count == limit }

  @inline(__always)
  func find(_ ssrc: UInt32) -> UnsafeMutablePointer<InboundSource>? {
    let count = memory.pointee.count
    let ssrcs = memory.pointee.ssrcs
    var slot = 0
    while slot < count {
      if ssrcs[slot] == ssrc { return memory.pointee.sources + slot }
      slot &+= 1
    }
    return nil
  }

  /// The state of a new SSRC; the table must not be full.
  func insert(_ ssrc: UInt32) -> UnsafeMutablePointer<InboundSource> {
    precondition(!isFull, "a source inserted into a full table of \(limit)")
    if memory.pointee.count == memory.pointee.capacity { grow() }
    let slot = memory.pointee.count
    memory.pointee.ssrcs[slot] = ssrc
    memory.pointee.count = slot + 1
    return memory.pointee.sources + slot
  }

  private func grow() {
    let old = memory.pointee
    var larger = Memory(capacity: min(limit, old.capacity * 2))
    larger.count = old.count
    larger.ssrcs.update(from: old.ssrcs, count: old.count)
    larger.sources.update(from: old.sources, count: old.count)
    memory.pointee = larger
    old.deallocate()
  }
}
