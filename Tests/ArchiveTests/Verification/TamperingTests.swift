import Archive
import Cryptography
import Incidents
import JSON
import Primitives
import Testing

@Suite("Verify finds tampering")
struct TamperingTests {
  private let keys = [ExampleArchive.key.publicKey]

  /// A way to change a sealed archive, and what has to be named for it.
  struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    let damaged: Set<String>
    let change: @Sendable (inout ExampleArchive) -> Void

    var testDescription: String { name }
  }

  static let attacks: [Attack] = [
    Attack(name: "a segment is removed", damaged: ["media/video-0001.mp4"]) { $0.files["media/video-0001.mp4"] = nil },
    Attack(name: "a still is removed", damaged: ["stills/s-0001.jpg"]) { $0.files["stills/s-0001.jpg"] = nil },
    Attack(name: "a segment is added", damaged: ["media/video-0009.mp4"]) { $0.files["media/video-0009.mp4"] = [1] },
    Attack(name: "a file of another name is added", damaged: ["readme.txt"]) { $0.files["readme.txt"] = [1] },
    Attack(name: "a hidden file is added", damaged: [".x"]) { $0.files[".x"] = [1] },
    Attack(name: "a path that is none is added", damaged: ["media/a b"]) { $0.files["media/a b"] = [1] },
    Attack(name: "segments are swapped", damaged: ["media/video-0001.mp4", "media/video-0002.mp4"]) { archive in
      let first = archive.files["media/video-0001.mp4"]
      archive.files["media/video-0001.mp4"] = archive.files["media/video-0002.mp4"]
      archive.files["media/video-0002.mp4"] = first
    },
    Attack(name: "a segment is cut", damaged: ["media/audio-0001.mp4"]) {
      $0.files["media/audio-0001.mp4"]?.removeLast()
    },
    Attack(name: "a segment is emptied", damaged: ["media/audio-0001.mp4"]) { $0.files["media/audio-0001.mp4"] = [] },
    Attack(name: "a segment is longer", damaged: ["media/audio-0001.mp4"]) {
      $0.files["media/audio-0001.mp4"]?.append(0)
    },
    Attack(name: "a late upload is longer", damaged: ["late/l-0001.webm"]) { $0.files["late/l-0001.webm"]?.append(0) },
    Attack(name: "the manifest is removed", damaged: ["manifest.jsonl"]) { $0.files["manifest.jsonl"] = nil },
    Attack(name: "the public key is removed", damaged: ["key.pub"]) { $0.files["key.pub"] = nil },
    Attack(name: "the journal is removed", damaged: ["journal.jsonl"]) { $0.files["journal.jsonl"] = nil },
    Attack(name: "the journal is emptied", damaged: ["journal.jsonl"]) { $0.files["journal.jsonl"] = [] },
    Attack(name: "the journal's last event is removed", damaged: ["journal.jsonl"]) { archive in
      let last = archive.journal.last?.json.canonicalBytes.count ?? 0
      archive.files["journal.jsonl"]?.removeLast(last + 1)
    },
    Attack(name: "a line of the manifest is removed", damaged: ["manifest.jsonl"]) { $0.lines.remove(at: 6) },
    Attack(name: "lines of the manifest are swapped", damaged: ["manifest.jsonl"]) { $0.lines.swapAt(4, 5) },
    Attack(name: "a line of the manifest comes twice", damaged: ["manifest.jsonl"]) {
      $0.lines.insert($0.lines[3], at: 4)
    },
    Attack(name: "the first line is removed", damaged: ["manifest.jsonl"]) { $0.lines.removeFirst() },
    Attack(name: "white space is added", damaged: ["manifest.jsonl"]) { $0.lines[3].insert(0x20, at: 1) },
    Attack(name: "text stands behind the last line", damaged: ["manifest.jsonl"]) {
      $0.files["manifest.jsonl"]? += Array("hello".utf8)
    },
  ]

  @Test("of files", arguments: attacks, [true, false])
  func findsAttack(_ attack: Attack, hasKey: Bool) throws {
    var archive = ExampleArchive.sealed
    attack.change(&archive)
    let report = try Verifier.verify(archive, keys: hasKey ? keys : [])
    #expect(!report.isWhole)
    #expect(report.damaged.isSuperset(of: attack.damaged), "\(report.text)")
    if !attack.damaged.contains("manifest.jsonl") { #expect(report.damaged == attack.damaged, "\(report.text)") }
  }

  @Test(
    "of the folder itself",
    arguments: [
      ArchiveItem(name: "media/x.mp4", kind: .symbolicLink), ArchiveItem(name: ".git", kind: .folder),
      ArchiveItem(name: "media/.x", kind: .folder), ArchiveItem(name: "extra", kind: .folder),
      ArchiveItem(name: "pipe", kind: .other), ArchiveItem(name: "key2.pub", kind: .symbolicLink),
    ])
  func findsStrangeItems(_ item: ArchiveItem) throws {
    var archive = ExampleArchive.sealed
    archive.others = [item]
    #expect(try Verifier.verify(archive, keys: keys).damaged == [item.name])
  }

  @Test("a segment that became a link is named")
  func findsLinkedSegment() throws {
    var archive = ExampleArchive.sealed
    archive.files["media/video-0001.mp4"] = nil
    archive.others = [ArchiveItem(name: "media/video-0001.mp4", kind: .symbolicLink)]
    #expect(try Verifier.verify(archive, keys: keys).damaged == ["media/video-0001.mp4"])
  }

  @Test("a manifest that was rewritten and sealed with another key is found")
  func findsRewrite() throws {
    var forged = ExampleArchive.sealed
    forged.files["manifest.jsonl"] = []
    forged.head = ManifestHead()
    for bytes in ExampleArchive.sealed.lines {
      let line = try ManifestLine(parsing: bytes)
      guard case .seal(let seal) = line.entry else {
        forged.write(line.entry)
        continue
      }
      forged.files["manifest.jsonl"]? += forged.head.appendSeal(
        isFinal: seal.isFinal, journal: seal.journal, key: ExampleArchive.otherKey, at: line.time)
    }
    let report = try Verifier.verify(forged, keys: keys)
    #expect(report.damaged == ["manifest.jsonl", "key.pub"] && report.counts.signedLines == 0)
    #expect(try Verifier.verify(forged).damaged == ["key.pub"])
    // With its own key.pub it is consistent in itself: that is why the report names the key, and why --key is there.
    forged.files["key.pub"] = Array(ArchivePublicKeys.text([ExampleArchive.otherKey.publicKey]).utf8)
    #expect(try Verifier.verify(forged).isWhole)
    #expect(try Verifier.verify(forged, keys: keys).damaged == ["manifest.jsonl"])
  }

  @Test("a wrong key is named")
  func findsWrongKey() throws {
    let report = try Verifier.verify(ExampleArchive.sealed, keys: [ExampleArchive.otherKey.publicKey])
    #expect(report.damaged == ["manifest.jsonl"])
    #expect(report.text.contains(Hex.encode(ExampleArchive.key.publicKey.bytes)))
  }

  @Test("a seal with the right key's name and another's signature is found")
  func findsForgedSignature() throws {
    var archive = ExampleArchive()
    let seal = ManifestEntry.Seal(
      isFinal: true, journal: archive.mark, key: ExampleArchive.key.publicKey.bytes,
      signature: [UInt8](repeating: 1, count: 64))
    archive.write(.seal(seal))
    #expect(try Verifier.verify(archive).damaged == ["manifest.jsonl"])
  }

  @Test("without its last lines a sealed archive is unsealed, and the report says what can be said", arguments: 1...6)
  func noticesRemovedEnd(count: Int) throws {
    var archive = ExampleArchive.sealed
    archive.lines.removeLast(count)
    let report = try Verifier.verify(archive, keys: keys)
    #expect(report.isWhole && report.state == .unsealed)
    #expect(report.text.contains("the last lines were taken away"))
  }

  @Test("an edited event is found, also when its hash and all behind it are made anew")
  func findsEditedEvent() throws {
    var archive = ExampleArchive.sealed
    let event = archive.journal[1]
    archive.files["journal.jsonl"] = []
    archive.journal.removeLast(3)
    archive.files["journal.jsonl"] = archive.journal[0].json.canonicalBytes + [0x0a]
    archive.record(kind: "chat.edited")
    archive.record(kind: "chat.message")
    archive.record(kind: "chat.message")
    #expect(archive.journal[1] != event)
    #expect(try Verifier.verify(archive, keys: keys).damaged == ["journal.jsonl"])
  }

  @Test("an event with another member beside is found")
  func findsAddedMember() throws {
    var archive = ExampleArchive.sealed
    let text = String(decoding: archive.files["journal.jsonl"] ?? [], as: UTF8.self)
    archive.files["journal.jsonl"] = Array(
      text.replacing("\"kind\":", with: "\"extra\":1,\"kind\":", maxReplacements: 1).utf8)
    #expect(try Verifier.verify(archive, keys: keys).damaged == ["journal.jsonl"])
  }

  @Test("behind a line that was changed, what a seal vouches for stays proven")
  func continuesBehindBrokenLine() throws {
    var archive = ExampleArchive.sealed
    archive.lines[3][20] ^= 1
    let report = try Verifier.verify(archive, keys: keys)
    #expect(report.state == .sealed)
    #expect(report.damaged == ["manifest.jsonl"], "\(report.text)")
    #expect(report.counts.signedLines == report.counts.lines - 4)
    archive.flip("media/audio-0001.mp4", bit: 5_000)
    #expect(try Verifier.verify(archive, keys: keys).damaged == ["manifest.jsonl", "media/audio-0001.mp4"])
  }

  @Test("findings are bounded")
  func boundsFindings() throws {
    var archive = ExampleArchive.sealed
    for number in 0..<VerificationReport.maximumFindings + 50 { archive.files["media/x\(number)"] = [] }
    let report = try Verifier.verify(archive)
    #expect(report.findings.count == VerificationReport.maximumFindings && report.furtherFindings == 50)
    #expect(!report.isWhole)
  }
}
