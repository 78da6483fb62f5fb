import Archive
import ControlRoom
import Foundation
import Incidents
import Primitives
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ReplayLibraryTests {
  private let folders = RecordedFolders()

  private func id(_ number: Int = 1) throws -> IncidentID { try #require(IncidentID("26-\(number)")) }

  private func read(
    _ library: ArchiveLibrary, _ path: ArchivePath, of incident: IncidentID, _ range: Range<Int>? = nil
  ) async throws -> [UInt8] {
    let reader = try await library.open(path, of: incident)
    var bytes: [UInt8] = []
    let range = range ?? 0..<reader.length
    while bytes.count < range.count {
      let piece = try await library.read(reader, (range.lowerBound + bytes.count)..<range.upperBound)
      try #require(!piece.isEmpty)
      bytes += piece
    }
    return bytes
  }

  @Test func followsAnArchiveThatGrows() async throws {
    let library = ArchiveLibrary(archives: folders.url)
    #expect(try await library.manifest(of: id()) == nil)
    let archive = try folders.begin(try id())
    #expect(try await library.manifest(of: id())?.contents.head.number == 1)
    let path = try archive.film("v", [[1, 2], [3, 4, 5]])
    #expect(try await read(library, path, of: id()) == [1, 2, 3, 4, 5])
    try archive.fragment(path, [6])
    #expect(try await read(library, path, of: id()) == [1, 2, 3, 4, 5, 6])
    // A line that is not ended is none, and bytes that no line names are nobody's.
    try archive.write(Array("{\"n\":".utf8), to: archive.manifest)
    try archive.write([9, 9], to: archive.folder.appendingPathComponent("\(path)"))
    let manifest = try #require(try await library.manifest(of: id()))
    #expect(manifest.problem == nil && manifest.contents.head.number == 5)
    #expect(try await read(library, path, of: id()) == [1, 2, 3, 4, 5, 6])
  }

  /// An encrypted archive with a film of three parts, and the node's key.
  private func encrypted() throws -> (archive: WrittenArchive, path: ArchivePath, key: EnvelopeKey) {
    let key = try #require(EnvelopeKey([UInt8](repeating: 3, count: EnvelopeKey.length)))
    var random = RandomSource.seeded(1)
    let (cipher, envelope) = key.makeCipher(for: try id(), random: &random)
    let archive = try folders.begin(try id(), isEncrypted: true)
    try archive.write(envelope.bytes, to: archive.folder.appendingPathComponent("envelope.json"))
    let path = try #require(ArchivePath("media/v-0000.mp4"))
    let parts = [[0, 1, 2], [3, 4], [5, 6, 7, 8]] as [[UInt8]]
    var sealed: [[UInt8]] = []
    for (part, bytes) in parts.enumerated() {
      sealed.append(try cipher.seal(part: part, of: path, bytes, random: &random))
    }
    #expect(try archive.film("v", sealed) == path)
    return (archive, path, key)
  }

  @Test(arguments: [0..<1, 1..<3, 2..<9, 0..<9, 8..<9, 3..<4])
  func whatIsEncryptedIsReadInTheClear(range: Range<Int>) async throws {
    let (_, path, key) = try encrypted()
    let library = ArchiveLibrary(archives: folders.url, encryptionKey: key)
    #expect(try await library.open(path, of: id()).length == 9)
    #expect(try await read(library, path, of: id(), range) == Array(range.map(UInt8.init)))
  }

  @Test func withoutItsKeyAnArchiveIsKnownAndNotSeen() async throws {
    let (archive, path, key) = try encrypted()
    let other = try #require(EnvelopeKey([UInt8](repeating: 4, count: EnvelopeKey.length)))
    for (node, words) in [(nil, "no key for archives"), (other, "restore the other one")] as [(EnvelopeKey?, String)] {
      let library = ArchiveLibrary(archives: folders.url, encryptionKey: node)
      let manifest = try #require(try await library.manifest(of: id()))
      #expect(manifest.contents.tracks.count == 1 && manifest.problem?.contains(words) == true)
      #expect(await refusal { _ = try await read(library, path, of: id()) }?.code == .damaged)
    }
    try FileManager.default.removeItem(at: archive.folder.appendingPathComponent("envelope.json"))
    let library = ArchiveLibrary(archives: folders.url, encryptionKey: key)
    #expect(try await library.manifest(of: id())?.problem?.contains("was destroyed") == true)
    #expect(await refusal { _ = try await read(library, path, of: id()) }?.text.contains("was destroyed") == true)
  }

  @Test func aPieceIsBoundedAndTheWholeIsComplete() async throws {
    let archive = try folders.begin(try id())
    let parts = (0..<40).map { [UInt8](repeating: UInt8($0), count: 20_000) }
    let path = try archive.film("v", parts)
    let library = ArchiveLibrary(archives: folders.url)
    let reader = try await library.open(path, of: id())
    #expect(try await library.read(reader, 0..<reader.length).count <= 256 << 10)
    #expect(try await read(library, path, of: id()) == parts.flatMap { $0 })
  }

  @Test func manyReadersAtOnceSeeTheSame() async throws {
    let archive = try folders.begin(try id())
    let path = try archive.film("v", (0..<50).map { [UInt8($0), 1] })
    let library = ArchiveLibrary(archives: folders.url)
    let expected: [UInt8] = (0..<50).flatMap { (number: UInt8) -> [UInt8] in [number, 1] }
    try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<64 { group.addTask { try await read(library, path, of: id()) } }
      for try await bytes in group { #expect(bytes == expected) }
    }
  }

  @Test func archivesInMemoryAreBounded() async throws {
    let library = ArchiveLibrary(archives: folders.url)
    for number in 1...80 {
      _ = try folders.begin(try id(number))
      #expect(try await library.manifest(of: id(number)) != nil)
    }
    #expect(library.manifestsInMemory <= 64)
    #expect(try await library.manifest(of: id(1)) != nil, "what was put away is read again")
  }

  @Test func whatNoManifestNamesIsNotThere() async throws {
    let archive = try folders.begin(try id())
    let path = try archive.film("v", [[1], [2]])
    try archive.write([1], to: archive.folder.appendingPathComponent("media/secret.mp4"))
    let library = ArchiveLibrary(archives: folders.url)
    let secret = try #require(ArchivePath("media/secret.mp4"))
    #expect(await refusal { _ = try await library.open(secret, of: id()) }?.code == .notFound)
    #expect(await refusal { _ = try await library.open(path, of: id(2)) }?.code == .notFound)
  }

  @Test func theManifestOfAnotherIncidentIsRefused() async throws {
    _ = try folders.begin(try id(), named: try id(2))
    let library = ArchiveLibrary(archives: folders.url)
    #expect(await refusal { _ = try await library.manifest(of: id()) }?.code == .damaged)
  }

  @Test func damageIsToldWithWhatCameBefore() async throws {
    let archive = try folders.begin(try id())
    let path = try archive.film("v", [[1], [2], [3]])
    var lines = try #require(String(data: try Data(contentsOf: archive.manifest), encoding: .utf8))
    lines = lines.replacingOccurrences(of: "\"offset\":2", with: "\"offset\":3")
    try Data(lines.utf8).write(to: archive.manifest)
    let library = ArchiveLibrary(archives: folders.url)
    let manifest = try #require(try await library.manifest(of: id()))
    #expect(manifest.problem?.contains("line 5") == true)
    #expect(try await read(library, path, of: id()) == [1, 2])
  }

  @Test func aLineWithoutEndIsNotReadForEver() async throws {
    let archive = try folders.begin(try id())
    try archive.write([UInt8](repeating: 0x20, count: 200_000), to: archive.manifest)
    let library = ArchiveLibrary(archives: folders.url)
    #expect(try await library.manifest(of: id())?.problem?.contains("64 KiB") == true)
  }
}
