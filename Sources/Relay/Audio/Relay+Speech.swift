import Primitives
import RTP

// Who speaks, and sound before pictures.

extension Relay {
  /// Notes a packet's loudness (RFC 6464).
  ///
  /// Packet path.
  @inline(__always)
  func noteSpeech(
    _ header: RTPHeader, _ base: UnsafeRawPointer, _ peer: UnsafeMutablePointer<RelayPeer>, _ handle: StreamHandle,
    _ now: MonotonicTime
  ) {
    let stream = streams[unchecked: handle.index]
    guard stream.pointee.kind == .audio, header.extensionLength != 0,
      let value = header.extensionValue(id: peer.pointee.extensions[.audioLevel], in: base),
      let level = AudioLevel(parsing: value)
    else { return }
    stream.pointee.speaker.note(level, now: now)
  }

  /// Whether somebody speaks in any of a source's streams.
  func updateSpeaker(of source: UnsafeMutablePointer<Source>, now: MonotonicTime) -> Bool {
    guard source.pointee.kind == .audio else { return false }
    var isSpeaking = false
    for named in source.pointee.streams {
      let stream = streams[unchecked: named.handle.index]
      stream.pointee.speaker.update(now: now)
      isSpeaking = isSpeaking || stream.pointee.speaker.isSpeaking
    }
    return isSpeaking
  }

  /// Whether somebody speaks there now; false for a picture.
  package func isSpeaking(_ source: SourceHandle) -> Bool {
    sources.find(Int(source.index))?.pointee.status.isSpeaking ?? false
  }

  /// Marks a stream for the fan-out: sound before any picture (DOMAIN, "Order under overload"), then by priority, then in
  /// the order of arrival.
  @inline(__always)
  func noteDirty(_ handle: StreamHandle, _ stream: UnsafeMutablePointer<Stream>) {
    let priority = sources[unchecked: stream.pointee.source.index].pointee.priority
    switch stream.pointee.kind {
    case .audio: dirtySound.insert(handle, at: place(of: priority, in: dirtySound))
    case .video: dirtyStreams.insert(handle, at: place(of: priority, in: dirtyStreams))
    }
  }

  /// Before all that are as urgent or more: the last one is served first.
  @inline(__always)
  private func place(of priority: UInt8, in dirty: [StreamHandle]) -> Int {
    var place = dirty.count
    while place > 0 {
      let source = streams[unchecked: dirty[place &- 1].index].pointee.source
      guard sources[unchecked: source.index].pointee.priority <= priority else { break }
      place &-= 1
    }
    return place
  }

  /// Has what a source sends come before what less urgent incidents' sources send at the same time.
  ///
  /// - Parameter priority: The incident's, 1 (most urgent) to 4.
  package func setPriority(_ priority: Int, of source: SourceHandle) {
    sources.find(Int(source.index))?.pointee.priority = UInt8(clamping: priority)
  }
}
