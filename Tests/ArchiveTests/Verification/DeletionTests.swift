import Archive
import Cryptography
import Primitives
import Testing

/// What retention has deleted is missing by right, if the node has said so and nobody else.
@Suite("Verification: deletions")
struct DeletionTests {
  private static let gone = ["media/video-0001.mp4", "media/video-0002.mp4", "stills/s-0001.jpg"]

  private func sealed() -> ExampleArchive {
    var archive = ExampleArchive()
    archive.seal(isFinal: true)
    return archive
  }

  private func record(
    _ paths: [String], of incident: IncidentID = ExampleArchive.incident,
    signedBy key: Ed25519PrivateKey = ExampleArchive.key
  ) -> DeletionRecord {
    DeletionRecord(
      of: incident, at: ExampleArchive.start, .media, rule: "media: 1 day after the incident's end",
      paths.map { DeletionRecord.File(path: $0, hash: Digest.sha256(Array($0.utf8))) }, number: 9, signedBy: key)
  }

  private func verify(_ archive: ExampleArchive) throws -> VerificationReport {
    try Verifier.verify(archive, keys: [ExampleArchive.key.publicKey])
  }

  private func damages(_ report: VerificationReport) -> [String] {
    report.findings.filter { $0.severity == .damage }.map(\.path)
  }

  @Test func whatASignedRecordNamesMayBeMissing() throws {
    var archive = sealed()
    for name in Self.gone { archive.files[name] = nil }
    archive.files["deletions.jsonl"] = record(Self.gone).line
    let report = try verify(archive)
    #expect(report.isWhole && report.state == .sealed)
    #expect(report.findings.map(\.path) == ["deletions.jsonl"])
    archive.files["deletions.jsonl"] = record(Array(Self.gone.dropLast())).line
    #expect(damages(try verify(archive)) == ["stills/s-0001.jpg"], "what it does not name is missed")
  }

  @Test func whatIsStillThereIsCheckedAsEver() throws {
    var archive = sealed()
    archive.files["deletions.jsonl"] = record(Self.gone).line
    #expect(try verify(archive).isWhole, "a sweep was interrupted")
    archive.files["media/video-0001.mp4"]?[20] ^= 1
    #expect(damages(try verify(archive)) == ["media/video-0001.mp4"])
  }

  @Test func aRecordOfSomebodyElseExcusesNothing() throws {
    let other = try #require(IncidentID("26-001483"))
    for line in [
      record(Self.gone, signedBy: ExampleArchive.otherKey).line, record(Self.gone, of: other).line, Array("{}\n".utf8),
    ] {
      var archive = sealed()
      for name in Self.gone { archive.files[name] = nil }
      archive.files["deletions.jsonl"] = line
      #expect(Set(damages(try verify(archive))) == Set(Self.gone + ["deletions.jsonl"]))
    }
  }

  @Test func everyFlippedBitOfARecordIsFound() throws {
    var archive = sealed()
    for name in Self.gone { archive.files[name] = nil }
    let line = record(Self.gone).line
    var random = RandomSource.seeded(5)
    for _ in 0..<200 {
      var bytes = line
      bytes[Int(random.next() % UInt64(line.count - 1))] ^= 1 << UInt8(random.next() % 8)
      archive.files["deletions.jsonl"] = bytes
      #expect(damages(try verify(archive)).contains("deletions.jsonl"))
    }
  }

  @Test func aLineThatIsCutOffDeletedNothing() throws {
    var archive = sealed()
    archive.files["deletions.jsonl"] = Array(record(Self.gone).line.dropLast(9))
    let report = try verify(archive)
    #expect(report.isWhole)
    #expect(report.findings.map(\.path) == ["deletions.jsonl"])
  }
}
