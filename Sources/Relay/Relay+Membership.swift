import Primitives
import RTP
import SRTP

// Who is here: called from the control plane between turns, so these may allocate.

extension Relay {
  /// Adds a peer; its handle names it until ``remove(_:)-(PeerHandle)``.
  package func addPeer(canonicalName: String) -> PeerHandle {
    let ssrc = SSRC(UInt32(truncatingIfNeeded: random.next()) | 1)
    return PeerHandle(peers.insert(RelayPeer(reportSSRC: ssrc, canonicalName: canonicalName)))
  }

  /// Adds one of a peer's sending m-lines.
  package func addSource(_ description: SourceParameters) -> SourceHandle? {
    guard let peer = peers.find(Int(description.peer.index)) else { return nil }
    let handle = insertSource(description, isMirror: false)
    peer.pointee.sources.append(handle)
    for kind in RTPHeaderExtensionKind.allCases where description.extensions[kind] != 0 {
      peer.pointee.extensions[kind] = description.extensions[kind]
    }
    return handle
  }

  func insertSource(_ description: SourceParameters, isMirror: Bool) -> SourceHandle {
    let known = formats.formats.count
    var table = PayloadTypeTable(description.formats, formats: &formats)
    if let redundancy = description.redundancy { table.setRedundancy(redundancy) }
    noteNewFormats(since: known)
    return SourceHandle(
      sources.insert(
        Source(
          isMirror: isMirror, kind: description.kind, mid: description.mid, acceptsNACK: description.acceptsNACK,
          payloadTypes: table, announced: description.announced)))
  }

  /// Adds one of a peer's receiving m-lines.
  ///
  /// It shows nothing until it is connected and the peer's keys are known.
  package func addSlot(_ description: SlotParameters) -> SlotHandle? {
    guard let peer = peers.find(Int(description.peer.index)) else { return nil }
    let known = formats.formats.count
    let handle = SlotHandle(
      slots.insert(
        Slot(description, formats: slotFormats(description.formats), link: link(of: peer), random: &random)))
    if let redundancy = description.redundancy {
      slots[unchecked: handle.index].pointee.formats.setRedundancy(redundancy)
    }
    slotPayloads[handle] = description.formats
    noteNewFormats(since: known)
    peer.pointee.slots.append(handle)
    return handle
  }

  private func link(of peer: UnsafeMutablePointer<RelayPeer>) -> SendingLinkPointer {
    if let link = peer.pointee.link { return link }
    let link = SendingLinkPointer.allocate(capacity: 1)
    link.initialize(
      to: SendingLink(
        firstNumber: UInt16(truncatingIfNeeded: random.next()), nodeReserve: NodePacer.reserve(of: peer.pointee.tier),
        now: .zero))
    peer.pointee.link = link
    return link
  }

  /// Starts sending to a peer, with the keys of its DTLS handshake.
  package func activate(_ peer: PeerHandle, outbound: SRTPOutbound, now: MonotonicTime) {
    guard let entry = peers.find(Int(peer.index)) else { return }
    for handle in entry.pointee.slots { slots[unchecked: handle.index].pointee.outbound = outbound }
    showFirstPictures(to: entry, now: now)
    for handle in entry.pointee.sources {
      requestKeyframes(of: handle, now: now)
    }
  }

  /// Shows a viewer what is kept of the pictures that its slots wait for, at once (DESIGN, decision 4).
  func showFirstPictures(to peer: UnsafeMutablePointer<RelayPeer>, now: MonotonicTime) {
    // Which layer it is comes first: the largest picture may be more than the link takes in a second.
    nextAllocation = .zero
    allocate(now: now)
    beginUnknown(peer, now: now)
    for handle in peer.pointee.slots where !replays.contains(where: { $0.slot == handle }) {
      guard !scheduleReplay(handle), let stream = slots[unchecked: handle.index].pointee.phase.target else { continue }
      requestKeyframe(of: stream, now: now)
    }
  }

  /// A viewer who will tell of its link is careful with it until it has.
  private func beginUnknown(_ peer: UnsafeMutablePointer<RelayPeer>, now: MonotonicTime) {
    let tells = peer.pointee.slots.contains { handle in
      let slot = slots[unchecked: handle.index]
      return slot.pointee.kind == .video && slot.pointee.transportExtension != 0
    }
    guard tells, let link = peer.pointee.link else { return }
    link.pointee.beginUnknown(link.pointee.pictureBitsPerSecond, now: now)
  }

  /// Puts a source on a slot, or nothing.
  ///
  /// The slot moves on at the new source's next keyframe; until then it goes on with what it showed (DESIGN, decision
  /// 1).
  package func connect(_ slot: SlotHandle, to source: SourceHandle?, now: MonotonicTime) {
    guard slots.contains(Int(slot.index)) else { return }
    detach(slot, exceptFrom: source)
    guard let source, let entry = sources.find(Int(source.index)) else { return }
    if !entry.pointee.slots.contains(slot) { entry.pointee.slots.append(slot) }
    slots[unchecked: slot.index].pointee.resetAllocation(now)
    nextAllocation = .zero
    guard let stream = entry.pointee.preferred else { return }
    attach(slot, to: stream, now: now)
  }

  /// Whether the viewer of a slot can decode what a source sends, or may send while nothing has come yet.
  package func canShow(_ source: SourceHandle, on slot: SlotHandle) -> Bool {
    guard let source = sources.find(Int(source.index)), let slot = slots.find(Int(slot.index)) else { return false }
    if let preferred = source.pointee.preferred, let stream = streams.find(Int(preferred.index)),
      stream.pointee.format != .none
    {
      return slot.pointee.formats.payloadType(of: stream.pointee.format) != nil
    }
    return formats.formats.indices.contains { number in
      let format = FormatIndex(UInt8(number))
      return source.pointee.payloadTypes.carries(format) && slot.pointee.formats.payloadType(of: format) != nil
    }
  }

  /// Removes a peer with its sources and slots.
  package func remove(_ peer: PeerHandle) {
    guard let entry = peers.remove(Int(peer.index)) else { return }
    for source in entry.sources { removeSource(source) }
    for slot in entry.slots { removeSlot(slot) }
    entry.freeLink()
    // Its handles may be given away before the outputs are taken.
    outputs.removeAll { output in
      switch output {
      case .rtcp(_, let receiver), .viewChanged(_, let receiver): receiver == peer
      case .sourceChanged, .keyframeWanted: false
      }
    }
  }

  private func slotFormats(_ list: [RelayedFormat]) -> SlotFormats {
    var result = SlotFormats()
    // Every format that this viewer can decode gets a payload type: first the exact ones, then what they include.
    for entry in list {
      let index = formats.index(of: entry.format)
      if result.payloadType(of: index) == nil {
        result.set(index, media: entry.payloadType, retransmission: entry.retransmission)
      }
    }
    for (number, format) in formats.formats.enumerated() {
      let index = FormatIndex(UInt8(number))
      guard result.payloadType(of: index) == nil, let match = list.first(where: { $0.format.canDecode(format) })
      else { continue }
      result.set(index, media: match.payloadType, retransmission: match.retransmission)
    }
    return result
  }

  func removeSource(_ handle: SourceHandle) {
    guard let source = sources.remove(Int(handle.index)) else { return }
    outputs.removeAll { output in
      switch output {
      case .sourceChanged(let changed, _), .keyframeWanted(let changed, _): changed == handle
      case .rtcp, .viewChanged: false
      }
    }
    for slot in source.slots { detach(slot, exceptFrom: nil) }
    for stream in source.streams { removeStream(stream.handle) }
  }

  private func removeStream(_ handle: StreamHandle) {
    var leftWaiting: [SlotHandle] = []
    for index in 0..<slots.end {
      guard let slot = slots.find(index) else { continue }
      let before = slot.pointee.phase
      slot.pointee.forget(handle)
      if slot.pointee.phase != before { leftWaiting.append(SlotHandle(index)) }
    }
    if (dirtySound.last ?? dirtyStreams.last) == handle { fanOut = FanOutCursor() }
    dirtySound.removeAll { $0 == handle }
    dirtyStreams.removeAll { $0 == handle }
    gathered.removeAll { $0 == handle }
    replays.removeAll { $0.stream == handle }
    retransmissions.removeAll { $0.stream == handle }
    streams.remove(Int(handle.index))?.deallocate()
    // Those that were moving on from it have nothing to show until the next keyframe: the cached one fills the gap.
    for slot in leftWaiting { scheduleReplay(slot) }
  }

  private func removeSlot(_ handle: SlotHandle) {
    detach(handle, exceptFrom: nil)
    replays.removeAll { $0.slot == handle }
    retransmissions.removeAll { $0.slot == handle }
    for index in 0..<streams.end {
      streams.find(index)?.pointee.subscribers.remove(handle)
    }
    slotPayloads[handle] = nil
    backlogged.removeAll { $0 == handle }
    slots.remove(Int(handle.index))?.deallocate()
  }

  /// Formats may have got a number, be it from a source or a slot: the viewers that can decode them need a payload type.
  private func noteNewFormats(since known: Int) {
    guard formats.formats.count > known else { return }
    for (number, format) in formats.formats.enumerated() { videoCodecs[number] = format.videoCodec }
    for (handle, list) in slotPayloads {
      slots.find(Int(handle.index))?.pointee.formats.replace(with: slotFormats(list))
    }
  }

  /// Takes a slot off every source but one.
  private func detach(_ slot: SlotHandle, exceptFrom kept: SourceHandle?) {
    for index in 0..<sources.end {
      guard let source = sources.find(index), SourceHandle(index) != kept else { continue }
      source.pointee.slots.removeAll { $0 == slot }
    }
    guard kept == nil, let entry = slots.find(Int(slot.index)) else { return }
    entry.pointee.phase = .idle
    entry.pointee.backlog = nil
    for index in 0..<streams.end {
      streams.find(index)?.pointee.subscribers.remove(slot)
    }
  }

  /// Turns a slot towards a stream.
  func attach(_ slot: SlotHandle, to stream: StreamHandle, now: MonotonicTime) {
    guard let entry = slots.find(Int(slot.index)), let target = streams.find(Int(stream.index)) else { return }
    switch entry.pointee.phase {
    case .idle, .awaitingKeyframe:
      if let old = entry.pointee.phase.target, old != stream {
        streams.find(Int(old.index))?.pointee.subscribers.remove(slot)
      }
      entry.pointee.phase = .awaitingKeyframe(of: stream)
    case .forwarding(let old):
      guard old != stream else { return }
      entry.pointee.phase = .switching(from: old, to: stream)
    case .switching(let old, let new):
      guard new != stream else { return }
      if new != old { streams.find(Int(new.index))?.pointee.subscribers.remove(slot) }
      entry.pointee.phase = old == stream ? .forwarding(old) : .switching(from: old, to: stream)
    }
    target.pointee.subscribers.insert(slot)
    if scheduleReplay(slot) { return }
    // Who is not connected yet is served from the cache then, and best by a picture that is fresh; a crowd shares one.
    if entry.pointee.outbound == nil {
      requestFreshPicture(of: stream, now: now)
    } else {
      requestKeyframe(of: stream, now: now)
    }
  }
}
