import Primitives
import RTP

// Packets from senders. Packet path: nothing here allocates once a stream is known.

extension Relay {
  /// Takes one decrypted RTP packet from a peer.
  ///
  /// Returns false when the stream has no room for more packets in this turn: then ``flush(into:now:)`` must finish before
  /// the next packet is given.
  package func receiveRTP(_ packet: UnsafeRawBufferPointer, from peer: PeerHandle, now: MonotonicTime) -> Bool {
    guard let base = packet.baseAddress, let entry = peers.find(Int(peer.index)) else { return true }
    let header: RTPHeader
    do {
      header = try RTPHeader(parsing: packet)
    } catch {
      counters.malformedRTP &+= 1
      return true
    }
    counters.packetsReceived &+= 1
    counters.bytesReceived &+= UInt64(packet.count)
    recordTransportSequence(header, base, entry, now)
    guard let binding = entry.pointee.bindings.find(header.ssrc) ?? bind(header, base, peer: peer, now: now) else {
      counters.unknownSSRC &+= 1
      return true
    }
    let payload = base + header.headerLength
    switch binding.role {
    case .media:
      noteSpeech(header, base, entry, binding.stream, now)
      return receiveMedia(
        header, payload, length: header.payloadLength, on: binding.stream, now: now,
        descriptor: dependencyDescriptor(header, base, entry))
    case .retransmission:
      return receiveRetransmission(
        header, payload, on: binding.stream, now: now, descriptor: dependencyDescriptor(header, base, entry))
    }
  }

  @inline(__always)
  private func recordTransportSequence(
    _ header: RTPHeader, _ base: UnsafeRawPointer, _ peer: UnsafeMutablePointer<RelayPeer>, _ now: MonotonicTime
  ) {
    let id = peer.pointee.extensions[.transportSequence]
    guard id != 0, let sequence = header.transportSequence(id: id, in: base) else { return }
    if peer.pointee.feedback == nil { peer.pointee.feedback = TransportFeedbackRecorder() }
    peer.pointee.feedback?.record(sequence, arrival: now)
  }

  @inline(__always)
  private func dependencyDescriptor(
    _ header: RTPHeader, _ base: UnsafeRawPointer, _ peer: UnsafeMutablePointer<RelayPeer>
  ) -> UnsafeRawBufferPointer? {
    header.extensionValue(id: peer.pointee.extensions[.dependencyDescriptor], in: base)
  }

  private func receiveMedia(
    _ header: RTPHeader, _ payload: UnsafeRawPointer, length: Int, on handle: StreamHandle, now: MonotonicTime,
    descriptor: UnsafeRawBufferPointer?
  ) -> Bool {
    let stream = streams[unchecked: handle.index]
    let extended = stream.pointee.sequence.unwrap(header.sequenceNumber)
    stream.pointee.statistics.update(
      sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, arrival: now)
    if isRedundant(header, stream) { return receiveRedundant(header, payload, length, extended, handle, stream, now) }
    switch stream.pointee.missing.insert(extended, now: now) {
    case .inOrder, .notMissing: break
    case .gap, .recovered, .overflow: isRepairing = true
    }
    return admit(header, header.payloadType, payload, length, extended, handle, stream, now, descriptor)
  }

  /// A retransmission carries the original's sequence number before its payload (RFC 4588 §4).
  private func receiveRetransmission(
    _ header: RTPHeader, _ payload: UnsafeRawPointer, on handle: StreamHandle, now: MonotonicTime,
    descriptor: UnsafeRawBufferPointer?
  ) -> Bool {
    // Shorter ones are padding, which senders put on this SSRC to probe for bandwidth.
    guard header.payloadLength >= 2 else { return true }
    let stream = streams[unchecked: handle.index]
    guard stream.pointee.sequence.highest != nil,
      let original = sources[unchecked: stream.pointee.source.index].pointee.payloadTypes.original(
        of: header.payloadType)
    else { return true }
    let sequence = UInt16(bigEndian: payload.loadUnaligned(as: UInt16.self))
    let extended = stream.pointee.sequence.unwrap(SequenceNumber(sequence))
    // Others repeat what was not missing, to probe for bandwidth.
    if case .recovered = stream.pointee.missing.insert(extended, now: now) { counters.recovered &+= 1 }
    return admit(header, original, payload + 2, header.payloadLength &- 2, extended, handle, stream, now, descriptor)
  }

  /// Reads where a packet stands in its stream, and keeps it.
  @inline(__always)
  func admit(
    _ header: RTPHeader, _ payloadType: PayloadType, _ payload: UnsafeRawPointer, _ length: Int, _ extended: Int64,
    _ handle: StreamHandle, _ stream: UnsafeMutablePointer<Stream>, _ now: MonotonicTime,
    _ descriptor: UnsafeRawBufferPointer?
  ) -> Bool {
    let format = sources[unchecked: stream.pointee.source.index].pointee.payloadTypes.format(of: payloadType)
    guard format != .none, length <= CachedPacket.maximumPayload, extended >= 0 else {
      counters.unknownFormat &+= 1
      return true
    }
    var packet = CachedPacket()
    packet.extended = extended
    packet.timestamp = header.timestamp
    packet.length = Int32(truncatingIfNeeded: length)
    packet.paddedLength = packet.length
    packet.format = format
    packet.marker = header.marker
    packet.layers = layers(of: stream, format, UnsafeRawBufferPointer(start: payload, count: length), descriptor)
    return keep(packet, payloadType, payload, on: handle, now: now)
  }

  /// Keeps a packet, hands it to the recorder and to mirrors, and marks it for the fan-out.
  ///
  /// Returns false when the stream has no room for more before ``flush(into:now:)``.
  func keep(
    _ packet: CachedPacket, _ payloadType: PayloadType, _ payload: UnsafeRawPointer, on handle: StreamHandle,
    now: MonotonicTime
  ) -> Bool {
    let stream = streams[unchecked: handle.index]
    guard !stream.pointee.wouldDisplacePending(packet.extended) else {
      counters.jumps &+= 1
      return true
    }
    guard stream.pointee.ring.insert(packet, payload: payload) else {
      counters.duplicates &+= 1
      return true
    }
    recordPacket(packet, payload, of: stream, now: now)
    stream.pointee.lastPacketAt = now
    stream.pointee.rate.add(Int(packet.length))
    stream.pointee.layers.add(Int(packet.length), packet.layers, timestamp: packet.timestamp)
    if stream.pointee.format != packet.format { stream.pointee.format = packet.format }
    stream.pointee.keyframes?.note(packet, payload: payload)
    if packet.startsKeyframe, stream.pointee.kind == .video {
      noteKeyframe(packet, stream, now)
      notePictureSize(UnsafeRawBufferPointer(start: payload, count: Int(packet.length)), packet.format, stream)
    }
    mirrorPacket(packet, payloadType, payload, of: stream)
    if stream.pointee.pending.isEmpty {
      notePending(handle, stream, now: now)
      prefetchSlots(of: stream)
    }
    stream.pointee.pending.append(stream.pointee.ring.place(of: packet.extended))
    noteGathered(packet.marker, stream)
    return !stream.pointee.pending.isFull
  }

  /// Where a packet stands: any packet of audio is a start, of video the first one of a keyframe.
  @inline(__always)
  private func layers(
    of stream: UnsafeMutablePointer<Stream>, _ format: FormatIndex, _ payload: UnsafeRawBufferPointer,
    _ descriptor: UnsafeRawBufferPointer?
  ) -> PacketLayers {
    guard stream.pointee.kind == .video, let codec = videoCodecs[Int(format.value)], payload.count > 0 else {
      var audio = PacketLayers()
      audio.startsKeyframe = stream.pointee.kind == .audio
      return audio
    }
    if let descriptor, DependencyDescriptor.startsKeyframe(descriptor) { learnTemplates(descriptor, of: stream) }
    return PacketLayers(payload, codec: codec, descriptor: descriptor, templates: stream.pointee.templates)
  }

  /// A keyframe brings the structure that the descriptors after it refer to.
  private func learnTemplates(_ descriptor: UnsafeRawBufferPointer, of stream: UnsafeMutablePointer<Stream>) {
    guard let structure = try? DependencyDescriptor.parse(descriptor, structure: nil).newStructure else { return }
    stream.pointee.templates = TemplateLayers(structure)
    if let largest = structure.resolutions.last {
      stream.pointee.width = UInt16(clamping: largest.width)
      stream.pointee.height = UInt16(clamping: largest.height)
    }
  }

  private func noteKeyframe(_ start: CachedPacket, _ stream: UnsafeMutablePointer<Stream>, _ now: MonotonicTime) {
    stream.pointee.lastKeyframeAt = now
    if case .wanted(let since, .some) = stream.pointee.keyframeRequest {
      stream.pointee.noteAnswer(after: now - since)
    }
    stream.pointee.keyframeRequest = .none
    stream.pointee.isBroken = false
    stream.pointee.missing.forget(before: start.extended)
    if let highest = stream.pointee.sequence.highest, highest > start.extended {
      stream.pointee.collectKeyframe(after: start.extended, upTo: highest)
    }
  }
}

extension Relay {
  private func notePictureSize(
    _ payload: UnsafeRawBufferPointer, _ format: FormatIndex, _ stream: UnsafeMutablePointer<Stream>
  ) {
    guard let size = videoCodecs[Int(format.value)]?.pictureSize(ofKeyframe: payload) else { return }
    stream.pointee.width = size.width
    stream.pointee.height = size.height
  }
}

// New SSRCs. Rare, so these may allocate.

extension Relay {
  /// Finds out which stream an unknown SSRC is: by announcement, by mid and rid, or by its payload type.
  private func bind(
    _ header: RTPHeader, _ base: UnsafeRawPointer, peer: PeerHandle, now: MonotonicTime
  ) -> Binding? {
    guard let entry = peers.find(Int(peer.index)), !entry.pointee.bindings.isFull else { return nil }
    let candidates = entry.pointee.sources
    if let announced = bindAnnounced(header, candidates, now) { return remember(announced, peer) }
    guard
      let source = sourceByIdentification(header, base, entry.pointee.extensions, candidates)
        ?? sourceByPayloadType(header, candidates)
    else { return nil }
    let extensions = entry.pointee.extensions
    if let rid = text(header, base, extensions[.repairedRID]) {
      return named(rid, of: source).flatMap {
        remember(Binding(ssrc: header.ssrc, stream: $0, role: .retransmission), peer)
      }
    }
    guard isMedia(header, of: source) else { return bindSoleRetransmission(header, source, peer) }
    let rid = text(header, base, extensions[.rid])
    if let rid, let known = named(rid, of: source) {
      return remember(Binding(ssrc: header.ssrc, stream: known, role: .media), peer)
    }
    guard let stream = addStream(to: source, ssrc: header.ssrc, rid: rid, now: now) else { return nil }
    return remember(Binding(ssrc: header.ssrc, stream: stream, role: .media), peer)
  }

  private func remember(_ binding: Binding, _ peer: PeerHandle) -> Binding {
    peers.find(Int(peer.index))?.pointee.bindings.insert(binding)
    return binding
  }

  private func bindAnnounced(_ header: RTPHeader, _ candidates: [SourceHandle], _ now: MonotonicTime) -> Binding? {
    for handle in candidates {
      guard let source = sources.find(Int(handle.index)) else { continue }
      for pair in source.pointee.announced {
        if pair.media == header.ssrc {
          return addStream(to: handle, ssrc: header.ssrc, rid: nil, now: now)
            .map { Binding(ssrc: header.ssrc, stream: $0, role: .media) }
        }
        if pair.retransmission == header.ssrc {
          return source.pointee.streams.first { streams[unchecked: $0.handle.index].pointee.ssrc == pair.media }
            .map { Binding(ssrc: header.ssrc, stream: $0.handle, role: .retransmission) }
        }
      }
    }
    return nil
  }

  private func sourceByIdentification(
    _ header: RTPHeader, _ base: UnsafeRawPointer, _ extensions: RTPExtensionMap, _ candidates: [SourceHandle]
  ) -> SourceHandle? {
    guard let mid = text(header, base, extensions[.mid]) else { return nil }
    return candidates.first { sources.find(Int($0.index))?.pointee.mid == mid }
  }

  private func sourceByPayloadType(_ header: RTPHeader, _ candidates: [SourceHandle]) -> SourceHandle? {
    let matching = candidates.filter {
      sources.find(Int($0.index))?.pointee.payloadTypes.contains(header.payloadType) == true
    }
    return matching.count == 1 ? matching.first : nil
  }

  private func isMedia(_ header: RTPHeader, of source: SourceHandle) -> Bool {
    sources.find(Int(source.index))?.pointee.payloadTypes.original(of: header.payloadType) == nil
  }

  /// A retransmission stream without any name belongs to the source's only stream.
  private func bindSoleRetransmission(_ header: RTPHeader, _ source: SourceHandle, _ peer: PeerHandle) -> Binding? {
    guard let entry = sources.find(Int(source.index)), entry.pointee.streams.count == 1 else { return nil }
    return remember(Binding(ssrc: header.ssrc, stream: entry.pointee.streams[0].handle, role: .retransmission), peer)
  }

  private func named(_ rid: String, of source: SourceHandle) -> StreamHandle? {
    sources.find(Int(source.index))?.pointee.streams.first { $0.rid == rid }?.handle
  }

  private func text(_ header: RTPHeader, _ base: UnsafeRawPointer, _ id: UInt8) -> String? {
    header.extensionValue(id: id, in: base).map { String(decoding: $0, as: UTF8.self) }
  }

  private func addStream(to handle: SourceHandle, ssrc: SSRC, rid: String?, now: MonotonicTime) -> StreamHandle? {
    guard let stream = insertStream(to: handle, ssrc: ssrc, rid: rid, now: now) else { return nil }
    if sources[unchecked: handle.index].pointee.preferred == nil { prefer(stream, of: handle, now: now) }
    return stream
  }

  /// Adds a stream that nobody is shown yet.
  func insertStream(to handle: SourceHandle, ssrc: SSRC, rid: String?, now: MonotonicTime) -> StreamHandle? {
    guard let source = sources.find(Int(handle.index)), source.pointee.streams.count < Source.maximumStreams else {
      return nil
    }
    let clockRate: UInt32 = source.pointee.kind == .audio ? 48_000 : 90_000
    let stream = StreamHandle(
      streams.insert(
        Stream(
          source: handle, kind: source.pointee.kind, ssrc: ssrc, clockRate: clockRate,
          recording: source.pointee.recording, mirrors: source.pointee.mirrors, now: now)))
    // A sender without simulcast that changes its SSRC goes on with the same picture.
    if rid != nil { streams[unchecked: stream.index].pointee.recordingLayer = UInt8(source.pointee.streams.count) }
    source.pointee.streams.append(NamedStream(handle: stream, rid: rid))
    return stream
  }

  /// Makes a stream the one that the source's slots show.
  func prefer(_ stream: StreamHandle, of handle: SourceHandle, now: MonotonicTime) {
    guard let source = sources.find(Int(handle.index)) else { return }
    source.pointee.preferred = stream
    // Slots that the allocator has decided on show what it said.
    for slot in source.pointee.slots where slots[unchecked: slot.index].pointee.view.rung == nil {
      attach(slot, to: stream, now: now)
    }
  }
}
