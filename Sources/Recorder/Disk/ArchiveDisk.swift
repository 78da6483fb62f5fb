/// The boundary to the file system: what the recorder asks of a disk, so that tests can fill it up or hold it still.
///
/// Calls block; only the disk thread makes them.
package protocol ArchiveDisk: Sendable {
  /// Makes a folder and those above it; it is durable when this returns.
  func makeFolder(_ path: String) throws(DiskError)
  /// Names in a folder; empty when there is none.
  func names(in path: String) throws(DiskError) -> [String]
  /// The bytes of a regular file; nil when there is none. Links are not followed.
  func read(_ path: String) throws(DiskError) -> [UInt8]?
  /// Opens a file to append to it, or makes it.
  func open(_ path: String) throws(DiskError) -> any AppendableFile
  /// Gives a folder another name that nothing has yet.
  func move(_ path: String, to target: String) throws(DiskError)
  /// Removes a file.
  func remove(_ path: String) throws(DiskError)
  /// Makes the names in a folder durable.
  func synchronize(folder path: String) throws(DiskError)
}

/// An open file that only grows.
package protocol AppendableFile: AnyObject {
  var length: Int { get }
  /// Writes all of `bytes` at the end, or nothing of it.
  func append(_ bytes: [UInt8]) throws(DiskError)
  /// Cuts the file off behind `length` bytes.
  func truncate(to length: Int) throws(DiskError)
  /// Returns when what was written is on the disk.
  func synchronize() throws(DiskError)
}

/// What the disk refused.
package struct DiskError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    case full
    case failed
  }

  package let code: Code
  /// What was being done and why it failed, in plain words.
  package let text: String

  package init(_ code: Code, _ text: String) {
    self.code = code
    self.text = String(text.prefix(300))
  }

  package var description: String { text }
}
