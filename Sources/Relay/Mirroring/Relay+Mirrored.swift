import Primitives
import RTP

// A popular source on several media threads, seen from a thread that gets it from another one: here it is a source like any
// other, but that its packets come out of a ring, and that what is asked of its sender is passed on.

extension Relay {
  /// Adds a source that another media thread receives.
  ///
  /// It is nobody's here: it stays until ``removeMirrored(_:)``.
  package func addMirrored(_ description: SourceParameters) -> SourceHandle {
    insertSource(description, isMirror: true)
  }

  package func removeMirrored(_ handle: SourceHandle) {
    removeSource(handle)
  }

  /// Takes what the thread wrote that receives the source.
  ///
  /// Returns false when the stream has no room for more packets in this turn: then ``flush(into:now:)`` must finish before
  /// the next entry is given.
  package func receiveMirrored(
    _ entry: HandoverEntry, _ payload: UnsafeRawBufferPointer, of handle: SourceHandle, now: MonotonicTime
  ) -> Bool {
    guard let source = sources.find(Int(handle.index)), source.pointee.isMirror,
      let name = mirroredStream(entry.ssrc, of: handle, source, now: now)
    else { return true }
    let stream = streams[unchecked: name.index]
    switch entry.kind {
    case .padding: return true
    case .report:
      stream.pointee.senderClock = SenderClock(wall: entry.ntpTime, rtpTimestamp: entry.timestamp)
      return true
    case .history:
      keepHistory(entry, payload, source, stream)
      return true
    case .present:
      _ = unwrap(entry.extended, stream)
      // Not before: with a part of its past a stream looks as if it reached the present.
      if source.pointee.preferred == nil { prefer(name, of: handle, now: now) }
      return true
    case .packet:
      guard let base = payload.baseAddress, let packet = cachedPacket(of: entry, source, stream) else { return true }
      counters.mirrored &+= 1
      if source.pointee.preferred == nil { prefer(name, of: handle, now: now) }
      switch stream.pointee.missing.insert(packet.extended, now: now) {
      case .inOrder, .notMissing: break
      case .gap, .recovered, .overflow: isRepairing = true
      }
      return keep(packet, entry.payloadType, base, on: name, now: now)
    }
  }

  private func mirroredStream(
    _ ssrc: SSRC, of handle: SourceHandle, _ source: UnsafeMutablePointer<Source>, now: MonotonicTime
  ) -> StreamHandle? {
    for named in source.pointee.streams where streams[unchecked: named.handle.index].pointee.ssrc == ssrc {
      return named.handle
    }
    return insertStream(to: handle, ssrc: ssrc, rid: nil, now: now)
  }

  /// Numbers are counted anew here; what the two threads share is their lower half.
  @inline(__always)
  private func unwrap(_ extended: Int64, _ stream: UnsafeMutablePointer<Stream>) -> Int64 {
    stream.pointee.sequence.unwrap(SequenceNumber(UInt16(truncatingIfNeeded: extended)))
  }

  private func cachedPacket(
    of entry: HandoverEntry, _ source: UnsafeMutablePointer<Source>, _ stream: UnsafeMutablePointer<Stream>
  ) -> CachedPacket? {
    let format = source.pointee.payloadTypes.format(of: entry.payloadType)
    let extended = unwrap(entry.extended, stream)
    guard format != .none, extended >= 0 else { return nil }
    var packet = CachedPacket()
    packet.extended = extended
    packet.timestamp = entry.timestamp
    packet.length = entry.length
    packet.paddedLength = entry.length
    packet.format = format
    packet.marker = entry.marker
    packet.layers = entry.layers
    stream.pointee.width = entry.width
    stream.pointee.height = entry.height
    return packet
  }

  /// Keeps an old packet: nobody is sent it for its own sake, and it is no part of what the stream brings in a second.
  private func keepHistory(
    _ entry: HandoverEntry, _ payload: UnsafeRawBufferPointer, _ source: UnsafeMutablePointer<Source>,
    _ stream: UnsafeMutablePointer<Stream>
  ) {
    guard let base = payload.baseAddress, let packet = cachedPacket(of: entry, source, stream),
      stream.pointee.ring.insert(packet, payload: base)
    else { return }
    stream.pointee.format = packet.format
    stream.pointee.keyframes?.note(packet, payload: base)
  }

  /// Passes on what is asked of a mirrored source's sender: keyframes.
  ///
  /// Lost packets are asked for by the thread that receives them; here they are only waited for as long.
  func passOnRequests(of handle: SourceHandle, _ source: UnsafeMutablePointer<Source>, now: MonotonicTime) {
    for named in source.pointee.streams {
      if source.pointee.acceptsNACK { _ = takeMissing(of: named.handle, in: source, now) }
      let stream = streams[unchecked: named.handle.index]
      if stream.pointee.keyframeRequest != .none { isRepairing = true }
      if dueKeyframeRequest(of: stream, in: source, now: now) { emit(.keyframeWanted(handle, stream.pointee.ssrc)) }
    }
  }
}
