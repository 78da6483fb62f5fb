import Primitives

/// Writes a ZIP archive of stored entries, piece by piece (PKWARE APPNOTE 6.3.9); media do not compress.
///
/// Bytes come back to be written one after the other. An entry's checksum is known behind its last byte, and goes into
/// its header with a ``Patch``, so that readers which do not look at the directory at the end understand it too. Entries
/// and archives of 4 GiB and more, and more than 65,534 entries, are written in the ZIP64 form.
package struct ZipWriter {
  /// Bytes that replace what was written before.
  package struct Patch: Hashable, Sendable {
    /// From the beginning of the archive, bytes.
    package let offset: Int
    package let bytes: [UInt8]
  }

  private enum State {
    case between
    case inside(OpenEntry)
    case finished
  }

  private struct OpenEntry {
    let path: PackagePath
    let offset: Int
    let length: Int
    var written = 0
    var checksum = CRC32()
  }

  private struct ClosedEntry {
    let path: PackagePath
    let offset: Int
    let length: Int
    let checksum: UInt32
  }

  private var state = State.between
  private var entries: [ClosedEntry] = []
  private var paths: Set<PackagePath> = []
  private let stamp: UInt32
  private let isAlwaysLarge: Bool
  /// Bytes handed out so far.
  package private(set) var length = 0

  /// Entries of one archive at most.
  package static let maximumEntries = 200_000

  /// - Parameters:
  ///   - time: Every entry's time, in UTC.
  ///   - isAlwaysLarge: Whether the ZIP64 form is used even where it is not needed.
  package init(time: UTCTime, isAlwaysLarge: Bool = false) {
    stamp = Self.stamp(of: time)
    self.isAlwaysLarge = isAlwaysLarge
  }

  /// Begins an entry of `length` bytes, and returns its header.
  package mutating func begin(_ path: PackagePath, length: Int) throws(PackageError) -> [UInt8] {
    guard case .between = state else { preconditionFailure("an entry begins while the writer is \(state)") }
    guard length >= 0, entries.count < Self.maximumEntries else {
      throw PackageError(.tooLarge, "A package has at most \(Self.maximumEntries) files.")
    }
    guard paths.insert(path).inserted else { throw PackageError(.damaged, "\(path) would be in the package twice.") }
    let entry = OpenEntry(path: path, offset: self.length, length: length)
    state = .inside(entry)
    return count(localHeader(entry.path, length: length, checksum: 0))
  }

  /// Takes the entry's next bytes into account; they are written as they are.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(PackageError) {
    guard case .inside(var entry) = state else { preconditionFailure("bytes while the writer is \(state)") }
    guard bytes.count <= entry.length - entry.written else {
      throw PackageError(.damaged, "\(entry.path) has grown while it was packed.")
    }
    entry.checksum.append(bytes)
    entry.written += bytes.count
    length += bytes.count
    state = .inside(entry)
  }

  /// Ends the entry.
  package mutating func end() throws(PackageError) -> Patch {
    guard case .inside(let entry) = state else { preconditionFailure("an entry ends while the writer is \(state)") }
    guard entry.written == entry.length else {
      throw PackageError(.damaged, "\(entry.path) has become shorter while it was packed.")
    }
    let checksum = entry.checksum.value
    entries.append(
      ClosedEntry(path: entry.path, offset: entry.offset, length: entry.length, checksum: checksum))
    state = .between
    return Patch(offset: entry.offset, bytes: localHeader(entry.path, length: entry.length, checksum: checksum))
  }

  /// The directory, which ends the archive.
  package mutating func finish() -> [UInt8] {
    guard case .between = state else { preconditionFailure("the archive ends while the writer is \(state)") }
    state = .finished
    let start = length
    var bytes: [UInt8] = []
    for entry in entries { bytes += directoryEntry(entry) }
    let size = bytes.count
    if isAlwaysLarge || start >= Self.limit32 || size >= Self.limit32 || entries.count >= 0xffff {
      bytes += largeEnd(directoryAt: start, size: size)
    }
    bytes.append(little: 0x0605_4b50, 4)
    bytes.append(little: 0, 4)
    bytes.append(little: UInt64(min(entries.count, 0xffff)), 2)
    bytes.append(little: UInt64(min(entries.count, 0xffff)), 2)
    bytes.append(little: UInt64(clamped(size)), 4)
    bytes.append(little: UInt64(clamped(start)), 4)
    bytes.append(little: 0, 2)
    return count(bytes)
  }

  private mutating func count(_ bytes: [UInt8]) -> [UInt8] {
    length += bytes.count
    return bytes
  }

  // MARK: - Records

  private static let limit32 = 0xffff_ffff
  /// Version 4.5 knows ZIP64 (APPNOTE §4.4.3.2).
  private static let version: UInt64 = 45
  private static let unix: UInt64 = 3 << 8

  private func isLarge(_ value: Int) -> Bool { isAlwaysLarge || value >= Self.limit32 }

  /// What a field of 32 bits says; the extra field has the truth when it says 0xffffffff.
  private func clamped(_ value: Int) -> Int { isLarge(value) ? Self.limit32 : value }

  /// APPNOTE §4.3.7; both lengths are in the extra field, or none (§4.5.3).
  private func localHeader(_ path: PackagePath, length: Int, checksum: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: 0x0403_4b50, 4)
    bytes.append(little: Self.version, 2)
    bytes.append(little: 0, 4)  // no flags, stored
    bytes.append(little: UInt64(stamp), 4)
    bytes.append(little: UInt64(checksum), 4)
    bytes.append(little: UInt64(clamped(length)), 4)
    bytes.append(little: UInt64(clamped(length)), 4)
    bytes.append(little: UInt64(path.text.utf8.count), 2)
    bytes.append(little: isLarge(length) ? 20 : 0, 2)
    bytes += Array(path.text.utf8)
    if isLarge(length) { bytes += extra([length, length]) }
    return bytes
  }

  /// APPNOTE §4.3.12; the extra field has those values only that do not fit.
  private func directoryEntry(_ entry: ClosedEntry) -> [UInt8] {
    var large: [Int] = isLarge(entry.length) ? [entry.length, entry.length] : []
    if isLarge(entry.offset) { large.append(entry.offset) }
    let extra = large.isEmpty ? [] : extra(large)
    var bytes: [UInt8] = []
    bytes.append(little: 0x0201_4b50, 4)
    bytes.append(little: Self.unix | Self.version, 2)
    bytes.append(little: Self.version, 2)
    bytes.append(little: 0, 4)
    bytes.append(little: UInt64(stamp), 4)
    bytes.append(little: UInt64(entry.checksum), 4)
    bytes.append(little: UInt64(clamped(entry.length)), 4)
    bytes.append(little: UInt64(clamped(entry.length)), 4)
    bytes.append(little: UInt64(entry.path.text.utf8.count), 2)
    bytes.append(little: UInt64(extra.count), 2)
    bytes.append(little: 0, 6)  // no comment, first disk, no internal attributes
    bytes.append(little: 0o100_644 << 16, 4)
    bytes.append(little: UInt64(clamped(entry.offset)), 4)
    return bytes + Array(entry.path.text.utf8) + extra
  }

  private func extra(_ values: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: 1, 2)
    bytes.append(little: UInt64(values.count * 8), 2)
    for value in values { bytes.append(little: UInt64(value), 8) }
    return bytes
  }

  /// APPNOTE §4.3.14 and §4.3.15.
  private func largeEnd(directoryAt start: Int, size: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(little: 0x0606_4b50, 4)
    bytes.append(little: 44, 8)
    bytes.append(little: Self.unix | Self.version, 2)
    bytes.append(little: Self.version, 2)
    bytes.append(little: 0, 8)
    bytes.append(little: UInt64(entries.count), 8)
    bytes.append(little: UInt64(entries.count), 8)
    bytes.append(little: UInt64(size), 8)
    bytes.append(little: UInt64(start), 8)
    bytes.append(little: 0x0706_4b50, 4)
    bytes.append(little: 0, 4)
    bytes.append(little: UInt64(start + size), 8)
    bytes.append(little: 1, 4)
    return bytes
  }

  /// Time and date as MS-DOS had them, to two seconds, from 1980 on (APPNOTE §4.4.6).
  private static func stamp(of time: UTCTime) -> UInt32 {
    let days = Int64((Double(time.seconds) / 86_400).rounded(.down))
    let date = CivilDate(daysSince1970: days)
    guard (1980...2107).contains(date.year) else { return 1 << 21 | 1 << 16 }
    let second = UInt32(time.seconds - days * 86_400)
    let day = UInt32(date.year - 1980) << 9 | UInt32(date.month) << 5 | UInt32(date.day)
    return day << 16 | (second / 3600) << 11 | (second / 60 % 60) << 5 | second % 60 / 2
  }
}

extension [UInt8] {
  /// The lower `count` bytes of `value`, lowest first.
  fileprivate mutating func append(little value: UInt64, _ count: Int) {
    for shift in 0..<count { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
  }
}
