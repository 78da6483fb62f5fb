import Primitives

// What the allocator is told, and what it answers. It is a pure function: see `Allocator.swift` for how it decides.

/// One video slot that wants a source.
package struct Demand: Equatable, Sendable {
  /// Names it in the decisions.
  package var slot: SlotHandle
  /// Index into ``AllocationInput/viewers``.
  package var viewer: Int
  package var tier: Tier
  /// What the source offers, poorest first; bits per second as measured, packet headers included.
  ///
  /// Without the rungs that always exist: ``Rung/audioOnly`` (0 bit/s) and ``Rung/stills`` (``stillBitsPerSecond``).
  package var layers: [LayerRate]
  /// What a still every ``Relay/stillInterval`` costs, in bits per second.
  package var stillBitsPerSecond: Int
  /// The rung decided last; nil for a slot that was not decided on yet.
  package var current: Rung?
  /// How long ago the slot was last raised and lowered (``Decision/change``); very long for never.
  package var sinceRaised: TimeInterval64
  package var sinceLowered: TimeInterval64
  /// The best rung that the viewer wants, as an index into ``layers``; nil for all.
  package var wanted: Int?

  package init(
    slot: SlotHandle, viewer: Int, tier: Tier, layers: [LayerRate], stillBitsPerSecond: Int, current: Rung?,
    sinceRaised: TimeInterval64, sinceLowered: TimeInterval64, wanted: Int? = nil
  ) {
    self.slot = slot
    self.viewer = viewer
    self.tier = tier
    self.layers = layers
    self.stillBitsPerSecond = stillBitsPerSecond
    self.current = current
    self.sinceRaised = sinceRaised
    self.sinceLowered = sinceLowered
    self.wanted = wanted
  }
}

/// A layer and what it costs.
package struct LayerRate: Equatable, Sendable {
  package var layer: Layer
  package var bitsPerSecond: Int

  package init(layer: Layer, bitsPerSecond: Int) {
    self.layer = layer
    self.bitsPerSecond = bitsPerSecond
  }
}

/// One viewer's link.
package struct ViewerLink: Equatable, Sendable {
  /// What the link bears, bits per second; nil while nothing is known.
  package var bitsPerSecond: Int?
  /// What sound to this viewer takes of it.
  package var audioBitsPerSecond: Int

  package init(bitsPerSecond: Int?, audioBitsPerSecond: Int) {
    self.bitsPerSecond = bitsPerSecond
    self.audioBitsPerSecond = audioBitsPerSecond
  }
}

/// Everything that one decision rests on.
package struct AllocationInput: Equatable, Sendable {
  package var viewers: [ViewerLink]
  package var demands: [Demand]
  /// What the node may send, bits per second, sound included; nil for no limit.
  package var egressBitsPerSecond: Int?
  /// What the media thread can still forward, bits per second, from its load; nil while it has time to spare.
  package var processingBitsPerSecond: Int?

  package init(
    viewers: [ViewerLink], demands: [Demand], egressBitsPerSecond: Int? = nil, processingBitsPerSecond: Int? = nil
  ) {
    self.viewers = viewers
    self.demands = demands
    self.egressBitsPerSecond = egressBitsPerSecond
    self.processingBitsPerSecond = processingBitsPerSecond
  }
}

/// Why a slot shows less than its source offers.
package enum ReductionReason: String, Hashable, BitwiseCopyable, Sendable, CaseIterable {
  /// The viewer's own link bears no more.
  case link
  /// The node may send no more, and more urgent calls come first.
  case egress
  /// The node's processor can do no more, and more urgent calls come first.
  case processing
  /// The viewer asked for less.
  case wanted

  /// Whether it is the node that has no room.
  var isOverload: Bool {
    switch self {
    case .egress, .processing: true
    case .link, .wanted: false
    }
  }
}

/// How a decision compares with the one before.
package enum RungChange: Hashable, Sendable {
  /// There was none before, or what was shown is no longer offered: neither a raise nor a lowering.
  case first
  case kept
  case raised
  case lowered
}

/// What one slot shows from now on.
package struct Decision: Equatable, Sendable {
  package var slot: SlotHandle
  package var rung: Rung
  /// Nil when the slot shows the best that its source offers.
  package var reason: ReductionReason?
  /// What the best rung that the viewer wants needs, bits per second: what the link should be probed up to.
  package var bestBitsPerSecond: Int
  /// Against ``Demand/current``: what ``Demand/sinceRaised`` and ``Demand/sinceLowered`` count from.
  package var change: RungChange

  package init(
    slot: SlotHandle, rung: Rung, reason: ReductionReason?, bestBitsPerSecond: Int, change: RungChange
  ) {
    self.slot = slot
    self.rung = rung
    self.reason = reason
    self.bestBitsPerSecond = bestBitsPerSecond
    self.change = change
  }
}
