import Archive
import Cryptography
import Primitives
import Testing

@Suite("Recovery")
struct RecoveryTests {
  @Test("a recording that ended at any byte of its manifest is carried on, sealed and whole")
  func recoversFromAnyCut() throws {
    let whole = ExampleArchive()
    let bytes = try #require(whole.files["manifest.jsonl"])
    let first = try #require(bytes.firstIndex(of: UInt8(ascii: "\n"))) + 1
    for length in stride(from: first, through: bytes.count, by: 7) {
      var archive = whole
      archive.files["manifest.jsonl"] = Array(bytes.prefix(length))
      #expect(try Verifier.verify(archive).state == .unsealed)
      try recover(&archive)
      let report = try Verifier.verify(archive)
      #expect(report.isWhole && report.state == .sealed && report.findings.isEmpty, "\(length): \(report.text)")
    }
  }

  @Test("what was being written is cut off, and notes say so")
  func cutsWhatWasBeingWritten() throws {
    var archive = ExampleArchive()
    archive.files["journal.jsonl"]? += archive.journal[0].json.canonicalBytes.prefix(60)
    archive.files["media/audio-0001.mp4"]? += [1, 2, 3]
    archive.files["media/video-0003.mp4"] = [1, 2, 3]
    let length = try #require(archive.files["media/audio-0001.mp4"]?.count) - 3
    let recovery = try Recovery.plan(archive)
    #expect(recovery.steps.contains(.truncate(name: "media/audio-0001.mp4", length: length)))
    #expect(recovery.steps.contains(.remove(name: "media/video-0003.mp4")))
    #expect(recovery.notes.count == 3 && recovery.steps.count == 3 && recovery.journal == ExampleArchive().mark)
    try recover(&archive)
    #expect(try Verifier.verify(archive).findings.isEmpty)
  }

  @Test("a sealed archive is left as it is")
  func leavesSealed() throws {
    var archive = ExampleArchive.sealed
    archive.files["media/video-0003.mp4"] = [1]
    let recovery = try Recovery.plan(archive)
    #expect(recovery.isSealed && recovery.steps.isEmpty && recovery.notes.isEmpty)
  }

  @Test("a folder without a line begins anew, unless there are recorded files")
  func beginsAnew() throws {
    var archive = ExampleArchive()
    archive.files = ["manifest.jsonl": Array("{\"a".utf8)]
    let recovery = try Recovery.plan(archive)
    #expect(recovery.isEmpty && recovery.steps == [.truncate(name: "manifest.jsonl", length: 0)])
    archive.files["media/video-0001.mp4"] = [1]
    #expect(throws: RecoveryError.self) { try Recovery.plan(archive) }
  }

  @Test("damage in the midst of the manifest is left for verify", arguments: [2, 5, 9])
  func refusesDamage(line: Int) throws {
    var archive = ExampleArchive()
    archive.lines[line][30] ^= 1
    #expect(throws: RecoveryError.self) { try Recovery.plan(archive) }
  }

  @Test("a segment or a journal that lost what lines name is not touched, and a note says so")
  func notesLoss() throws {
    var archive = ExampleArchive()
    archive.files["media/video-0001.mp4"]?.removeLast(10)
    archive.files["media/video-0002.mp4"] = nil
    archive.files["journal.jsonl"] = Array(archive.files["journal.jsonl"]?.prefix(20) ?? [])
    let recovery = try Recovery.plan(archive)
    #expect(recovery.steps.isEmpty && recovery.notes.count == 3, "\(recovery.notes)")
  }

  private func recover(_ archive: inout ExampleArchive) throws {
    let recovery = try Recovery.plan(archive)
    for step in recovery.steps {
      switch step {
      case .truncate(let name, let length): archive.files[name] = Array(archive.files[name]?.prefix(length) ?? [])
      case .remove(let name): archive.files[name] = nil
      }
    }
    archive.head = recovery.head
    for note in recovery.notes { archive.write(.note(note)) }
    archive.files["manifest.jsonl"]? += archive.head.appendSeal(
      isFinal: true, journal: recovery.journal, key: ExampleArchive.key, at: ExampleArchive.start)
  }
}
