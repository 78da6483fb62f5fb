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

  /// Marks a stream for the fan-out: sound before any picture (DOMAIN, "Order under overload").
  @inline(__always)
  func noteDirty(_ handle: StreamHandle, _ kind: SourceKind) {
    switch kind {
    case .audio: dirtySound.append(handle)
    case .video: dirtyStreams.append(handle)
    }
  }
}
