import ControlRoom
import Identity
import Incidents
import JSON
import Primitives
import Testing

/// What an admin sets while the node runs.
@Suite("Settings")
struct SettingsTests {
  private static let standard = ServiceSettings(serviceName: "Leitstelle Nord")

  private static func desk(_ test: TestRoom) throws -> SettingsDesk {
    try SettingsDesk(room: test.room, standard: standard)
  }

  private static func details(_ test: TestRoom) async throws -> [String] {
    try await test.room.audit.events(after: 0, limit: 100).filter { $0.kind == EventKind.settings.rawValue }
      .compactMap { event in event.payload["setting"]?.string.map { "\($0) \(event.payload["detail"]?.string ?? "")" } }
  }

  @Test func whatIsSetCountsAtOnceIsAuditedAndSurvivesARestart() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let desk = try Self.desk(test)
    #expect(desk.current == Self.standard && desk.changed.isEmpty)
    try await desk.change([.serviceName: "  Feuerwehr ", .callerLinkMinutes: 5], by: person(.admin))
    #expect(desk.current.serviceName == "Feuerwehr" && desk.current.callerLinkMinutes == 5)
    #expect(try await Self.details(test) == ["serviceName Feuerwehr", "callerLinkMinutes 5"])
    test.room.stop()
    let next = try await TestRoom(storage: storage, clock: test.clock)
    let again = try Self.desk(next)
    #expect(again.current == desk.current && again.changed == [.serviceName, .callerLinkMinutes])
    try await again.change([.serviceName: .null], by: person(.admin))
    #expect(again.current.serviceName == "Leitstelle Nord" && again.changed == [.callerLinkMinutes])
    next.room.stop()
  }

  @Test func aChangeWithOneMistakeChangesNothing() async throws {
    let test = try await TestRoom()
    let desk = try Self.desk(test)
    let refused = await refusal {
      try await desk.change([.serviceName: "Feuerwehr", .messageText: "no link"], by: person(.admin))
    }
    #expect(refused?.code == .badPayload && desk.current == Self.standard)
    #expect(try await Self.details(test).isEmpty)
    test.room.stop()
  }

  @Test func theTextIsFilledInOnce() {
    var settings = ServiceSettings(serviceName: "{link}", messageText: "{service}: {link} now")
    #expect(settings.message(with: "https://a/{service}") == "{link}: https://a/{service} now")
    settings.messageText = ServiceSettings.standardText
    #expect(settings.message(with: "L").hasSuffix("tap Start: L"))
  }

  @Test(arguments: [
    "https://tiles.example/{z}/{x}/{y}.png", "http://[2001:db8::1]:8080/{z}/{x}/{y}", "/tiles/{z}/{x}/{y}.png",
  ])
  func tilesThatCanBe(_ tiles: String) throws {
    try ServiceSettings(mapTiles: tiles).check()
  }

  @Test(arguments: [
    "https://a;b/{z}/{x}/{y}", "https://a'b/{z}/{x}/{y}", "https://{s}.a/{z}/{x}/{y}", "javascript:{z}{x}{y}",
    "//a/{z}/{x}/{y}",
    "https://a b/{z}/{x}/{y}", "https://a/{z}/{x}", "tiles/{z}/{x}/{y}",
  ])
  func tilesThatCannot(_ tiles: String) {
    #expect(throws: Refusal.self) { try ServiceSettings(mapTiles: tiles).check() }
  }

  @Test func theLastAdminStaysOne() async throws {
    let test = try await TestRoom()
    let draft = { (name: String) in
      AccountDirectory.Draft(
        userName: name, displayName: name, role: .admin, agency: "metro", password: "four words are enough")
    }
    let first = try await test.room.accounts.add(draft("first"), by: .system)
    for change in [AccountDirectory.Change.suspended(true), .role(.operator)] {
      #expect(
        await refusal { _ = try await test.room.accounts.change(first.id, change, by: .system) }?.code == .wrongState)
    }
    let second = try await test.room.accounts.add(draft("second"), by: .system)
    _ = try await test.room.accounts.change(first.id, .suspended(true), by: .system)
    #expect(
      await refusal { _ = try await test.room.accounts.change(second.id, .role(.auditor), by: .system) }?.code
        == .wrongState)
    _ = try await test.room.accounts.change(first.id, .suspended(false), by: .system)
    _ = try await test.room.accounts.change(second.id, .role(.auditor), by: .system)
    test.room.stop()
  }
}
