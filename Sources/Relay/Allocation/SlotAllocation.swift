import Primitives

/// What the allocator decided for a slot, and when.
struct SlotAllocation: BitwiseCopyable {
  /// Nil before the first decision: the slot follows what its source prefers.
  var rung: Rung?
  var reason: ReductionReason?
  /// Nil for never.
  var raisedAt: MonotonicTime?
  var loweredAt: MonotonicTime?
  var lastStillAt: MonotonicTime?
  /// When the slot was given a layer of another stream than before: it begins with a keyframe, which is to be paid for.
  var streamChangedAt: MonotonicTime?
  /// The tallest picture that the viewer wants, in pixels; 0 for no limit.
  var height: UInt16 = 0

  /// Whether video goes on; stills and sound alone need no live stream.
  var isLive: Bool {
    switch rung {
    case nil, .layer: true
    case .stills, .audioOnly: false
    }
  }
}

extension SlotAllocation {
  /// Whether a layer of `stream` was decided for.
  func shows(_ stream: StreamHandle) -> Bool {
    if case .layer(let layer) = rung { layer.stream == stream } else { false }
  }
}

extension Slot {
  /// Another source: what was decided for the old one means nothing.
  mutating func resetAllocation(_ now: MonotonicTime) {
    let height = view.height
    view = SlotAllocation()
    view.height = height
    goal = .all
    if phase == .idle { cut = .all }
  }
}

/// What a slot shows, for those who watch from above.
package struct SlotStatus: Hashable, Sendable {
  /// Nil while nothing was decided: everything.
  package var rung: Rung?
  /// Place of the layer shown among ``Relay/layers(of:)``; nil when it shows none.
  package var layer: Int?
  package var reason: ReductionReason?
  /// What the viewer's link bears, bits per second; nil while nothing is known.
  package var linkBitsPerSecond: Int?
}

/// One of the layers that a source sends, for those who watch from above.
package struct LayerStatus: Hashable, Sendable {
  package var rid: String?
  package var spatial: Int
  package var temporal: Int
  package var bitsPerSecond: Int
  /// Pixels; 0 while unknown.
  package var width: Int
  package var height: Int
}
