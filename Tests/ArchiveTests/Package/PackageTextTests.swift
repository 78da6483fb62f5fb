import Archive
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives
import Testing

@Suite("What an evidence package says")
struct PackageTextTests {
  private static let start = UTCTime(seconds: 1_795_403_482)
  private static let anna = Actor(id: "a-1", role: .operator, name: "Anna <b>Berg</b> & \"Co\"")

  private func event(
    _ kind: EventKind, _ payload: JSONValue, number: Int = 1, after seconds: Double = 0,
    previous: [UInt8] = JournalEvent.genesisHash
  ) throws -> JournalEvent {
    JournalEvent(
      incident: try #require(IncidentID("26-000001")), number: number, time: Self.start + .seconds(seconds),
      actor: Self.anna, kind: kind.rawValue, payload: payload, clientID: nil, previousHash: previous)
  }

  private func page() throws -> JournalPage {
    let opening = try event(
      .opened,
      ["agency": "metro", "priority": "P1", "exercise": false, "origin": "operator", "type": "</title><script>"])
    return JournalPage(try Incident(opening: opening), madeAt: Self.start)
  }

  @Test("nothing that people wrote is markup")
  func escapes() throws {
    let page = try page()
    let attack = "</td><script>alert('1')</script>\u{0}\u{202e}gpj.exe & \"quoted\""
    let chat = try event(.chat, ["text": .string(attack)], number: 2, after: 62.345)
    let html =
      page.beginning + page.people([Self.anna]) + page.talkBeginning + (page.talk(chat) ?? "") + page.eventsBeginning
      + page.row(chat) + page.end
    #expect(!html.contains("<script"))
    #expect(!html.contains("<b>Berg"))
    #expect(
      html.contains(
        "&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\u{fffd}[U+202E]gpj.exe &amp; &quot;quoted"))
    #expect(html.contains("Anna &lt;b&gt;Berg&lt;/b&gt; &amp; &quot;Co&quot;"))
    #expect(html.hasPrefix("<!DOCTYPE html>") && html.hasSuffix("</html>\n"))
    #expect(html.contains("default-src 'none'"), "nothing is loaded and nothing runs")
  }

  @Test(
    "the clock counts from the opening",
    arguments: [(0.0, "0:00:00.000"), (62.3456, "0:01:02.345"), (36_061, "10:01:01.000"), (-1.5, "-0:00:01.500")])
  func clock(_ seconds: Double, _ text: String) throws {
    #expect(try page().clock(Self.start + .seconds(seconds)) == text)
  }

  @Test("an event of a newer version is shown as it is")
  func newerEvent() throws {
    let strange = JournalEvent(
      incident: try #require(IncidentID("26-000001")), number: 7, time: Self.start, actor: Self.anna,
      kind: "future.kind", payload: ["<x>": [1, "<y>"]], clientID: nil, previousHash: JournalEvent.genesisHash)
    let row = try page().row(strange)
    #expect(row.contains("future.kind") && row.contains("&lt;x&gt;") && row.contains("[1,&quot;&lt;y&gt;&quot;]"))
  }

  // MARK: - Listing and verification

  private func listing() throws -> PackageListing {
    var listing = PackageListing(
      export: "e-1", incident: try #require(IncidentID("26-000001")), agency: "metro",
      requested: .init(actor: Self.anna, time: Self.start, reason: "court\norder"), approved: nil, madeAt: Self.start)
    listing.files = [.init(path: PackagePath("journal.json"), length: 3, hash: Digest.sha256([1, 2, 3]))]
    return listing
  }

  @Test("openssl accepts the signature, and no other content")
  func signature() throws {
    let folder = try TestFolder()
    let key = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 5, count: 32)))
    let listing = try listing()
    func put(_ bytes: [UInt8], _ name: String) throws {
      try Data(bytes).write(to: folder.url.appendingPathComponent(name))
    }
    try put(listing.bytes, "package.json")
    try put(listing.signature(by: key), "package.json.sig")
    try put(Array(PublicKeyText.pem(key.publicKey).utf8), "key.pem")
    let arguments = [
      "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "package.json", "-sigfile",
      "package.json.sig",
    ]
    #expect(try folder.run("openssl", arguments).status == 0)
    let text = VerificationText(listing, key: key.publicKey).text
    #expect(text.contains("openssl " + arguments.joined(separator: " ")), "VERIFY.txt says exactly this")

    try put(listing.bytes + [UInt8(ascii: " ")], "package.json")
    #expect(try folder.run("openssl", arguments).status != 0)
  }

  @Test("VERIFY.txt names the key, keeps foreign text on its line, and speaks of encryption only where there is some")
  func verificationText() throws {
    let key = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 5, count: 32))).publicKey
    var listing = try listing()
    listing.notes = ["first\nENCRYPTION"]
    let text = VerificationText(listing, key: key).text
    #expect(text.contains(Hex.encode(key.bytes)) && text.contains(PublicKeyText.fingerprint(key)))
    #expect(text.contains("Because       court order\n"))
    #expect(!text.contains("\nENCRYPTION\n"))
    listing.isEncrypted = true
    #expect(VerificationText(listing, key: key).text.contains("\nENCRYPTION\n"))
  }

  // MARK: - Redaction

  private static let span: [String: JSONValue] = [
    "track": "v1", "from": "2026-11-23T03:11:22Z", "to": "2026-11-23T03:11:40Z",
  ]

  private static func order(_ members: [String: JSONValue]) -> JSONValue {
    ["regions": [.object(span.merging(["x": 0.25, "y": 0, "w": 0.5, "h": 1]) { $1 }.merging(members) { $1 })]]
  }

  @Test("an order comes back as it was")
  func redactionRoundTrip() throws {
    let order = try RedactionOrder(json: [
      "regions": Self.order([:])["regions"] ?? [], "mutes": [.object(Self.span.merging(["track": "a1"]) { $1 })],
    ])
    #expect(order.tracks.map(\.value) == ["a1", "v1"])
    #expect(try RedactionOrder(json: order.json) == order)
    try RedactionOrder.schema.validate(order.json)
  }

  @Test(
    "what makes no sense is refused",
    arguments: [
      [:], ["regions": [], "mutes": []], order(["w": 0.9]), order(["h": 0]), order(["track": "../v1"]),
      order(["to": "2026-11-23T03:11:22Z"]), order(["from": "yesterday"]),
    ] as [JSONValue])
  func badRedaction(_ json: JSONValue) {
    #expect(throws: PackageError.self) { try RedactionOrder(json: json) }
  }
}
