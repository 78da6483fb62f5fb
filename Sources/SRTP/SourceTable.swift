/// The receiving state of one SSRC.
struct InboundSource: BitwiseCopyable {
  typealias RTPWindow = ReplayWindow<16>
  typealias RTCPWindow = ReplayWindow<2>

  var rtp = RTPWindow()
  var rtcp = RTCPWindow()
}

/// Receiving states by SSRC, in plain memory of a fixed size.
///
/// SSRCs stand together, so that a look-up scans a few cache lines; peers send few sources, and most packets come in
/// the order in which sources were first seen.
///
/// A handle: copies share the memory, which the owner frees.
struct SourceTable: BitwiseCopyable {
  private let capacity: Int
  private let used: UnsafeMutablePointer<Int>
  private let ssrcs: UnsafeMutablePointer<UInt32>
  private let sources: UnsafeMutablePointer<InboundSource>

  init(_ capacity: Int) {
    self.capacity = capacity
    used = .allocate(capacity: 1)
    used.initialize(to: 0)
    ssrcs = .allocate(capacity: capacity)
    ssrcs.initialize(repeating: 0, count: capacity)
    sources = .allocate(capacity: capacity)
    sources.initialize(repeating: InboundSource(), count: capacity)
  }

  func deallocate() {
    used.deallocate()
    ssrcs.deallocate()
    sources.deallocate()
  }

  var count: Int { used.pointee }

  @inline(__always)
  var isFull: Bool { used.pointee == capacity }

  @inline(__always)
  func find(_ ssrc: UInt32) -> UnsafeMutablePointer<InboundSource>? {
    let count = used.pointee
    var slot = 0
    while slot < count {
      if ssrcs[slot] == ssrc { return sources + slot }
      slot &+= 1
    }
    return nil
  }

  /// The state of a new SSRC; the table must not be full.
  func insert(_ ssrc: UInt32) -> UnsafeMutablePointer<InboundSource> {
    precondition(!isFull, "a source inserted into a full table of \(capacity)")
    let slot = used.pointee
    ssrcs[slot] = ssrc
    used.pointee = slot + 1
    return sources + slot
  }
}
