import CLibAV
import Foundation

/// Lets libavformat read a ``ByteSource``.
///
/// Owns the `AVIOContext` and its buffer; must live as long as the demuxer that reads from it.
final class SourceReader {
  private(set) var context: UnsafeMutablePointer<AVIOContext>?
  private let source: ByteSource
  private var position = 0
  /// What the source threw; libavformat only passes a number on.
  private(set) var failure: MediaFileError?

  private static let bufferSize = 64 * 1024

  init(_ source: ByteSource) throws(MediaFileError) {
    self.source = source
    guard let buffer = av_malloc(Self.bufferSize) else { throw LibAV.outOfMemory() }
    context = avio_alloc_context(
      buffer.assumingMemoryBound(to: UInt8.self), Int32(Self.bufferSize), 0,
      Unmanaged.passUnretained(self).toOpaque(),
      { opaque, data, count in
        guard let opaque, let data, count > 0 else { return SL_AVERROR_EINVAL }
        return Unmanaged<SourceReader>.fromOpaque(opaque).takeUnretainedValue().read(data, Int(count))
      }, nil,
      { opaque, offset, whence in
        guard let opaque else { return -1 }
        return Unmanaged<SourceReader>.fromOpaque(opaque).takeUnretainedValue().seek(offset, whence)
      })
    guard context != nil else {
      av_free(buffer)
      throw LibAV.outOfMemory()
    }
  }

  deinit {
    if let context { av_freep(&context.pointee.buffer) }
    avio_context_free(&context)
  }

  private func read(_ data: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int32 {
    guard position < source.length else { return SL_AVERROR_EOF }
    do {
      let bytes = try source.read(position..<min(source.length, position + count))
      guard !bytes.isEmpty, bytes.count <= count else { return SL_AVERROR_EOF }
      bytes.withUnsafeBufferPointer { if let base = $0.baseAddress { data.update(from: base, count: $0.count) } }
      position += bytes.count
      return Int32(bytes.count)
    } catch {
      failure = error
      return SL_AVERROR_EIO
    }
  }

  private func seek(_ offset: Int64, _ whence: Int32) -> Int64 {
    let base: Int
    switch whence & ~AVSEEK_FORCE {
    case AVSEEK_SIZE: return Int64(source.length)
    case SEEK_SET: base = 0
    case SEEK_CUR: base = position
    case SEEK_END: base = source.length
    default: return -1
    }
    let (target, overflow) = Int64(base).addingReportingOverflow(offset)
    guard !overflow, target >= 0, target <= Int64(source.length) else { return -1 }
    position = Int(target)
    return target
  }
}
