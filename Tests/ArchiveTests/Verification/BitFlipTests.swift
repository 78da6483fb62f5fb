import Archive
import Primitives
import Testing

@Suite("Verify finds flipped bits")
struct BitFlipTests {
  private static let flipsPerFile = 160

  @Test("in every file, and names it", arguments: ExampleArchive.sealed.files.keys.sorted(), [true, false])
  func findsEveryFlip(in name: String, hasKey: Bool) throws {
    let whole = ExampleArchive.sealed
    var random = RandomSource.seeded(0xf11b)
    let length = try #require(whole.files[name]?.count)
    for _ in 0..<Self.flipsPerFile {
      let bit = Int.random(in: 0..<length * 8, using: &random)
      var archive = whole
      archive.flip(name, bit: bit)
      let report = try Verifier.verify(archive, keys: hasKey ? [ExampleArchive.key.publicKey] : [])
      #expect(report.damaged.contains(name), "bit \(bit)")
      if name != "manifest.jsonl" { #expect(report.damaged == [name], "bit \(bit)") }
    }
  }

  @Test("in an envelope, and names it")
  func findsFlipInEnvelope() throws {
    var random = RandomSource.seeded(3)
    let whole = try ExampleArchive.encrypted()
    let length = try #require(whole.files["envelope.json"]?.count)
    for _ in 0..<Self.flipsPerFile {
      let bit = Int.random(in: 0..<length * 8, using: &random)
      var archive = whole
      archive.flip("envelope.json", bit: bit)
      #expect(try Verifier.verify(archive).damaged == ["envelope.json"], "bit \(bit)")
    }
  }

  @Test("in the lines of a manifest that is not sealed yet, before the last seal")
  func findsFlipBeforeLastSeal() throws {
    var random = RandomSource.seeded(4)
    let whole = ExampleArchive()
    let signed = try Verifier.verify(whole).counts.signedLines
    let length = whole.lines.prefix(signed).reduce(0) { $0 + $1.count + 1 }
    for _ in 0..<Self.flipsPerFile {
      let bit = Int.random(in: 0..<length * 8, using: &random)
      var archive = whole
      archive.flip("manifest.jsonl", bit: bit)
      #expect(try Verifier.verify(archive).damaged.contains("manifest.jsonl"), "bit \(bit)")
    }
  }
}

extension ExampleArchive {
  static func encrypted() throws -> ExampleArchive {
    var random = RandomSource.seeded(5)
    var archive = ExampleArchive(isEncrypted: true)
    let key = try #require(EnvelopeKey([UInt8](repeating: 9, count: 32)))
    archive.files["envelope.json"] = key.makeCipher(for: incident, random: &random).envelope.bytes
    archive.seal(isFinal: true)
    return archive
  }
}
