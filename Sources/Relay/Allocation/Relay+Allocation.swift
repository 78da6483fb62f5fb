import CongestionControl
import Primitives

// From links, tiers and layers to what each slot shows: the inputs are gathered, the allocator decides, the slots follow.

extension Relay {
  /// How urgent a peer's pictures are.
  package func setTier(_ tier: Tier, of peer: PeerHandle) {
    peers.find(Int(peer.index))?.pointee.tier = tier
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
    guard egressBitsPerSecond != nil || processingBitsPerSecond != nil else { return .full }
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
      let best = demand.layers[demand.wanted ?? demand.layers.count - 1].bitsPerSecond
      tierDemands[Int(demand.tier.rawValue)] += min(best, input.viewers[demand.viewer].bitsPerSecond ?? best)
    }
  }

  private func gatherDemands(now: MonotonicTime) -> AllocationInput {
    var input = AllocationInput(
      viewers: [], demands: [], egressBitsPerSecond: egressBitsPerSecond,
      processingBitsPerSecond: processingBitsPerSecond)
    viewers.removeAll(keepingCapacity: true)
    var viewerOfPeer = [Int32](repeating: -1, count: peers.end)
    // What the poorest picture of each source takes, by viewer.
    var least: [Int] = []
    for index in 0..<sources.end {
      guard let source = sources.find(index), source.pointee.kind == .video, !source.pointee.slots.isEmpty else {
        continue
      }
      let ladder = ladder(of: source, now: now)
      // Before anything is measured slots follow what their source prefers; when it stalls they wait for it.
      guard let cheapest = ladder.first else { continue }
      let still = stillRate(of: cheapest.layer.stream)
      for handle in source.pointee.slots {
        let slot = slots[unchecked: handle.index]
        guard slot.pointee.outbound != nil, let peer = peers.find(Int(slot.pointee.destination.index)) else { continue }
        let place = Int(slot.pointee.destination.index)
        if viewerOfPeer[place] < 0 {
          viewerOfPeer[place] = Int32(input.viewers.count)
          viewers.append(slot.pointee.destination)
          input.viewers.append(viewerLink(of: peer, now: now))
          least.append(0)
        }
        least[Int(viewerOfPeer[place])] += cheapest.bitsPerSecond
        let view = slot.pointee.view
        input.demands.append(
          Demand(
            slot: handle, viewer: Int(viewerOfPeer[place]), tier: peer.pointee.tier,
            layers: withKeyframes(ladder, beyond: view.rung),
            stillBitsPerSecond: still, current: view.rung, sinceRaised: since(view.raisedAt, now),
            sinceLowered: since(view.loweredAt, now), wanted: wanted(view.height, of: ladder)))
      }
    }
    trustUnprovenLinks(of: &input, least)
    addListeners(to: &input, viewerOfPeer, now: now)
    return input
  }

  /// A link that was never seen at its limit is taken to bear what most links do, and a picture of each source in any case:
  /// whether it does shows within moments, and a picture withheld would show nothing.
  private func trustUnprovenLinks(of input: inout AllocationInput, _ least: [Int]) {
    for (viewer, peer) in viewers.enumerated() {
      guard let entry = peers.find(Int(peer.index)), let link = entry.pointee.link,
        entry.pointee.slots.contains(where: { slots[unchecked: $0.index].pointee.transportExtension != 0 })
      else { continue }
      let known = input.viewers[viewer].bitsPerSecond
      if known != nil, link.pointee.estimator.hasMetLimit { continue }
      let start = max(SendingLink.initialEstimate, least[viewer] * 5 / 4 + input.viewers[viewer].audioBitsPerSecond)
      input.viewers[viewer].bitsPerSecond = max(known ?? 0, start)
    }
  }

  private func since(_ time: MonotonicTime?, _ now: MonotonicTime) -> TimeInterval64 {
    time.map { now - $0 } ?? Self.never
  }

  private static var never: TimeInterval64 { .seconds(1e6) }

  /// Adds those who only listen: their sound leaves through the same line.
  private func addListeners(to input: inout AllocationInput, _ viewerOfPeer: [Int32], now: MonotonicTime) {
    guard input.egressBitsPerSecond != nil || input.processingBitsPerSecond != nil else { return }
    for index in 0..<peers.end where viewerOfPeer[index] < 0 {
      guard let peer = peers.find(index), peer.pointee.link != nil else { continue }
      viewers.append(PeerHandle(index))
      input.viewers.append(viewerLink(of: peer, now: now))
    }
  }

  private func viewerLink(of peer: UnsafeMutablePointer<RelayPeer>, now: MonotonicTime) -> ViewerLink {
    var audio = 0
    for handle in peer.pointee.slots {
      let slot = slots[unchecked: handle.index]
      if slot.pointee.kind == .audio { audio += slot.pointee.rate.bitsPerSecond }
    }
    peer.pointee.link?.pointee.audioBitsPerSecond = audio
    return ViewerLink(bitsPerSecond: peer.pointee.link?.pointee.bitsPerSecond(now), audioBitsPerSecond: audio)
  }

  /// The ladder with what a change to another stream costs at first: it begins with a keyframe.
  private func withKeyframes(_ ladder: [LayerRate], beyond rung: Rung?) -> [LayerRate] {
    guard egressBitsPerSecond != nil || processingBitsPerSecond != nil else { return ladder }
    var shown: StreamHandle?
    if case .layer(let layer) = rung { shown = layer.stream }
    return ladder.map { rate in
      guard rate.layer.stream != shown,
        let keyframe = streams.find(Int(rate.layer.stream.index))?.pointee.keyframes?.range
      else { return rate }
      let bits = Int(Double(keyframe.count * Self.packetBits) / Self.changeTime.seconds)
      return LayerRate(layer: rate.layer, bitsPerSecond: rate.bitsPerSecond + bits)
    }
  }

  /// Over which the keyframe of a change is to be paid for.
  private static var changeTime: TimeInterval64 { .milliseconds(2_000) }

  /// What a keyframe every ``stillInterval`` takes, bits per second.
  private func stillRate(of handle: StreamHandle) -> Int {
    guard let stream = streams.find(Int(handle.index)), let keyframe = stream.pointee.keyframes?.range else { return 0 }
    return Int(Double(keyframe.count * Self.packetBits) / Self.stillInterval.seconds)
  }

  private static var packetBits: Int { 1_200 * 8 }
}

// What follows from a decision.

extension Relay {
  private func follow(_ decision: Decision, _ demand: Demand, now: MonotonicTime) {
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
