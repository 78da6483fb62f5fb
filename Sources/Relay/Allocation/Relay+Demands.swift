import CongestionControl
import Primitives

// What the allocator is told of the node: who wants what, what it takes, and what there is.

extension Relay {
  /// The node as the allocator sees it.
  func gatherDemands(now: MonotonicTime) -> AllocationInput {
    var gathering = Gathering(
      input: AllocationInput(
        viewers: [], demands: [], egressBitsPerSecond: egressBitsPerSecond,
        processingBitsPerSecond: processingBitsPerSecond),
      viewerOfPeer: [Int32](repeating: -1, count: peers.end))
    viewers.removeAll(keepingCapacity: true)
    for index in 0..<sources.end {
      guard let source = sources.find(index), source.pointee.kind == .video, !source.pointee.slots.isEmpty else {
        continue
      }
      gatherDemands(for: source, into: &gathering, now: now)
    }
    trustUnprovenLinks(of: &gathering)
    addListeners(to: &gathering, now: now)
    return gathering.input
  }

  /// An input that is being put together.
  private struct Gathering {
    var input: AllocationInput
    /// By peer; -1 for one that is not in the input.
    var viewerOfPeer: [Int32]
    /// What the poorest picture of each of its sources takes, by viewer.
    var least: [Int] = []
  }

  private func gatherDemands(
    for source: UnsafeMutablePointer<Source>, into gathering: inout Gathering, now: MonotonicTime
  ) {
    let measured = ladder(of: source, now: now)
    // Before anything is measured slots follow what their source prefers; when it stalls they wait for it.
    let ladder = measured.isEmpty ? assumedLadder(of: source, now: now) : measured
    guard let cheapest = ladder.first else { return }
    let still = stillRate(of: cheapest.layer.stream)
    for handle in source.pointee.slots {
      let slot = slots[unchecked: handle.index]
      let view = slot.pointee.view
      guard slot.pointee.outbound != nil, !measured.isEmpty || view.rung == nil,
        let peer = peers.find(Int(slot.pointee.destination.index))
      else { continue }
      // To a narrow link the beginning would look too large: it follows its source until that is measured.
      if measured.isEmpty, let link = peer.pointee.link, link.pointee.estimator.hasMetLimit { continue }
      let viewer = viewer(slot.pointee.destination, peer, in: &gathering, now: now)
      // One whom nothing reaches gets sound until it answers: what its picture would take somebody else can have, on this
      // node or on the same line, such as the page that the viewer has opened anew (as RFC 8083 §4.1, but sooner).
      let isReached = peer.pointee.link?.pointee.isSilent(now, isContended: hasNodeLimit) != true
      if isReached { gathering.least[viewer] += cheapest.bitsPerSecond }
      gathering.input.demands.append(
        Demand(
          slot: handle, viewer: viewer, tier: peer.pointee.tier,
          layers: isReached ? withKeyframes(ladder, beyond: view, now: now) : [],
          stillBitsPerSecond: isReached ? still : 0, current: view.rung, sinceRaised: since(view.raisedAt, now),
          sinceLowered: since(view.loweredAt, now), wanted: wanted(view.height, of: ladder)))
    }
  }

  /// A viewer's place in the input, where it is put with its first demand.
  private func viewer(
    _ handle: PeerHandle, _ peer: UnsafeMutablePointer<RelayPeer>, in gathering: inout Gathering, now: MonotonicTime
  ) -> Int {
    let place = Int(handle.index)
    if gathering.viewerOfPeer[place] < 0 {
      gathering.viewerOfPeer[place] = Int32(gathering.input.viewers.count)
      viewers.append(handle)
      gathering.input.viewers.append(viewerLink(of: peer, now: now))
      gathering.least.append(0)
    }
    return Int(gathering.viewerOfPeer[place])
  }

  /// A link that was never seen at its limit is taken to bear what most links do, and a picture of each source in any case:
  /// whether it does shows within moments, and a picture withheld would show nothing.
  private func trustUnprovenLinks(of gathering: inout Gathering) {
    for (viewer, peer) in viewers.enumerated() {
      guard let entry = peers.find(Int(peer.index)), let link = entry.pointee.link,
        entry.pointee.slots.contains(where: { slots[unchecked: $0.index].pointee.transportExtension != 0 })
      else { continue }
      let known = gathering.input.viewers[viewer].bitsPerSecond
      if known != nil, link.pointee.estimator.hasMetLimit { continue }
      let sound = gathering.input.viewers[viewer].audioBitsPerSecond
      let start = max(SendingLink.initialEstimate, gathering.least[viewer] * 5 / 4 + sound)
      gathering.input.viewers[viewer].bitsPerSecond = max(known ?? 0, start)
    }
  }

  func since(_ time: MonotonicTime?, _ now: MonotonicTime) -> TimeInterval64 {
    time.map { now - $0 } ?? Self.never
  }

  private static var never: TimeInterval64 { .seconds(1e6) }

  /// Adds those who only listen: their sound leaves through the same line.
  private func addListeners(to gathering: inout Gathering, now: MonotonicTime) {
    guard hasNodeLimit else { return }
    for index in 0..<peers.end where gathering.viewerOfPeer[index] < 0 {
      guard let peer = peers.find(index), peer.pointee.link != nil else { continue }
      viewers.append(PeerHandle(index))
      gathering.input.viewers.append(viewerLink(of: peer, now: now))
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

  /// What a source counts for that has just begun, on a node with a limit: what is forwarded before it is measured comes
  /// out of the same budget.
  private func assumedLadder(of source: UnsafeMutablePointer<Source>, now: MonotonicTime) -> [LayerRate] {
    guard hasNodeLimit, let handle = source.pointee.preferred else { return [] }
    let stream = streams[unchecked: handle.index]
    guard now - stream.pointee.lastPacketAt < Self.layerLifetime else { return [] }
    let layers = stream.pointee.layers
    let layer = Layer(stream: handle, spatial: layers.spatial, temporal: layers.temporal)
    return [LayerRate(layer: layer, bitsPerSecond: Self.assumedBeginning)]
  }

  /// Bits per second: what a camera's largest size takes, since it is the largest that is shown before any is measured.
  private static var assumedBeginning: Int { 2_500_000 }

  var hasNodeLimit: Bool { egressBitsPerSecond != nil || processingBitsPerSecond != nil }

  /// The ladder with what a change to another stream costs at first: it begins with a keyframe.
  private func withKeyframes(_ ladder: [LayerRate], beyond view: SlotAllocation, now: MonotonicTime) -> [LayerRate] {
    guard hasNodeLimit else { return ladder }
    var shown: StreamHandle?
    if case .layer(let layer) = view.rung, since(view.streamChangedAt, now) >= Self.changeTime { shown = layer.stream }
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
