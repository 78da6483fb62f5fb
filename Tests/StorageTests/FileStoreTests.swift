import Cryptography
import Foundation
import Primitives
import Storage
import Testing

@Suite("File store")
struct FileStoreTests {
  @Test func keepsContentUnderItsHash() throws {
    let folder = try TemporaryFolder()
    let store = try FileStore(folder: folder.url)
    let hash = try store.keep(Array("abc".utf8))
    // SHA-256 of "abc": FIPS 180-4, example 1.
    #expect(hash == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(store.content(of: hash) == Array("abc".utf8))
    #expect(try FileStore(folder: folder.url).content(of: hash) == Array("abc".utf8))
    let empty = try store.keep([])
    #expect(store.content(of: empty) == [])
  }

  @Test func theSameContentIsKeptOnce() throws {
    let folder = try TemporaryFolder()
    let store = try FileStore(folder: folder.url)
    let hashes = concurrently(8) { _ in (try? store.keep(Array("abc".utf8))) ?? "failed" }
    #expect(Set(hashes).count == 1)
    #expect(folder.files.count == 1)
  }

  @Test func whatIsRefusedLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let store = try FileStore(folder: folder.url)
    var seen: [UInt8]?
    let error = storageError {
      _ = try store.keep(Array("virus".utf8)) { (path) throws(StorageError) in
        seen = (try? Data(contentsOf: URL(filePath: path))).map { Array($0) }
        throw StorageError(.conflict, "infected")
      }
    }
    #expect(error?.text == "infected")
    #expect(seen == Array("virus".utf8))
    #expect(folder.files == [])
    #expect(store.content(of: Hex.encode(Digest.sha256(Array("virus".utf8)))) == nil)
  }

  @Test(
    "names that are no hash lead nowhere",
    arguments: [
      "", "ab", "../../../../etc/passwd", String(repeating: "0", count: 64), String(repeating: "g", count: 64),
      String(repeating: "/", count: 64), "incoming",
    ])
  func unknown(hash: String) throws {
    #expect(try FileStore(folder: TemporaryFolder().url).content(of: hash) == nil)
  }

  @Test func unfinishedUploadsAreSweptUp() throws {
    let folder = try TemporaryFolder()
    _ = try FileStore(folder: folder.url)
    try Data([1]).write(to: folder.url.appending(path: "incoming/left"))
    _ = try FileStore(folder: folder.url)
    #expect(folder.files == [])
  }
}
