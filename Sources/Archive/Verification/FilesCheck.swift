import Cryptography
import Primitives

/// Holds the files of an archive against the ranges that its manifest names.
struct FilesCheck {
  let manifest: ManifestCheck
  /// Files that are missing by right.
  let deleted: Set<String>
  let progress: (VerificationProgress) -> Void

  mutating func run(
    _ reader: any ArchiveReading, _ report: inout VerificationReport
  ) throws(ArchiveReadingError) {
    let items = try reader.items()
    let kinds = Dictionary(items.map { ($0.name, $0.kind) }, uniquingKeysWith: { first, _ in first })
    let total = manifest.ranges.keys.reduce(0) { sum, path in
      guard case .file(let length) = kinds[path.description] else { return sum }
      return sum + length
    }
    for path in manifest.ranges.keys.sorted() {
      do throws(ArchiveReadingError) {
        try check(path, kinds[path.description], reader, &report)
      } catch {
        report.add(.damage, path.description, "cannot be read: \(error.text)")
      }
      progress(VerificationProgress(done: min(report.counts.bytes, total), total: total))
    }
    for item in items.sorted(by: { $0.name < $1.name }) { judge(item, &report) }
    if case .file(let length) = kinds[ArchiveFile.manifest], length != manifest.length {
      report.add(.notice, ArchiveFile.manifest, "was written to during this check: check again for the rest")
    }
  }

  private func check(
    _ path: ArchivePath, _ kind: ArchiveItem.Kind?, _ reader: any ArchiveReading, _ report: inout VerificationReport
  ) throws(ArchiveReadingError) {
    let name = path.description
    if kind == nil, deleted.contains(name) { return }
    let ranges = manifest.ranges[path] ?? []
    let expected = ranges.last?.end ?? 0
    guard case .file(let length) = kind else {
      // What is there instead of a file is named by ``judge(_:_:)``.
      let text = kind == nil ? "is missing" : "is no file"
      return report.add(
        .damage, name, "\(text): \(expected) bytes were recorded. Look for it in a backup or an export")
    }
    var wrong: [ManifestCheck.Range] = []
    for range in ranges where range.end <= length {
      if try hash(name, range, reader) != range.hash { wrong.append(range) }
      report.counts.bytes += range.length
    }
    if let first = wrong.first {
      let time = first.start.map { ", recorded \($0)" } ?? ""
      report.add(
        .damage, name,
        "has other bytes than were recorded: \(wrong.count) of \(ranges.count) parts, the first from byte "
          + "\(first.offset) to \(first.end) (line \(first.line)\(time))")
    }
    if length < expected {
      report.add(.damage, name, "is cut short: \(length) of \(expected) bytes are there")
    } else if length > expected {
      noteTail(name, length - expected, &report)
    }
  }

  private func noteTail(_ name: String, _ count: Int, _ report: inout VerificationReport) {
    if manifest.isSealed, !manifest.isBroken {
      report.add(.damage, name, "has \(count) bytes at its end that no line names: they were added after it was sealed")
    } else {
      report.add(.notice, name, "has \(count) bytes at its end that no line names: they were being written")
    }
  }

  private func hash(
    _ name: String, _ range: ManifestCheck.Range, _ reader: any ArchiveReading
  ) throws(ArchiveReadingError) -> [UInt8]? {
    if range.length <= ArchiveFile.chunk {
      let bytes = try reader.read(name, from: range.offset, count: range.length)
      return bytes?.count == range.length ? bytes.map { Digest.sha256($0) } : nil
    }
    let digest = StreamingDigest()
    var offset = range.offset
    while offset < range.end {
      let bytes = try reader.read(name, from: offset, count: min(ArchiveFile.chunk, range.end - offset))
      guard let bytes, !bytes.isEmpty else { return nil }
      digest.update(bytes)
      offset += bytes.count
    }
    return digest.finish()
  }

  // MARK: - What no line names

  private func judge(_ item: ArchiveItem, _ report: inout VerificationReport) {
    switch item.kind {
    case .symbolicLink:
      report.add(.damage, item.name, "is a symbolic link, which an archive never holds: it was not followed. Remove it")
    case .other:
      report.add(.damage, item.name, "is neither a file nor a folder: an archive never holds such a thing. Remove it")
    case .folder:
      if ArchivePath.Folder(rawValue: item.name) == nil { judgeStranger(item, "folder", &report) }
    case .file:
      if ArchivePath(item.name).flatMap({ manifest.ranges[$0] }) == nil,
        !ArchiveFile.isOwn(item.name) || ArchivePath.Folder(rawValue: item.name) != nil
      {
        judgeStranger(item, "file", &report)
      }
    }
  }

  private func judgeStranger(_ item: ArchiveItem, _ noun: String, _ report: inout VerificationReport) {
    if item.isHidden {
      report.add(.damage, item.name, "is a hidden \(noun), which an archive never holds. Look at it, then remove it")
    } else if noun == "file", ArchivePath(item.name) != nil, !manifest.isSealed || manifest.isBroken,
      manifest.contents.header != nil
    {
      report.add(.notice, item.name, "is named by no line that can be read: it was being written")
    } else if manifest.isSealed {
      report.add(.damage, item.name, "is a \(noun) that no line names: it was added after the archive was sealed")
    } else if ArchivePath(item.name) != nil {
      report.add(.damage, item.name, "is a recorded file, but the manifest has no line that begins the archive")
    } else {
      report.add(.notice, item.name, "is a \(noun) that does not belong to an archive. Look at it, then remove it")
    }
  }
}
