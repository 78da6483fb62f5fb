import Primitives
import RTP

// A popular source on several media threads, seen from the thread that receives it: each packet is copied once into the ring
// of every other thread that serves viewers of it. Packet path: no allocation, no lock, no reference count.

extension Relay {
  /// Media threads that sources can be mirrored on.
  package static var maximumThreads: Int { Mirrors.maximumThreads }

  /// Where to write what another media thread fans out; the ring must outlive the relay.
  package func setMirrorRing(_ writer: HandoverRing.Writer, of thread: Int) {
    mirrorRings[thread] = writer
  }

  /// Has everything that a source sends copied to another media thread from now on, after what is kept of it.
  ///
  /// The other thread must have been told of `number` before: it leaves out what it does not know.
  package func startMirroring(_ handle: SourceHandle, as number: UInt32, on thread: Int) {
    guard let source = sources.find(Int(handle.index)), mirrorRings[thread] != nil else { return }
    source.pointee.mirrors.insert(thread, as: number)
    for named in source.pointee.streams {
      let stream = streams[unchecked: named.handle.index]
      stream.pointee.mirrors.insert(thread, as: number)
      mirrorHistory(of: stream, on: thread)
    }
  }

  /// Copies nothing of a source to a media thread any more.
  package func stopMirroring(_ handle: SourceHandle, on thread: Int) {
    guard let source = sources.find(Int(handle.index)) else { return }
    source.pointee.mirrors.remove(thread)
    for named in source.pointee.streams { streams[unchecked: named.handle.index].pointee.mirrors.remove(thread) }
  }

  /// The media threads for whom something was written since the last call, a bit each: they have to be woken.
  package func takeMirrorNews() -> UInt64 {
    defer { mirrorNews = 0 }
    return mirrorNews
  }

  /// Asks a source's sender for a keyframe that viewers on another media thread want.
  package func requestKeyframe(ofMirrored handle: SourceHandle, stream ssrc: SSRC, now: MonotonicTime) {
    guard let source = sources.find(Int(handle.index)) else { return }
    for named in source.pointee.streams where streams[unchecked: named.handle.index].pointee.ssrc == ssrc {
      requestKeyframe(of: named.handle, now: now)
    }
  }

  @inline(__always)
  func mirrorPacket(
    _ packet: CachedPacket, _ payloadType: PayloadType, _ payload: UnsafeRawPointer,
    of stream: UnsafeMutablePointer<Stream>
  ) {
    guard !stream.pointee.mirrors.isEmpty else { return }
    let entry = mirrorEntry(.packet, of: packet, payloadType, stream)
    writeMirrors(entry, payload: payload, on: stream.pointee.mirrors.threads)
  }

  /// Tells mirrors how the sender's clock stands to the server's, so that their viewers play sound and picture together.
  func mirrorClock(of stream: UnsafeMutablePointer<Stream>) {
    mirrorClock(of: stream, on: stream.pointee.mirrors.threads)
  }

  private func mirrorClock(of stream: UnsafeMutablePointer<Stream>, on threads: UInt64) {
    guard threads != 0, let clock = stream.pointee.senderClock else { return }
    var entry = HandoverEntry(kind: .report, source: stream.pointee.mirrors.number)
    entry.ssrc = stream.pointee.ssrc
    entry.timestamp = clock.rtpTimestamp
    entry.ntpTime = clock.wall
    writeMirrors(entry, payload: nil, on: threads)
  }

  private func mirrorEntry(
    _ kind: HandoverEntry.Kind, of packet: CachedPacket, _ payloadType: PayloadType,
    _ stream: UnsafeMutablePointer<Stream>
  ) -> HandoverEntry {
    var entry = HandoverEntry(kind: kind, source: stream.pointee.mirrors.number)
    entry.marker = packet.marker
    entry.ssrc = stream.pointee.ssrc
    entry.timestamp = packet.timestamp
    entry.length = packet.length
    entry.payloadType = payloadType
    entry.extended = packet.extended
    entry.layers = packet.layers
    entry.width = stream.pointee.width
    entry.height = stream.pointee.height
    return entry
  }

  @inline(__always)
  private func writeMirrors(_ entry: HandoverEntry, payload: UnsafeRawPointer?, on threads: UInt64) {
    var rest = threads
    while rest != 0 {
      let thread = rest.trailingZeroBitCount
      rest &= rest &- 1
      guard let ring = mirrorRings[thread] else { continue }
      if !ring.write(entry, payload: payload) { counters.mirrorsDropped &+= 1 }
      mirrorNews |= 1 << UInt64(thread)
    }
  }

  /// What a viewer needs to see a picture at once: everything since the last keyframe if it is kept, else the keyframe.
  private func mirrorHistory(of stream: UnsafeMutablePointer<Stream>, on thread: Int) {
    let threads: UInt64 = 1 << UInt64(thread)
    mirrorClock(of: stream, on: threads)
    guard let highest = stream.pointee.sequence.highest else { return }
    for extended in history(of: stream, upTo: highest) {
      guard let (packet, payload) = cachedPacket(extended, of: stream),
        let payloadType = sources[unchecked: stream.pointee.source.index].pointee.payloadTypes.payloadType(
          of: packet.format)
      else { continue }
      writeMirrors(mirrorEntry(.history, of: packet, payloadType, stream), payload: payload, on: threads)
    }
    var present = HandoverEntry(kind: .present, source: stream.pointee.mirrors.number)
    present.ssrc = stream.pointee.ssrc
    present.extended = highest
    writeMirrors(present, payload: nil, on: threads)
  }

  private func history(of stream: UnsafeMutablePointer<Stream>, upTo highest: Int64) -> Range<Int64> {
    guard let keyframes = stream.pointee.keyframes, let start = keyframes.newestStart else { return highest..<highest }
    let isWhole = !stream.pointee.isBroken && stream.pointee.ring.find(start) != nil
    return isWhole ? start..<(highest + 1) : keyframes.range ?? highest..<highest
  }
}
