import Foundation

/// A file's bytes, wherever they are: in memory, on a disk, or decrypted on the way.
package struct ByteSource: Sendable {
  /// Bytes.
  package let length: Int
  private let fetch: @Sendable (Range<Int>) throws(MediaFileError) -> [UInt8]

  /// `fetch` is called with ranges within 0 and `length`, from the thread that reads; it may give fewer bytes at a
  /// damaged file's end.
  package init(length: Int, fetch: @escaping @Sendable (Range<Int>) throws(MediaFileError) -> [UInt8]) {
    self.length = max(0, length)
    self.fetch = fetch
  }

  package init(_ bytes: [UInt8]) {
    self.init(length: bytes.count) { range throws(MediaFileError) in Array(bytes[range]) }
  }

  /// Opens a file; throws ``MediaFileError`` with the code `input`.
  package init(path: String) throws(MediaFileError) {
    let file = try ReadableFile(path)
    self.init(length: file.length) { range throws(MediaFileError) in try file.read(range) }
  }

  /// Bytes of the part of `range` that exists.
  package func read(_ range: Range<Int>) throws(MediaFileError) -> [UInt8] {
    let existing = range.clamped(to: 0..<length)
    return existing.isEmpty ? [] : try fetch(existing)
  }
}

/// A descriptor that is read at given offsets; it has no position, so that threads may share it.
private final class ReadableFile: Sendable {
  private let descriptor: Int32
  let length: Int

  init(_ path: String) throws(MediaFileError) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      length = 0
      throw MediaFileError(.input, "Cannot open a media file: \(String(cString: strerror(errno))).")
    }
    length = Int(status.st_size)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  func read(_ range: Range<Int>) throws(MediaFileError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
      while filled < range.count {
        let count = pread(
          descriptor, buffer.baseAddress.map { $0 + filled }, range.count - filled, off_t(range.lowerBound + filled))
        if count < 0, errno == EINTR { continue }
        if count < 0 { failure = errno }
        guard count > 0 else { break }
        filled += count
      }
    }
    guard failure == 0 else {
      throw MediaFileError(.input, "Cannot read a media file: \(String(cString: strerror(failure))).")
    }
    return bytes
  }
}
