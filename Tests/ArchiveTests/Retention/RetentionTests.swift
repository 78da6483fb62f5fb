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

  private func record() -> DeletionRecord {
    DeletionRecord(
      time: Self.end, kind: .media, rule: "media: 1 day after the incident's end",
      files: [
        .init(path: "media/v-0002.mp4", hash: [UInt8](repeating: 2, count: 32)),
        .init(path: "envelope.json", hash: [UInt8](repeating: 3, count: 32)),
        .init(path: "media/v-0001.mp4", hash: [UInt8](repeating: 1, count: 32)),
      ], number: 12)
  }

  @Test func recordsReadBackSorted() throws {
    let record = record()
    #expect(record.files.map(\.path) == ["envelope.json", "media/v-0001.mp4", "media/v-0002.mp4"])
    #expect(DeletionRecord(line: Array(record.line.dropLast())) == record)
    #expect(DeletionRecord.read(record.line + record.line + record.line.prefix(40)) == [record, record])
  }

  @Test func theHashIsThatOfTheList() {
    let list = record().files.map { "\(Hex.encode($0.hash))  \($0.path)\n" }.joined()
    #expect(DeletionRecord.hash(of: record().files.reversed()) == Digest.sha256(Array(list.utf8)))
  }

  @Test(
    "paths that lead elsewhere are no record",
    arguments: [
      "../x", "/etc/passwd", "media/../../x", "media/.hidden", "manifest.jsonl", "media/a/b", "",
    ])
  func badPaths(_ path: String) throws {
    guard case .object(var members) = record().json else { return }
    members["files"] = [["path": .string(path), "sha256": .string(String(repeating: "0", count: 64))]]
    #expect(DeletionRecord(line: JSONValue.object(members).canonicalBytes) == nil)
  }
}
