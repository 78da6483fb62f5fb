import Archive
import MediaFiles
import Primitives
import Synchronization

/// The bytes of an archive's segments and files as players take them: decrypted where the archive is encrypted.
struct RecordedSources {
  let archive: ArchiveSnapshot
  /// Opens the archive's parts; nil where they lie in clear.
  let cipher: SegmentCipher?

  /// Pictures or sound of a track, as far as its segments are there.
  func track(_ track: ArchiveContents.Track) -> RecordedTrack {
    RecordedTrack(
      kind: track.kind,
      segments: track.segments.compactMap { segment in
        guard let start = segment.start, let source = source(of: segment) else { return nil }
        return RecordedSegment(source: source, start: start, rotation: segment.entry.rotation)
      },
      gaps: track.gaps.map { TimeSpan(start: $0.start, end: $0.end) })
  }

  private func source(of segment: ArchiveContents.Segment) -> ByteSource? {
    let path = segment.entry.path
    guard let file = archive.file(path) else { return nil }
    guard let cipher else {
      return ByteSource(length: min(segment.length, file.length)) { (range) throws(MediaFileError) in
        try Self.read(file, range)
      }
    }
    let lengths = [segment.entry.headerLength] + segment.fragments.map(\.length)
    return SealedParts(path: path, lengths: lengths, file: file, cipher: cipher).map { parts in
      ByteSource(length: parts.length) { (range) throws(MediaFileError) in try parts.read(range) }
    }
  }

  /// The content of a whole file, such as a still; nil when it cannot be had.
  func content(of path: ArchivePath) -> [UInt8]? {
    guard let file = archive.file(path), file.length <= Self.maximumFile,
      let stored = try? file.read(at: 0, count: file.length)
    else { return nil }
    guard let cipher else { return stored }
    return try? cipher.open(part: 0, of: path, stored)
  }

  /// Bytes of a file that is decrypted at once.
  private static let maximumFile = 512 << 20

  fileprivate static func read(_ file: ReadableFile, _ range: Range<Int>) throws(MediaFileError) -> [UInt8] {
    do throws(PackageError) {
      return try file.read(at: range.lowerBound, count: range.count)
    } catch {
      throw MediaFileError(.input, error.text)
    }
  }
}

/// A segment whose parts are sealed one by one; the part that was opened last is kept.
private final class SealedParts: Sendable {
  private let path: ArchivePath
  private let file: ReadableFile
  private let cipher: SegmentCipher
  /// Where each part lies, as it is stored.
  private let stored: [Range<Int>]
  /// Where the content of each part begins; one more for the end.
  private let starts: [Int]
  private let opened = Mutex<(part: Int, content: [UInt8])?>(nil)

  var length: Int { starts.last ?? 0 }

  /// Nil when a part is too short to be sealed.
  init?(path: ArchivePath, lengths: [Int], file: ReadableFile, cipher: SegmentCipher) {
    var stored: [Range<Int>] = []
    var starts = [0]
    var (offset, start) = (0, 0)
    for length in lengths {
      guard let plain = SegmentCipher.plaintextLength(ofStored: length) else { return nil }
      stored.append(offset..<offset + length)
      offset += length
      start += plain
      starts.append(start)
    }
    (self.path, self.file, self.cipher, self.stored, self.starts) = (path, file, cipher, stored, starts)
  }

  func read(_ range: Range<Int>) throws(MediaFileError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    var part = firstPart(at: range.lowerBound)
    while part < stored.count, starts[part] < range.upperBound {
      let content = try content(of: part)
      let wanted = range.clamped(to: starts[part]..<starts[part + 1])
      let from = wanted.lowerBound - starts[part]
      guard from + wanted.count <= content.count else { break }
      bytes += content[from..<from + wanted.count]
      part += 1
    }
    return bytes
  }

  /// The last part that begins at `offset` or before.
  private func firstPart(at offset: Int) -> Int {
    var (low, high) = (0, stored.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  private func content(of part: Int) throws(MediaFileError) -> [UInt8] {
    if let opened = opened.withLock({ $0 }), opened.part == part { return opened.content }
    let bytes = try RecordedSources.read(file, stored[part])
    let content: [UInt8]
    do throws(EnvelopeError) {
      content = try cipher.open(part: part, of: path, bytes)
    } catch {
      throw MediaFileError(.damaged, error.text)
    }
    opened.withLock { $0 = (part, content) }
    return content
  }
}
