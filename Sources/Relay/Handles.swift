// Handles are indices into the relay's tables: plain integers, so that the packet path follows them without a hash, a
// lock or a reference count. A handle stays valid until its owner is removed; a removed place is reused.

/// A peer as the media thread knows it.
package struct PeerHandle: Hashable, BitwiseCopyable, Sendable {
  package var index: Int32

  @inlinable
  package init(_ index: Int) {
    self.index = Int32(truncatingIfNeeded: index)
  }
}

/// One m-line on which a peer sends: a source of one or several streams (simulcast).
package struct SourceHandle: Hashable, BitwiseCopyable, Sendable {
  package var index: Int32

  init(_ index: Int) {
    self.index = Int32(truncatingIfNeeded: index)
  }
}

/// One incoming RTP stream (one SSRC and its retransmissions).
package struct StreamHandle: Hashable, BitwiseCopyable, Sendable {
  package var index: Int32

  package init(_ index: Int) {
    self.index = Int32(truncatingIfNeeded: index)
  }
}

/// One m-line on which a peer receives.
package struct SlotHandle: Hashable, BitwiseCopyable, Sendable {
  package var index: Int32

  package init(_ index: Int) {
    self.index = Int32(truncatingIfNeeded: index)
  }
}
