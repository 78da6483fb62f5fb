import CLibAV

/// Takes what libavformat writes, in order and without seeking, and keeps it in memory.
///
/// Owns the `AVIOContext` and its buffer; the context holds an unretained reference to the sink, so that the sink must
/// live as long as any muxer that writes to it.
final class MemorySink {
  private(set) var context: UnsafeMutablePointer<AVIOContext>?
  private var bytes: [UInt8] = []

  private static let bufferSize = 64 * 1024

  init() throws(MediaFileError) {
    guard let buffer = av_malloc(Self.bufferSize) else { throw LibAV.outOfMemory() }
    context = avio_alloc_context(
      buffer.assumingMemoryBound(to: UInt8.self), Int32(Self.bufferSize), 1,
      Unmanaged.passUnretained(self).toOpaque(), nil,
      { opaque, data, count in
        guard let opaque, let data, count > 0 else { return 0 }
        Unmanaged<MemorySink>.fromOpaque(opaque).takeUnretainedValue().append(data, Int(count))
        return count
      }, nil)
    guard context != nil else {
      av_free(buffer)
      throw LibAV.outOfMemory()
    }
  }

  deinit {
    if let context { av_freep(&context.pointee.buffer) }
    avio_context_free(&context)
  }

  private func append(_ data: UnsafeMutablePointer<UInt8>, _ count: Int) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: count))
  }

  /// All that was written since the last call.
  func take() -> [UInt8] {
    avio_flush(context)
    let taken = bytes
    bytes = []
    return taken
  }
}
