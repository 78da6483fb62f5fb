import Cryptography
import Foundation
import Gateway
import MediaServer
import Primitives
import Testing

/// RFC 8037 appendix A: the key, its thumbprint and the signature.
struct CompactJWSTests {
  private static let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
  private static let publicKey = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
  private static let signed =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

  private static func key() throws -> Ed25519PrivateKey {
    let bytes = try #require(Base64URL.decode(seed))
    return try #require(Ed25519PrivateKey(seed: bytes))
  }

  @Test func publicKeyIsTheOneOfAppendixA2() throws {
    #expect(Base64URL.encode(try Self.key().publicKey.bytes) == Self.publicKey)
  }

  @Test func thumbprintIsTheOneOfAppendixA3() throws {
    #expect(try Self.key().publicKey.thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
  }

  @Test func signatureIsTheOneOfAppendixA4() throws {
    let text = CompactJWS.sign(
      header: Array(#"{"alg":"EdDSA"}"#.utf8), payload: Array("Example of Ed25519 signing".utf8), by: try Self.key())
    #expect(text == Self.signed)
  }

  @Test func verifiesTheSignatureOfAppendixA5() throws {
    let jws = try #require(CompactJWS(parsing: Self.signed))
    #expect(jws.isSigned(by: try Self.key().publicKey))
    #expect(String(decoding: jws.payload, as: UTF8.self) == "Example of Ed25519 signing")
    let other = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: 32)))
    #expect(!jws.isSigned(by: other.publicKey))
  }
}

struct TokenAuthorityTests {
  private static let now = TestServer.now

  private static func token(lifetime: Int64 = 900, issued: Int64 = 0) throws -> AccessToken {
    AccessToken(
      subject: "anna", name: "Änna", incident: try #require(IncidentID("inc-1")), directions: .publish, kind: .caller,
      issuedAt: now + issued, expiresAt: now + lifetime, tokenID: "t-1")
  }

  /// A token with any header and payload, signed with the authority's own key.
  private static func forge(header: String, payload: String) throws -> String {
    let key = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32)))
    return CompactJWS.sign(
      header: Array(header.replacing("KID", with: key.publicKey.thumbprint).utf8), payload: Array(payload.utf8), by: key
    )
  }

  private static func refusal(of text: String, at time: UnixTime = now) throws -> TokenError? {
    let authority = try TestServer.makeAuthority()
    do {
      _ = try authority.verify(text, at: time)
      return nil
    } catch {
      return error
    }
  }

  @Test func claimsComeBackAsTheyWereSigned() throws {
    let authority = try TestServer.makeAuthority()
    let token = try Self.token()
    #expect(try authority.verify(authority.sign(token), at: Self.now) == token)
  }

  @Test func expiredAtTheSecondOfItsExpiry() throws {
    let authority = try TestServer.makeAuthority()
    let token = try Self.token(lifetime: 10)
    let text = authority.sign(token)
    #expect(try Self.refusal(of: text, at: Self.now + 9) == nil)
    #expect(try Self.refusal(of: text, at: Self.now + 10) == .expired(token))
  }

  @Test func issuedInTheFutureIsRefusedBeyondTheClocksTolerance() throws {
    let authority = try TestServer.makeAuthority()
    #expect(try Self.refusal(of: authority.sign(Self.token(issued: TokenAuthority.clockTolerance))) == nil)
    #expect(
      try Self.refusal(of: authority.sign(Self.token(issued: TokenAuthority.clockTolerance + 1))) == .notYetValid)
  }

  @Test func anotherAuthoritysTokenHasAnUnknownKey() throws {
    let text = try TestServer.makeAuthority(2).sign(Self.token())
    #expect(try Self.refusal(of: text) == .unknownKey)
  }

  @Test func formerKeysStayAccepted() throws {
    let former = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 2, count: 32)))
    let current = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32)))
    let authority = TokenAuthority(signingKey: current, formerKeys: [former.publicKey])
    let text = TokenAuthority(signingKey: former).sign(try Self.token())
    #expect(try authority.verify(text, at: Self.now) == Self.token())
  }

  @Test(arguments: [
    (#"{"alg":"none","kid":"KID"}"#, TokenError.unsupportedAlgorithm),
    (#"{"alg":"HS256","kid":"KID"}"#, .unsupportedAlgorithm),
    (#"{"alg":"eddsa","kid":"KID"}"#, .unsupportedAlgorithm),
    (#"{"alg":"EdDSA","kid":"KID","crit":["exp"]}"#, .unsupportedAlgorithm),
    (#"{"alg":"EdDSA"}"#, .unknownKey),
    (#"{"alg":"EdDSA","kid":"other"}"#, .unknownKey),
    (#"{"kid":"KID"}"#, .malformed),
    (#"[]"#, .malformed),
    (#"{"alg":"EdDSA","kid":"KID"}"#, .malformed),
  ])
  func refusesHeaders(header: String, expected: TokenError) throws {
    #expect(try Self.refusal(of: Self.forge(header: header, payload: "{}")) == expected)
  }

  @Test(arguments: [
    #""incident":"../x""#, #""incident":"""#, #""direction":[]"#, #""direction":["admin"]"#, #""kind":"king""#,
    #""exp":"soon""#, #""exp":1e400"#, #""sub":"""#, "\"name\":\"\(String(repeating: "x", count: 65))\"",
    #""jti":"a\nb""#,
  ])
  func refusesClaimsOutOfBounds(change: String) throws {
    let name = change.prefix { $0 != ":" }
    let claims = [
      #""sub":"a""#, #""name":"A""#, #""incident":"i""#, #""direction":["publish"]"#, #""kind":"caller""#,
      #""iat":1"#, #""exp":9999999999"#, #""jti":"t""#,
    ]
    let header = #"{"alg":"EdDSA","kid":"KID"}"#
    #expect(try Self.refusal(of: Self.forge(header: header, payload: "{\(claims.joined(separator: ","))}")) == nil)
    let changed = claims.map { $0.hasPrefix(name) ? change : $0 }.joined(separator: ",")
    #expect(try Self.refusal(of: Self.forge(header: header, payload: "{\(changed)}")) == .malformed)
  }

  @Test func noSingleChangedCharacterIsAccepted() throws {
    let text = Array(try TestServer.makeAuthority().sign(Self.token()).utf8)
    for index in text.indices {
      for bit in 0..<7 {
        var changed = text
        changed[index] ^= 1 << UInt8(bit)
        #expect(try Self.refusal(of: String(decoding: changed, as: UTF8.self)) != nil)
      }
    }
  }

  @Test func randomTextsAreMalformedAndHarmless() throws {
    var random = RandomSource.seeded(20)
    let alphabet = Array("eyJhbGciOi.-_=.{}\"\u{0}é")
    for _ in 0..<2000 {
      let text = String(
        (0..<Int(random.next() % 80)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] })
      #expect(try Self.refusal(of: text) == .malformed)
    }
    #expect(try Self.refusal(of: String(repeating: "a", count: CompactJWS.maximumLength + 1)) == .malformed)
  }
}

struct ICEServerIssuerTests {
  @Test func credentialIsTheHMACThatCoturnComputes() {
    // printf '%s' '1800003600:t-anna' | openssl dgst -sha1 -hmac north -binary | base64
    #expect(
      ICEServerIssuer.credential(username: "1800003600:t-anna", secret: "north") == "RSfbQ8TDPUaDZIwkuuOqhOsQbHU=")
  }

  @Test func onlyRelaysGetCredentials() {
    let issuer = ICEServerIssuer(
      TURNConfiguration(urls: ["stun:a", "turn:b?transport=udp", "turns:c"], sharedSecret: "north", lifetime: 3600))
    let servers = issuer.servers(for: "t-anna", at: TestServer.now)
    #expect(servers.map(\.urls) == [["stun:a"], ["turn:b?transport=udp", "turns:c"]])
    #expect(servers[0].username == nil && servers[0].credential == nil)
    #expect(servers[1].username == "1800003600:t-anna")
    #expect(servers[1].credential == "RSfbQ8TDPUaDZIwkuuOqhOsQbHU=")
    #expect(ICEServerIssuer(nil).servers(for: "x", at: TestServer.now).isEmpty)
  }
}
