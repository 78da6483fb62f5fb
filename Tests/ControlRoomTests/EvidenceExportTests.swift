import Archive
import ControlRoom
import Incidents
import Primitives
import Testing

@Suite("The states of an export")
struct EvidenceExportTests {
  typealias Event = EvidenceExport.Event

  private static let start = TestClock.start

  private static func by(_ id: String) -> EvidenceExport.Signature {
    .init(actor: Actor(id: id, role: .supervisor, name: id), time: start, reason: nil)
  }

  private static let package = EvidenceExport.Package(
    length: 3, hash: [UInt8](repeating: 1, count: 32), madeAt: start, notes: ["note"])

  private static let events: [String: Event] = [
    "approve": .approved(by("two")), "refuse": .refused(by("two")), "approve own": .approved(by("one")),
    "withdraw": .withdrawn(start), "begin": .begun, "progress": .progressed(.init(.films, 0.5)),
    "finish": .finished(package), "fail": .failed("no room", start), "delete": .deleted(by("two")),
  ]

  private static func export(needsApproval: Bool) throws -> EvidenceExport {
    EvidenceExport(
      id: "e-1", incident: try #require(IncidentID("26-000001")), agency: "metro", requested: by("one"),
      needsApproval: needsApproval, redaction: nil)
  }

  /// Ways to each state, and all that can happen there; everything else is refused and changes nothing.
  static let table: [(way: [String], possible: [String: String])] = [
    ([], ["approve": "approved", "refuse": "refused", "withdraw": "withdrawn"]),
    (["approve"], ["begin": "making", "withdraw": "withdrawn", "fail": "failed"]),
    (
      ["approve", "begin"],
      ["progress": "making", "finish": "ready", "fail": "failed", "withdraw": "withdrawn"]
    ),
    (["approve", "begin", "finish"], ["delete": "deleted"]),
    (["approve", "begin", "fail"], [:]), (["refuse"], [:]), (["withdraw"], [:]),
    (["approve", "begin", "finish", "delete"], [:]),
  ]

  @Test("what can happen where", arguments: table)
  func transitions(way: [String], possible: [String: String]) throws {
    var export = try Self.export(needsApproval: true)
    for name in way { try export.take(try #require(Self.events[name])) }
    for (name, event) in Self.events {
      var next = export
      if let state = possible[name] {
        try next.take(event)
        #expect(next.stateName == state, "\(name)")
      } else {
        #expect(throws: Refusal.self, "\(way) \(name)") { try next.take(event) }
        #expect(next == export)
      }
    }
  }

  @Test("who agreed is kept until it is ready")
  func approvalIsKept() throws {
    var export = try Self.export(needsApproval: true)
    for name in ["approve", "begin", "progress", "finish"] { try export.take(try #require(Self.events[name])) }
    #expect(export.approval == Self.by("two"))
    #expect(export.json["approved"]?["actor"]?["id"] == "two")
    #expect(export.json["package"]?["bytes"] == 3)
  }

  @Test("where nobody has to agree it begins in the queue")
  func noApproval() throws {
    let export = try Self.export(needsApproval: false)
    #expect(export.stateName == "approved" && export.isQueued && export.approval == nil)
  }
}
