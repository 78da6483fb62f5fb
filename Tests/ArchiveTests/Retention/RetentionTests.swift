import Archive
import Cryptography
import JSON
import Primitives
import Testing

@Suite("Retention policies and deletion records")
struct RetentionTests {
  private static let end = UTCTime(seconds: 1_795_403_482)

  @Test func nothingIsOverUnlessSaid() {
    for kind in RetentionClass.allCases {
      #expect(!RetentionPolicy.keepAll.isOver(kind, endedAt: Self.end, now: Self.end + .seconds(1e9)))
    }
  }

  @Test("time is over when the last day is", arguments: [(0.0, false), (86_399, false), (86_400, true), (1e8, true)])
  func days(_ seconds: Double, _ isOver: Bool) {
    let policy = RetentionPolicy(days: [.media: 1])
    #expect(policy.isOver(.media, endedAt: Self.end, now: Self.end + .seconds(seconds)) == isOver)
    #expect(!policy.isOver(.stills, endedAt: Self.end, now: Self.end + .seconds(seconds)))
  }

  @Test func policiesReadBack() {
    let policy = RetentionPolicy(days: [.media: 180, .late: 1])
    #expect(RetentionPolicy(json: policy.json) == policy)
    #expect(policy.description == "late 1 days, media 180 days")
    #expect(RetentionPolicy(days: [.media: -5]).days == [.media: 1], "never at once by mistake")
    #expect(RetentionPolicy(json: ["files": 3, "media": "x"]) == .keepAll)
  }

  private func record() throws -> DeletionRecord {
    DeletionRecord(
      of: try #require(IncidentID("26-000001")), at: Self.end, .media, rule: "media: 1 day after the incident's end",
      [
        .init(path: "media/v-0002.mp4", hash: [UInt8](repeating: 2, count: 32)),
        .init(path: "envelope.json", hash: [UInt8](repeating: 3, count: 32)),
        .init(path: "media/v-0001.mp4", hash: [UInt8](repeating: 1, count: 32)),
      ], number: 12, signedBy: try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: 32))))
  }

  @Test func recordsReadBackSorted() throws {
    let record = try record()
    #expect(record.files.map(\.path) == ["envelope.json", "media/v-0001.mp4", "media/v-0002.mp4"])
    #expect(DeletionRecord(line: Array(record.line.dropLast())) == record)
    #expect(DeletionRecord.read(record.line + record.line + record.line.prefix(40)) == [record, record])
  }

  @Test func everyMemberIsSigned() throws {
    #expect(try record().isSigned)
    guard case .object(let members) = try JSONValue(parsing: Array(record().line.dropLast())) else { return }
    for (name, value) in [
      ("incident", "26-000002"), ("time", "2026-11-23T03:11:23.000000Z"), ("class", "late"), ("rule", "another"),
      ("number", 13), ("files", []), ("key", .string(String(repeating: "1", count: 64))),
    ] as [(String, JSONValue)] {
      var changed = members
      changed[name] = value
      let record = try #require(DeletionRecord(line: JSONValue.object(changed).canonicalBytes), "\(name)")
      #expect(!record.isSigned, "\(name)")
    }
  }

  @Test func theHashIsThatOfTheList() throws {
    let list = try record().files.map { "\(Hex.encode($0.hash))  \($0.path)\n" }.joined()
    #expect(DeletionRecord.hash(of: try record().files.reversed()) == Digest.sha256(Array(list.utf8)))
  }

  @Test(
    "paths that lead elsewhere are no record",
    arguments: [
      "../x", "/etc/passwd", "media/../../x", "media/.hidden", "manifest.jsonl", "media/a/b", "",
    ])
  func badPaths(_ path: String) throws {
    guard case .object(var members) = try JSONValue(parsing: Array(record().line.dropLast())) else { return }
    members["files"] = [["path": .string(path), "sha256": .string(String(repeating: "0", count: 64))]]
    #expect(DeletionRecord(line: JSONValue.object(members).canonicalBytes) == nil)
  }
}
