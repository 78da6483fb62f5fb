import CongestionControl
import Primitives

// From links, tiers and layers to what each slot shows: the inputs are gathered (`Relay+Demands.swift`), the allocator
// decides, the slots follow.

extension Relay {
  /// How urgent a peer's pictures are.
  package func setTier(_ tier: Tier, of peer: PeerHandle) {
    guard let entry = peers.find(Int(peer.index)) else { return }
    entry.pointee.tier = tier
    entry.pointee.link?.pointee.nodeReserve = NodePacer.reserve(of: tier)
    nextAllocation = .zero
  }

  /// The tallest picture that a slot's viewer wants, in pixels; 0 lifts the limit.
  package func setHeight(_ height: Int, of slot: SlotHandle) {
    slots.find(Int(slot.index))?.pointee.view.height = UInt16(clamping: height)
    nextAllocation = .zero
  }

  /// What a slot shows now.
  package func status(of slot: SlotHandle, showing source: SourceHandle, now: MonotonicTime) -> SlotStatus? {
    guard let entry = slots.find(Int(slot.index)) else { return nil }
    var status = SlotStatus(
      rung: entry.pointee.view.rung, layer: nil, reason: entry.pointee.view.reason,
      linkBitsPerSecond: entry.pointee.link.pointee.bitsPerSecond(now))
    if case .layer(let layer) = status.rung, let source = sources.find(Int(source.index)) {
      status.layer = ladder(of: source, now: now).firstIndex { $0.layer == layer }
    }
    return status
  }

  /// Decides anew what each slot shows, every ``allocationInterval``.
  func allocate(now: MonotonicTime) {
    guard now >= nextAllocation else { return }
    nextAllocation = now + Self.allocationInterval
    let input = gatherDemands(now: now)
    noteTierDemands(input)
    guard !input.demands.isEmpty else { return }
    var wanted = [Int](repeating: 0, count: input.viewers.count)
    var given = wanted
    for (decision, demand) in zip(Allocator.decide(input), input.demands) {
      let rate = demand.bitsPerSecond(of: decision.rung)
      // What the node has no room for, no link need be proven to bear: probes would take the room of others.
      wanted[demand.viewer] += decision.reason?.isOverload == true ? rate : decision.bestBitsPerSecond
      given[demand.viewer] += rate
      follow(decision, demand, now: now)
    }
    for (viewer, peer) in viewers.enumerated() where viewer < wanted.count {
      guard let link = peers.find(Int(peer.index))?.pointee.link else { continue }
      let best = wanted[viewer] + input.viewers[viewer].audioBitsPerSecond
      link.pointee.estimator.setWanted(Allocator.proof(of: best))
      link.pointee.pictureBitsPerSecond = given[viewer]
    }
  }

  static var allocationInterval: TimeInterval64 { .milliseconds(100) }

  /// Whether one more viewer of a tier finds room, who watches `source`.
  package func admission(of tier: Tier, watching source: SourceHandle?, now: MonotonicTime) -> Admission {
    guard hasNodeLimit else { return .full }
    let ladder = source.flatMap { sources.find(Int($0.index)) }.map { self.ladder(of: $0, now: now) } ?? []
    let viewer = NewViewer(
      tier: tier, pictureBitsPerSecond: ladder.first?.bitsPerSecond ?? Self.assumedPicture,
      audioBitsPerSecond: Self.assumedSound)
    return Allocator.admission(of: viewer, to: gatherDemands(now: now))
  }

  /// What a picture and sound are taken to need before they are measured, bits per second.
  private static var assumedPicture: Int { 200_000 }
  private static var assumedSound: Int { 50_000 }

  /// Sums up what each tier could use, for those who share a node's budget out among its threads.
  private func noteTierDemands(_ input: AllocationInput) {
    guard egressBitsPerSecond != nil else { return }
    for tier in tierDemands.indices { tierDemands[tier] = 0 }
    // Sound comes before all pictures, so it counts with the most urgent.
    for viewer in input.viewers { tierDemands[0] += viewer.audioBitsPerSecond }
    for demand in input.demands {
      let best = demand.wantedBitsPerSecond
      tierDemands[Int(demand.tier.rawValue)] += min(best, input.viewers[demand.viewer].bitsPerSecond ?? best)
    }
  }
}

// What follows from a decision.

extension Relay {
  private func follow(_ decision: Decision, _ demand: Demand, now: MonotonicTime) {
    var decision = decision
    // Nothing reaches this viewer.
    if demand.layers.isEmpty { decision.reason = .link }
    let slot = slots[unchecked: decision.slot.index]
    let old = slot.pointee.view
    if old.rung != decision.rung { change(decision, slot, now: now) }
    slot.pointee.view.reason = decision.reason
    switch decision.rung {
    case .layer(let layer): show(layer, on: decision.slot, slot, now: now)
    case .stills: showStill(demand, decision.slot, slot, now: now)
    case .audioOnly: break
    }
    if old.rung != decision.rung || old.reason != decision.reason {
      emit(.viewChanged(decision.slot, of: slot.pointee.destination))
    }
  }

  private func change(_ decision: Decision, _ slot: UnsafeMutablePointer<Slot>, now: MonotonicTime) {
    if case .layer(let layer) = decision.rung, !slot.pointee.view.shows(layer.stream) {
      slot.pointee.view.streamChangedAt = now
      if decision.change == .lowered, decision.reason?.isOverload == true {
        stopShowing(decision.slot, slot, until: layer.stream, now: now)
      }
    }
    slot.pointee.view.rung = decision.rung
    switch decision.change {
    case .first, .kept: break
    case .raised:
      // Stills take next to nothing: whoever gets them need not wait to see what became of it.
      if decision.rung != .stills { slot.pointee.view.raisedAt = now }
      counters.raised &+= 1
    case .lowered:
      slot.pointee.view.loweredAt = now
      noteReduction(decision.reason)
    }
    if !slot.pointee.view.isLive { pause(slot) }
  }

  private func noteReduction(_ reason: ReductionReason?) {
    switch reason {
    case .link: counters.reducedForLink &+= 1
    case .egress, .processing: counters.reducedForOverload &+= 1
    case .wanted, nil: break
    }
  }

  /// Ends what a slot shows at once, and turns it towards a smaller picture.
  ///
  /// Until that one has a keyframe, the larger one would go on taking what the node does not have. The picture stands still
  /// for that moment.
  private func stopShowing(
    _ handle: SlotHandle, _ slot: UnsafeMutablePointer<Slot>, until next: StreamHandle, now: MonotonicTime
  ) {
    // The larger one was not shown yet.
    if case .switching(let old, _) = slot.pointee.phase, old == next { return }
    slot.pointee.phase = .awaitingKeyframe(of: next)
    slot.pointee.backlog = nil
    guard let stream = streams.find(Int(next.index)) else { return }
    stream.pointee.subscribers.insert(handle)
    // A keyframe a moment ago spares everybody another one; what came since an older one would be a burst by itself.
    guard let start = stream.pointee.keyframes?.newestStart, let highest = stream.pointee.sequence.highest,
      !stream.pointee.isBroken, highest - start < Self.shortReplay, scheduleReplay(handle)
    else { return requestKeyframe(of: next, now: now) }
  }

  /// Packets that may leave at once for a viewer whose picture is made smaller.
  private static var shortReplay: Int64 { 32 }

  /// Stops a slot's video until it is given a layer again.
  private func pause(_ slot: UnsafeMutablePointer<Slot>) {
    slot.pointee.phase = .idle
    slot.pointee.backlog = nil
  }

  private func show(_ layer: Layer, on handle: SlotHandle, _ slot: UnsafeMutablePointer<Slot>, now: MonotonicTime) {
    let goal = cut(for: layer)
    let isRaised = goal.spatial > slot.pointee.goal.spatial || goal.temporal > slot.pointee.goal.temporal
    slot.pointee.goal = goal
    guard slot.pointee.phase.target == layer.stream else { return attach(handle, to: layer.stream, now: now) }
    // Up in space goes at a keyframe only; up in time where the sender lets it, or else at a keyframe too.
    guard slot.pointee.cut != goal, case .forwarding = slot.pointee.phase else { return }
    let waitsTooLong = since(slot.pointee.view.raisedAt, now) > Self.switchPatience
    if (isRaised && goal.spatial > slot.pointee.cut.spatial) || (waitsTooLong && isAbove(goal, slot.pointee.cut)) {
      requestKeyframe(of: layer.stream, now: now)
    }
  }

  private func isAbove(_ goal: LayerCut, _ cut: LayerCut) -> Bool {
    goal.spatial > cut.spatial || goal.temporal > cut.temporal
  }

  /// How long a slot waits for a point to go up before a keyframe is asked for.
  private static var switchPatience: TimeInterval64 { .milliseconds(1_500) }

  private func showStill(
    _ demand: Demand, _ handle: SlotHandle, _ slot: UnsafeMutablePointer<Slot>, now: MonotonicTime
  ) {
    if let last = slot.pointee.view.lastStillAt, now - last < Self.stillInterval { return }
    guard let stream = demand.layers.first?.layer.stream else { return }
    slot.pointee.view.lastStillAt = now
    requestKeyframe(of: stream, now: now)
    guard !replays.contains(where: { $0.slot == handle }) else { return }
    replays.append(Replay(slot: handle, stream: stream, remaining: nil, isStill: true))
  }
}
