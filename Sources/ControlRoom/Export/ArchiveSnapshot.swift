import Archive
import Foundation
import Primitives

/// An incident's archive folder as it lies at one moment: open files, with the lengths that count.
///
/// The manifest is read first. What it names was written before it, so that a snapshot of a recording that goes on is
/// whole: what came after is simply not in it.
package struct ArchiveSnapshot: Sendable {
  /// A file of the archive.
  package struct File: Sendable {
    /// Below the archive's folder.
    package let path: PackagePath
    package let file: ReadableFile
  }

  package let files: [File]
  /// What the manifest says; nil when it cannot be read.
  package let contents: ArchiveContents?
  /// What should be known of it.
  package let notes: [String]

  /// Plain names that an archive's folder may hold beside its three folders.
  private static let manifest = "manifest.jsonl"
  /// Bytes of a manifest that are read at once.
  static let maximumManifest = 1 << 30

  /// Bytes of all files.
  package var length: Int { files.reduce(0) { $0 + $1.file.length } }

  package var state: PackageListing.ArchiveState {
    guard !files.isEmpty else { return .none }
    guard let contents else { return .unreadable }
    return contents.isSealed ? .sealed : .unsealed
  }

  /// A file by its name in the archive.
  package func file(_ path: ArchivePath) -> ReadableFile? {
    files.first { $0.path.text == path.description }?.file
  }

  /// Opens everything in `folder`; an archive that is not there has no files.
  package init(folder path: String) throws(PackageError) {
    guard let folder = Folder(path: path) else {
      guard !FileManager.default.fileExists(atPath: path) else {
        throw PackageError(.unavailable, "The archive's folder cannot be opened, or is a link. Check its rights.")
      }
      (files, contents, notes) = ([], ArchiveContents(), [])
      return
    }
    var notes: [String] = []
    var files: [File] = []
    var contents: ArchiveContents?
    if let manifest = ReadableFile(Self.manifest, in: folder) {
      files.append(File(path: PackagePath("manifest.jsonl"), file: manifest))
      contents = Self.contents(of: manifest, &notes)
    } else {
      notes.append("The archive has no manifest that can be read.")
    }
    for name in try folder.names() where name != Self.manifest {
      if ArchivePath.Folder(rawValue: name) != nil, let inner = Folder(name, in: folder) {
        for inside in try inner.names() { Self.add("\(name)/\(inside)", inside, in: inner, &files, &notes) }
      } else {
        Self.add(name, name, in: folder, &files, &notes)
      }
    }
    (self.files, self.contents, self.notes) = (files, contents, Array(notes.prefix(Self.maximumNotes)))
  }

  /// Notes about one archive at most.
  private static let maximumNotes = 100

  private static func add(
    _ path: String, _ name: String, in folder: Folder, _ files: inout [File], _ notes: inout [String]
  ) {
    guard let path = PackagePath(path), let file = ReadableFile(name, in: folder) else {
      let shown = String(
        path.unicodeScalars.filter { (0x20..<0x7f).contains($0.value) }.prefix(100).map(Character.init))
      return notes.append("Left out, because it is no plain file: \(shown)")
    }
    files.append(File(path: path, file: file))
  }

  private static func contents(of manifest: ReadableFile, _ notes: inout [String]) -> ArchiveContents? {
    do throws(PackageError) {
      guard manifest.length <= maximumManifest else {
        throw PackageError(.tooLarge, "The manifest is longer than \(maximumManifest) bytes.")
      }
      var contents = ArchiveContents()
      for line in try manifest.read(at: 0, count: manifest.length).split(separator: UInt8(ascii: "\n")) {
        do throws(ManifestError) {
          try contents.append(Array(line))
        } catch {
          // A line that is cut off is what was being written; anything else is for `sightline verify` to name.
          let isCutOff = line.endIndex == manifest.length
          if !isCutOff { throw PackageError(.damaged, "The manifest cannot be read: \(error)") }
        }
      }
      return contents
    } catch {
      notes.append(error.text)
      return nil
    }
  }
}
