/// A folder with an archive, as the cores see it.
///
/// What implements it follows no symbolic links and opens regular files alone.
package protocol ArchiveReading {
  /// Everything in the folder and in its folders `media`, `stills` and `late`; other folders are not entered.
  func items() throws(ArchiveReadingError) -> [ArchiveItem]

  /// Up to `count` bytes from `offset` on, fewer at the end of the file alone; nil when there is no such regular file.
  func read(_ name: String, from offset: Int, count: Int) throws(ArchiveReadingError) -> [UInt8]?
}

/// Something that lies in an archive's folder.
package struct ArchiveItem: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case file(length: Int)
    case folder
    case symbolicLink
    /// A device, a pipe, a socket.
    case other
  }

  /// Relative to the archive's folder, with `/` between folder and name.
  package let name: String
  package let kind: Kind

  package init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
  }

  var isHidden: Bool { name.split(separator: "/").contains { $0.hasPrefix(".") } }
}

/// An archive's folder cannot be read at all: nothing is said about its content.
package struct ArchiveReadingError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    /// The folder is missing or is none.
    case noFolder
    /// The system refused.
    case unreadable
    /// More is in it than ``ArchiveFile/maximumItems``.
    case tooMuch
  }

  package let code: Code
  /// What was being done, and what to do next.
  package let text: String

  package init(_ code: Code, _ text: String) {
    self.code = code
    self.text = String(text.prefix(500))
  }

  package var description: String { text }
}

/// Names of the files that every archive has, and bounds for reading them.
package enum ArchiveFile {
  package static let manifest = "manifest.jsonl"
  package static let journal = "journal.jsonl"
  package static let key = "key.pub"
  package static let envelope = "envelope.json"
  /// What was deleted because its time was over (``DeletionRecord``).
  package static let deletions = "deletions.jsonl"

  /// Files and folders of one archive at most.
  package static let maximumItems = 1_000_000
  /// Bytes of `key.pub` and of `envelope.json` at most.
  package static let maximumSmallFile = 64 << 10
  /// Bytes of a line of the journal's copy at most.
  package static let maximumJournalLine = 1 << 20
  /// Bytes that are read at once.
  package static let chunk = 1 << 20

  /// Whether the name is that of a file or folder that belongs to the archive itself.
  static func isOwn(_ name: String) -> Bool {
    [manifest, journal, key, envelope, deletions].contains(name) || ArchivePath.Folder(rawValue: name) != nil
  }
}

extension ArchiveReading {
  /// A file of at most `limit` bytes; nil when there is none, or a longer one.
  package func whole(_ name: String, limit: Int) throws(ArchiveReadingError) -> [UInt8]? {
    guard let bytes = try read(name, from: 0, count: limit + 1), bytes.count <= limit else { return nil }
    return bytes
  }
}
