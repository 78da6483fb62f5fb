/// The name of a file in an archive: a known folder and a plain name, so that nothing leads out of the archive.
package struct ArchivePath: Hashable, Comparable, Sendable, CustomStringConvertible {
  package enum Folder: String, Hashable, Sendable, CaseIterable {
    /// Recorded segments.
    case media
    /// Single pictures.
    case stills
    /// What a caller's page kept while it was offline, as it was uploaded.
    case late
  }

  package let folder: Folder
  /// 1 to ``maximumNameLength`` letters, digits, `-`, `_` and `.`, and no `.` in front.
  package let name: String

  package static let maximumNameLength = 100

  package init?(folder: Folder, name: String) {
    guard !name.isEmpty, name.utf8.count <= Self.maximumNameLength, !name.hasPrefix("."),
      name.utf8.allSatisfy({ byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      })
    else { return nil }
    self.folder = folder
    self.name = name
  }

  /// Parses `folder/name`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let folder = Folder(rawValue: String(parts[0])) else { return nil }
    self.init(folder: folder, name: String(parts[1]))
  }

  package var description: String { "\(folder.rawValue)/\(name)" }

  package static func < (left: ArchivePath, right: ArchivePath) -> Bool { left.description < right.description }
}
