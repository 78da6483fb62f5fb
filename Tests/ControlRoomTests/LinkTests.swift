import ControlRoom
import Identity
import Incidents
import JSON
import Primitives
import Testing

/// Links: one start, one incident, one time, and an end at once.
@Suite("Links")
struct LinkTests {
  private static func desk(_ test: TestRoom) throws -> LinkDesk {
    try LinkDesk(room: test.room, storage: test.storage)
  }

  private static func signed(_ grant: LinkGrant) -> SignedLink {
    SignedLink(
      id: grant.id, subject: grant.subject, incident: grant.incident, role: grant.role, name: grant.name,
      directions: [.publish, .subscribe], expiresAt: grant.expiresAt)
  }

  private static let caller = LinkDesk.Draft(role: .caller, name: "caller", phone: "+4940123456", minutes: 15)

  @Test func aCallersLinkIsForTheFirstPageThatOpensIt() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = try Self.desk(test)
    let link = Self.signed(try await desk.create(Self.caller, in: id, by: person(.operator)))
    _ = try await desk.admit(link, key: "looking", starts: false)
    let principal = try await desk.admit(link, key: "phone", starts: true)
    #expect(principal.role == .caller && principal.facts.linkedIncident == id)
    #expect(await refusal { _ = try await desk.admit(link, key: "other", starts: true) }?.code == .linkUsed)
    #expect(await refusal { _ = try await desk.admit(link, key: nil, starts: true) }?.code == .linkUsed)
    #expect(try await desk.admit(link, key: "phone", starts: true) == principal, "a reload goes on")
    let again = try Self.desk(test)
    #expect(try await again.admit(link, key: "phone", starts: true) == principal, "after a restart too")
    #expect(await refusal { _ = try await again.admit(link, key: "other", starts: true) }?.code == .linkUsed)
    test.room.stop()
  }

  @Test func timeEndsLinksButNotACall() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = try Self.desk(test)
    let called = Self.signed(try await desk.create(Self.caller, in: id, by: person(.operator)))
    let unopened = Self.signed(try await desk.create(Self.caller, in: id, by: person(.operator)))
    let guest = Self.signed(
      try await desk.create(
        .init(role: .guest, name: "hospital", phone: nil, minutes: 15), in: id, by: person(.operator)))
    _ = try await desk.admit(called, key: "phone", starts: true)
    _ = try await desk.admit(guest, key: nil, starts: true)
    test.clock.advance(15 * 60 + 1)
    _ = try await desk.admit(called, key: "phone", starts: true)
    #expect(await refusal { _ = try await desk.admit(unopened, key: "phone", starts: true) }?.code == .linkExpired)
    #expect(await refusal { _ = try await desk.admit(guest, key: nil, starts: true) }?.code == .linkExpired)
    #expect(await desk.sweep() == [guest.subject], "the guest's connections end; the call goes on")
    let incident = try await test.room.incident(id, for: person(.operator))
    #expect(incident.caller(unopened.subject)?.stage == .expired)
    #expect(incident.caller(called.subject)?.stage == .opened)
    test.room.stop()
  }

  @Test func aWithdrawnLinkEndsWhatItOpened() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = try Self.desk(test)
    let link = Self.signed(
      try await desk.create(
        .init(role: .guest, name: "hospital", phone: nil, minutes: 60), in: id, by: person(.operator)))
    let sink = TestSink()
    let session = test.enter(try await desk.admit(link, key: nil, starts: true), sink)
    #expect(
      await refusal { try await desk.revoke(link.id, in: id, by: person(.responder), reason: nil) }?.code == .notFound)
    try await desk.revoke(link.id, in: id, by: person(.operator), reason: "wrong hospital")
    await sink.wait { _, refusal in refusal?.code == .linkRevoked }
    #expect(await refusal { _ = try await desk.admit(link, key: nil, starts: true) }?.code == .linkRevoked)
    await session.end()
    test.room.stop()
  }

  @Test func aGenuineLinkFromElsewhereIsTakenIn() async throws {
    let test = try await TestRoom()
    let desk = try Self.desk(test)
    let incident = try #require(IncidentID("by-hand"))
    let link = SignedLink(
      id: "t 1", subject: "somebody else", incident: incident, role: .caller, name: "caller",
      directions: [.publish, .subscribe], expiresAt: test.clock.clock.wall() + .seconds(900))
    let principal = try await desk.admit(link, key: "k", starts: true)
    let present = try await test.room.incident(incident, for: person(.operator))
    #expect(present.callers.map(\.id) == [principal.actor.id], "texts that are no identifiers become some")
    #expect(present.callers.first?.stages.map(\.stage) == [.requested, .opened])
    #expect(present.links.count == 1)
    test.room.stop()
  }

  @Test func stoppingEndsTheCallersLink() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = try Self.desk(test)
    let link = Self.signed(try await desk.create(Self.caller, in: id, by: person(.operator)))
    _ = try await desk.admit(link, key: "phone", starts: true)
    await desk.end(caller: link.subject, in: id)
    #expect(await refusal { _ = try await desk.admit(link, key: "phone", starts: true) }?.code == .linkEnded)
    test.room.stop()
  }

  @Test(arguments: [Role.operator, .responder, .supervisor, .admin])
  func staffHaveAccountsAndNoLinks(role: Role) async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = try Self.desk(test)
    let draft = LinkDesk.Draft(role: role, name: "x", phone: nil, minutes: 15)
    #expect(await refusal { _ = try await desk.create(draft, in: id, by: person(.supervisor)) }?.code == .badPayload)
    test.room.stop()
  }
}
