import Identity
import Incidents
import JSON
import Primitives
import Testing

/// What is stored reads back, and what is told has no secrets.
@Suite("Accounts, sessions and links")
struct DocumentTests {
  private static let now = UTCTime(seconds: 1_795_403_482)
  private static let hashText = "$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$QUJDREVGR0hJSktMTU5PUFFSU1Q"

  private static func account() throws -> Account {
    let hash = try #require(PasswordHash(hashText))
    var account = Account(
      id: "acc-1", userName: "ada", displayName: "Ada L.", role: .dispatcher, agency: "metro", desk: "desk-2",
      unit: nil, password: hash, createdAt: now)
    account.sealedTOTP = [1, 2, 3]
    account.lastTOTPStep = 77
    account.state = .suspended
    return account
  }

  @Test func accountReadsBack() throws {
    let account = try Self.account()
    #expect(Account(document: account.document) == account)
    #expect(Account(document: try JSONValue(parsing: account.document.canonical)) == account)
  }

  @Test(
    "an account lacking a part is none",
    arguments: ["id", "userName", "displayName", "role", "agency", "password", "state", "createdAt"])
  func accountNeedsAllParts(part: String) throws {
    var members = try #require(Self.account().document.object)
    members[part] = nil
    #expect(Account(document: .object(members)) == nil)
  }

  @Test func publicViewHasNoSecrets() throws {
    let view = try Self.account().publicView
    #expect(view["secondFactor"] == true)
    for secret in ["password", "totp", "lastTOTPStep"] { #expect(view[secret] == nil) }
    #expect(!view.canonical.contains("scrypt"))
  }

  @Test(
    "user names",
    arguments: [
      ("Ada", "ada"), ("a.b_c-d@e", "a.b_c-d@e"), ("ab", nil), ("a b c", nil), ("ädä", nil), ("", nil), ("abc\n", nil),
      (String(repeating: "a", count: 65), nil),
    ] as [(String, String?)])
  func normalizes(name: String, expected: String?) {
    #expect(Account.normalized(userName: name) == expected)
  }

  @Test func sessionReadsBack() throws {
    var session = Session(id: "s", account: "a", createdAt: Self.now, csrfToken: "t")
    session.lastSeenAt = Self.now + .seconds(5)
    session.isLocked = true
    #expect(Session(id: "s", document: session.document) == session)
    #expect(Session(id: "s", document: [:]) == nil)
    let token = BearerToken(id: "b", account: "a", name: "CAD", createdAt: Self.now, expiresAt: Self.now + .seconds(9))
    #expect(BearerToken(id: "b", document: token.document) == token)
    #expect(BearerToken(id: "b", document: ["account": "a"]) == nil)
  }

  // MARK: - Links

  private static func grant(_ role: Role = .caller) throws -> LinkGrant {
    let incident = try #require(IncidentID("26-000001"))
    return LinkGrant(
      id: "link-1", incident: incident, role: role, name: "Caller", phone: "+4930112", createdBy: "acc-1",
      createdAt: now, expiresAt: now + .seconds(900))
  }

  private static func refusal(_ body: () throws(LinkGrant.Refusal) -> Void) -> LinkGrant.Refusal? {
    do throws(LinkGrant.Refusal) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func linkReadsBackInEveryState() throws {
    var grants = [try Self.grant(), try Self.grant(.guest)]
    var started = try Self.grant()
    _ = try started.start(key: "k", now: Self.now)
    var ended = started
    ended.end(now: Self.now + .seconds(1))
    var revoked = started
    revoked.revoke(now: Self.now + .seconds(2))
    grants += [started, ended, revoked]
    for grant in grants { #expect(LinkGrant(id: grant.id, document: grant.document) == grant) }
    #expect(Set(grants.map(\.state)).count == 4)
    #expect(LinkGrant(id: "x", document: ["incident": "26-000001"]) == nil)
  }

  @Test func aCallersLinkStartsOnce() throws {
    var grant = try Self.grant()
    #expect(try grant.start(key: "k", now: Self.now))
    #expect(try !grant.start(key: "k", now: Self.now), "a reload goes on and changes nothing")
    #expect(
      Self.refusal { () throws(LinkGrant.Refusal) in _ = try grant.start(key: "other", now: Self.now) } == .alreadyUsed)
    try grant.check(key: nil, now: Self.now)
  }

  @Test func aCallOutlivesItsLink() throws {
    var grant = try Self.grant()
    let late = Self.now + .seconds(900)
    #expect(Self.refusal { () throws(LinkGrant.Refusal) in try grant.check(key: "k", now: late) } == .expired)
    _ = try grant.start(key: "k", now: Self.now + .seconds(899))
    try grant.check(key: "k", now: late)
  }

  @Test func aGuestsLookDoesNot() throws {
    var grant = try Self.grant(.guest)
    _ = try grant.start(key: "k", now: Self.now)
    _ = try grant.start(key: "another browser", now: Self.now)
    #expect(
      Self.refusal { () throws(LinkGrant.Refusal) in try grant.check(key: "k", now: Self.now + .seconds(900)) }
        == .expired)
  }

  @Test func theEndIsForGood() throws {
    var grant = try Self.grant()
    _ = try grant.start(key: "k", now: Self.now)
    grant.end(now: Self.now)
    #expect(Self.refusal { () throws(LinkGrant.Refusal) in _ = try grant.start(key: "k", now: Self.now) } == .ended)
    grant.revoke(now: Self.now)
    #expect(Self.refusal { () throws(LinkGrant.Refusal) in try grant.check(key: "k", now: Self.now) } == .revoked)
    grant.end(now: Self.now)
    #expect(grant.state == .revoked(at: Self.now), "what was revoked stays so")
  }

  @Test func bearersOfLinksBelongToNoAgency() throws {
    let grant = try Self.grant()
    #expect(grant.facts.agency == "")
    #expect(grant.facts.linkedIncident == grant.incident)
    #expect(grant.actor == Actor(id: "link-1", role: .caller, name: "Caller"))
  }
}
