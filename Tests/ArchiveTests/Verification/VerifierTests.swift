import Archive
import Cryptography
import Primitives
import Testing

@Suite("Verify")
struct VerifierTests {
  private let keys = [ExampleArchive.key.publicKey]

  @Test("a sealed archive is whole, and everything is counted")
  func acceptsSealed() throws {
    var seen: [VerificationProgress] = []
    let report = try Verifier.verify(ExampleArchive.sealed, keys: keys) { seen.append($0) }
    #expect(report.isWhole && report.state == .sealed && report.findings.isEmpty)
    #expect(report.counts.tracks == 2 && report.counts.segments == 3 && report.counts.fragments == 9)
    #expect(report.counts.files == 2 && report.counts.seals == 4 && report.counts.events == 4)
    #expect(report.counts.signedLines == report.counts.lines)
    #expect(report.keySource == .given && report.sealingKeys == [ExampleArchive.key.publicKey.bytes])
    #expect(seen.last?.done == seen.last?.total && seen.last?.total == report.counts.bytes)
  }

  @Test("without a key, the archive's own is used and the report says so")
  func usesOwnKey() throws {
    let report = try Verifier.verify(ExampleArchive.sealed)
    #expect(report.isWhole && report.keySource == .archive)
    #expect(report.text.contains("not who sealed it"))
  }

  @Test("a recording that goes on is whole and unsealed; what is being written is noticed")
  func acceptsUnsealed() throws {
    var archive = ExampleArchive()
    let line = archive.lines[0]
    archive.files["manifest.jsonl"]? += line.prefix(50)
    archive.files["journal.jsonl"]? += archive.journal[0].json.canonicalBytes.prefix(60)
    archive.files["media/audio-0001.mp4"]? += [1, 2, 3]
    archive.files["media/video-0003.mp4"] = [1, 2, 3]
    let report = try Verifier.verify(archive, keys: keys)
    #expect(report.isWhole && report.state == .unsealed, "\(report.text)")
    #expect(
      report.noticed == [
        "", "manifest.jsonl", "journal.jsonl", "media/audio-0001.mp4", "media/video-0003.mp4",
      ])
    #expect(report.counts.signedLines < report.counts.lines)
  }

  @Test("events behind the last seal are noticed, and those of a sealed archive are damage")
  func judgesLateEvents() throws {
    var archive = ExampleArchive()
    archive.record(kind: "chat.message")
    #expect(try Verifier.verify(archive).isWhole)
    var sealed = ExampleArchive.sealed
    sealed.record(kind: "chat.message")
    #expect(try Verifier.verify(sealed).damaged == ["journal.jsonl"])
  }

  @Test("a folder without a line is empty")
  func acceptsEmpty() throws {
    var archive = ExampleArchive()
    archive.files = ["key.pub": archive.files["key.pub"] ?? []]
    let report = try Verifier.verify(archive)
    #expect(report.isWhole && report.state == .empty)
    archive.files["manifest.jsonl"] = Array(#"{"agen"#.utf8)
    #expect(try Verifier.verify(archive).isWhole)
    archive.files["media/video-0001.mp4"] = [1]
    #expect(try Verifier.verify(archive).damaged == ["media/video-0001.mp4"])
  }

  @Test("keys may change: an archive of two keys needs both")
  func followsRotation() throws {
    var archive = ExampleArchive()
    let both = [ExampleArchive.key.publicKey, ExampleArchive.otherKey.publicKey]
    archive.seal(isFinal: true, with: ExampleArchive.otherKey)
    archive.files["key.pub"] = Array(ArchivePublicKeys.text(both).utf8)
    #expect(try Verifier.verify(archive, keys: both).isWhole)
    #expect(try Verifier.verify(archive).isWhole)
    let report = try Verifier.verify(archive, keys: keys)
    #expect(report.damaged == ["manifest.jsonl"])
    #expect(report.counts.signedLines < report.counts.lines)
  }

  @Test("a recording that goes on after its final seal is unsealed, then sealed again")
  func continuesAfterSeal() throws {
    var archive = ExampleArchive.sealed
    archive.write(.note("the recording goes on"))
    archive.begin("media/video-0003.mp4")
    archive.add(to: "media/video-0003.mp4", at: 9, size: 100)
    let between = try Verifier.verify(archive)
    #expect(between.isWhole && between.state == .unsealed)
    archive.seal(isFinal: true)
    let after = try Verifier.verify(archive)
    #expect(after.isWhole && after.state == .sealed && after.findings.isEmpty)
  }

  @Test("an encrypted archive is whole with its envelope, and erased without it")
  func noticesErasure() throws {
    var archive = try ExampleArchive.encrypted()
    let before = try Verifier.verify(archive)
    #expect(before.isWhole && !before.isErased)
    archive.files["envelope.json"] = nil
    let after = try Verifier.verify(archive)
    #expect(after.isWhole && after.isErased && after.verdict == "sealed, whole, erased")
    var plain = ExampleArchive.sealed
    plain.files["envelope.json"] = [1]
    #expect(try Verifier.verify(plain).damaged == ["envelope.json"])
  }

  @Test("large parts are hashed in pieces")
  func streamsLargeParts() throws {
    var archive = ExampleArchive(seconds: 1, partSize: 3 << 20)
    archive.seal(isFinal: true)
    #expect(try Verifier.verify(archive).isWhole)
    archive.flip("media/video-0002.mp4", bit: 20_000_000)
    #expect(try Verifier.verify(archive).damaged == ["media/video-0002.mp4"])
  }

  @Test("a report is JSON with what a program needs")
  func printsJSON() throws {
    var archive = ExampleArchive.sealed
    archive.flip("media/video-0001.mp4", bit: 4_000)
    let json = try Verifier.verify(archive).json
    #expect(json["whole"]?.bool == false && json["state"]?.string == "sealed")
    #expect(json["findings"]?.array?.first?["path"]?.string == "media/video-0001.mp4")
  }

  @Test("what a terminal would obey is not printed")
  func printsSafely() throws {
    var archive = ExampleArchive.sealed
    archive.files["media/\u{1b}[2J.mp4"] = [1]
    #expect(!(try Verifier.verify(archive).text.contains("\u{1b}")))
  }
}
