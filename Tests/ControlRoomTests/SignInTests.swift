import ControlRoom
import Identity
import Incidents
import JSON
import Primitives
import Storage
import Testing

/// Accounts, sessions, second factors and bearer tokens, on a clock that the tests move.
@Suite("Signing in")
struct SignInTests {
  private static let password = "four words are enough"

  private static func anna(_ test: TestRoom, role: Role = .operator) async throws -> Account {
    try await test.room.accounts.add(
      .init(userName: "Anna", displayName: "Anna", role: role, agency: "metro", password: password), by: .system)
  }

  private static func signIn(
    _ test: TestRoom, _ password: String = password, code: String? = nil, from address: String = "192.0.2.1"
  ) async throws -> SignInDesk.SignedIn {
    try await test.room.signIns.signIn(userName: "ANNA", password: password, code: code, from: address)
  }

  @Test func aSessionIsOpenedByThePasswordAndSurvivesARestart() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let anna = try await Self.anna(test)
    let signedIn = try await Self.signIn(test)
    #expect(signedIn.account.id == anna.id && signedIn.account.userName == "anna")
    let principal = try await test.room.signIns.admit(session: signedIn.secret, csrf: nil, needsCSRF: false).principal
    #expect(principal.actor == anna.actor && principal.facts.agency == "metro")
    test.room.stop()
    let next = try await TestRoom(storage: storage, clock: test.clock)
    #expect(
      try await next.room.signIns.admit(session: signedIn.secret, csrf: nil, needsCSRF: false).principal == principal)
    try await next.room.signIns.signOut(signedIn.session, from: "192.0.2.1")
    #expect(
      await refusal { _ = try await next.room.signIns.admit(session: signedIn.secret, csrf: nil, needsCSRF: false) }?
        .code
        == .signInRequired)
    next.room.stop()
  }

  @Test func aChangeRepeatsTheSessionsToken() async throws {
    let test = try await TestRoom()
    _ = try await Self.anna(test)
    let signedIn = try await Self.signIn(test)
    for wrong in [nil, "", "x", String(signedIn.session.csrfToken.dropLast())] {
      let refused = await refusal {
        _ = try await test.room.signIns.admit(session: signedIn.secret, csrf: wrong, needsCSRF: true)
      }
      #expect(refused?.code == .csrf)
    }
    _ = try await test.room.signIns.admit(
      session: signedIn.secret, csrf: signedIn.session.csrfToken, needsCSRF: true)
    test.room.stop()
  }

  @Test func aRestingSessionIsLockedUntilThePasswordComesAgain() async throws {
    let test = try await TestRoom()
    _ = try await Self.anna(test)
    let signedIn = try await Self.signIn(test)
    let admit = { _ = try await test.room.signIns.admit(session: signedIn.secret, csrf: nil, needsCSRF: false) }
    test.clock.advance(29 * 60)
    try await admit()
    test.clock.advance(29 * 60)
    try await admit()
    test.clock.advance(31 * 60)
    #expect(await refusal(admit)?.code == .sessionLocked)
    #expect(
      await refusal { _ = try await test.room.signIns.unlock(signedIn.secret, password: "wrong", from: "x") }?.code
        == .badCredentials)
    #expect(await refusal(admit)?.code == .sessionLocked)
    _ = try await test.room.signIns.unlock(signedIn.secret, password: Self.password, from: "x")
    try await admit()
    test.clock.advance(12 * 3_600)
    #expect(await refusal(admit)?.code == .signInRequired, "a session ends after its lifetime, whatever happens")
    test.room.stop()
  }

  @Test func whatIsDoneOnAnOpenConnectionKeepsASessionAwakeAndRestingLocksIt() async throws {
    let test = try await TestRoom()
    _ = try await Self.anna(test)
    let desk = test.room.signIns
    let signedIn = try await Self.signIn(test)
    let principal = try await desk.admit(session: signedIn.secret, csrf: nil, needsCSRF: false).principal
    for _ in 1...4 {
      test.clock.advance(29 * 60)
      #expect(desk.noteActivity(of: principal))
    }
    test.clock.advance(31 * 60)
    #expect(!desk.noteActivity(of: principal))
    #expect(!desk.noteActivity(of: principal), "a locked session stays locked, whatever is sent")
    #expect(
      await refusal { _ = try await desk.admit(session: signedIn.secret, csrf: nil, needsCSRF: false) }?.code
        == .sessionLocked)
    let sink = TestSink()
    _ = try await desk.unlock(signedIn.secret, password: Self.password, from: "x")
    let session = test.enter(principal, sink)
    try await desk.lock(signedIn.session)
    await sink.wait { _, refusal in refusal?.code == .signInRequired }
    #expect(desk.noteActivity(of: person(.caller)), "links and programs have no session that could rest")
    await session.end()
    test.room.stop()
  }

  @Test func guessersAreLockedOutForLongerEachTime() async throws {
    let test = try await TestRoom()
    _ = try await Self.anna(test)
    for _ in 1...9 {
      #expect(await refusal { _ = try await Self.signIn(test, "guess") }?.code == .badCredentials)
    }
    #expect(await refusal { _ = try await Self.signIn(test, "guess") }?.code == .lockedOut)
    let locked = await refusal { _ = try await Self.signIn(test) }
    #expect(locked?.code == .lockedOut, "the right password does not help during a lock-out")
    #expect(locked?.retryAfter.map { (890...900).contains($0.seconds) } == true)
    test.clock.advance(901)
    _ = try await Self.signIn(test)
    let names = try await test.room.audit.events(after: 0, limit: 99).compactMap { $0.payload["result"]?.string }
    #expect(names.count { $0 == "refused" } == 9 && names.contains("lockedOut") && names.last == "signedIn")
    test.room.stop()
  }

  @Test func aSecondFactorIsAskedForOnceConfirmedAndEachCodeIsGoodOnce() async throws {
    let test = try await TestRoom()
    let anna = try await Self.anna(test)
    let desk = test.room.signIns
    let secret = try desk.beginFactor(of: anna)
    _ = try await Self.signIn(test)
    #expect(await refusal { try await desk.confirmFactor(of: anna, code: "000000x") }?.code == .badCredentials)
    let step = { test.clock.clock.wall().seconds / TOTPSecret.step }
    try await desk.confirmFactor(of: anna, code: secret.code(step: step()))
    #expect(await refusal { _ = try await Self.signIn(test) }?.code == .codeRequired)
    #expect(
      await refusal { _ = try await Self.signIn(test, code: secret.code(step: step())) }?.code == .badCredentials,
      "the code that confirmed it has been used")
    test.clock.advance(30)
    let code = secret.code(step: step())
    _ = try await Self.signIn(test, code: code)
    #expect(await refusal { _ = try await Self.signIn(test, code: code) }?.code == .badCredentials)
    try await desk.removeFactor(of: anna.id, by: .system)
    _ = try await Self.signIn(test)
    test.room.stop()
  }

  @Test func bearerTokensActAsTheirAccountUntilTheyEnd() async throws {
    let test = try await TestRoom()
    let anna = try await Self.anna(test, role: .integration)
    let desk = test.room.signIns
    let (secret, token) = try await desk.makeToken(for: anna, name: "cad", days: 1, by: anna.actor)
    #expect(secret.hasPrefix(BearerToken.prefix))
    #expect(try desk.admit(bearer: secret).actor == anna.actor)
    #expect(try test.storage.document("tokens", token.id).map { !$0.canonical.contains(secret) } == true)
    test.clock.advance(86_401)
    #expect(await refusal { _ = try desk.admit(bearer: secret) }?.code == .signInRequired)
    let (second, other) = try await desk.makeToken(for: anna, name: "cad", days: 9, by: anna.actor)
    try await desk.revokeToken(other.id, of: anna.id, by: anna.actor)
    #expect(await refusal { _ = try desk.admit(bearer: second) }?.code == .signInRequired)
    test.room.stop()
  }

  @Test func suspendingEndsEverythingThatSomebodyHolds() async throws {
    let storage = MemoryStorage()
    let test = try await TestRoom(storage: storage)
    let anna = try await Self.anna(test)
    let signedIn = try await Self.signIn(test)
    let (secret, _) = try await test.room.signIns.makeToken(for: anna, name: "x", days: 9, by: anna.actor)
    let sink = TestSink()
    let session = test.enter(Principal(anna), sink)
    _ = try await test.room.accounts.change(anna.id, .suspended(true), by: .system)
    await sink.wait { _, refusal in refusal?.code == .signInRequired }
    await session.end()
    test.room.stop()
    let next = try await TestRoom(storage: storage)
    _ = try await next.room.accounts.change(anna.id, .suspended(false), by: .system)
    #expect(
      await refusal { _ = try await next.room.signIns.admit(session: signedIn.secret, csrf: nil, needsCSRF: false) }
        != nil)
    #expect(await refusal { _ = try next.room.signIns.admit(bearer: secret) } != nil)
    next.room.stop()
  }

  @Test(arguments: [
    ("an", "Anna", Role.operator, SignInTests.password), ("anna", "Anna", .caller, SignInTests.password),
    ("anna", "Anna", .operator, "short"), ("anna", "Anna", .operator, "anna has a long name"),
  ])
  func unusableAccountsAreRefused(userName: String, name: String, role: Role, password: String) async throws {
    let test = try await TestRoom()
    let refused = await refusal {
      _ = try await test.room.accounts.add(
        .init(userName: userName, displayName: name, role: role, agency: "metro", password: password), by: .system)
    }
    #expect(refused?.code == .badPayload)
    #expect(test.room.accounts.isEmpty)
    test.room.stop()
  }
}
