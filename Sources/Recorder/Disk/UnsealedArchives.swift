import Archive
import Foundation
import Incidents
import Primitives

/// Finds the archives that a server left open when it died.
struct UnsealedArchives {
  let folder: String

  /// Incidents whose last line is no final seal.
  func find() -> [IncidentID] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().compactMap { IncidentID($0) }.filter { !isSealed("\(folder)/\($0.value)") }
  }

  /// Looks at the last line alone: there may be a hundred thousand archives.
  private func isSealed(_ path: String) -> Bool {
    let file = "\(path)/\(ArchiveFile.manifest)"
    guard let length = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int, length > 0,
      let reader = try? FolderReader(URL(fileURLWithPath: path))
    else { return false }
    let start = max(0, length - ManifestLine.maximumLength)
    guard let tail = try? reader.read(ArchiveFile.manifest, from: start, count: length - start),
      tail.last == UInt8(ascii: "\n"),
      let bytes = tail.dropLast().split(separator: UInt8(ascii: "\n")).last,
      let line = try? ManifestLine(parsing: Array(bytes)), case .seal(let seal) = line.entry
    else { return false }
    return seal.isFinal
  }
}
