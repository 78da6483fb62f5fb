import Archive
import Cryptography
import Primitives

/// The ZIP file of a package while it is written: every entry is hashed on its way.
final class PackageFile {
  private let file: WritableFile
  private var zip: ZipWriter
  private(set) var items: [PackageListing.Item] = []

  init(path: String, time: UTCTime) throws(PackageError) {
    file = try WritableFile(path: path)
    zip = ZipWriter(time: time)
  }

  /// Adds a file as long as it was when it was opened; `progress` is told of each piece's bytes.
  @discardableResult
  func add(
    _ path: PackagePath, _ source: ReadableFile, progress: (Int) throws(PackageError) -> Void
  ) throws(PackageError) -> PackageListing.Item {
    try begin(path, source.length)
    let digest = StreamingDigest()
    try source.forEachPiece(upTo: source.length) { (piece) throws(PackageError) in
      digest.update(piece)
      try append(piece)
      try progress(piece.count)
    }
    return try end(path, source.length, digest)
  }

  /// Adds what is in memory.
  @discardableResult
  func add(_ path: PackagePath, _ bytes: [UInt8]) throws(PackageError) -> PackageListing.Item {
    try begin(path, bytes.count)
    let digest = StreamingDigest()
    digest.update(bytes)
    var failure: PackageError?
    bytes.withUnsafeBytes { piece in
      do throws(PackageError) { try append(piece) } catch { failure = error }
    }
    if let failure { throw failure }
    return try end(path, bytes.count, digest)
  }

  /// Ends the archive; it is durable when this returns.
  func finish() throws(PackageError) {
    let offset = zip.length
    try file.write(zip.finish(), at: offset)
    try file.synchronize()
  }

  private func begin(_ path: PackagePath, _ length: Int) throws(PackageError) {
    let offset = zip.length
    try file.write(try zip.begin(path, length: length), at: offset)
  }

  private func append(_ piece: UnsafeRawBufferPointer) throws(PackageError) {
    let offset = zip.length
    try zip.append(piece)
    try file.write(piece, at: offset)
  }

  private func end(
    _ path: PackagePath, _ length: Int, _ digest: StreamingDigest
  ) throws(PackageError) -> PackageListing.Item {
    let patch = try zip.end()
    try file.write(patch.bytes, at: patch.offset)
    let item = PackageListing.Item(path: path, length: length, hash: digest.finish())
    items.append(item)
    return item
  }
}
