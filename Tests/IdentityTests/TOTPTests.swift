import Identity
import Primitives
import Testing

@Suite("One-time passwords")
struct TOTPTests {
  static let secret = TOTPSecret(key: Array("12345678901234567890".utf8))

  /// RFC 4226, appendix D.
  @Test(
    "HOTP as published",
    arguments: zip(
      Int64(0)..<10,
      [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
      ]))
  func hotp(counter: Int64, code: String) {
    #expect(Self.secret.code(step: counter) == code)
  }

  /// RFC 6238, appendix B, the rows of SHA-1.
  @Test(
    "TOTP as published",
    arguments: [
      (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
      (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ] as [(Int64, String)])
  func totp(seconds: Int64, code: String) {
    #expect(Self.secret.code(step: seconds / 30, digits: 8) == code)
    let step = Self.secret.step(of: String(code.suffix(6)), at: UTCTime(seconds: seconds), after: 0)
    #expect(step == seconds / 30)
  }

  @Test("a clock may be off by one step", arguments: [(-2, false), (-1, true), (0, true), (1, true), (2, false)])
  func tolerates(difference: Int64, isTaken: Bool) {
    let now = UTCTime(seconds: 1_795_403_482)
    let code = Self.secret.code(step: now.seconds / 30 + difference)
    #expect((Self.secret.step(of: code, at: now, after: 0) != nil) == isTaken)
  }

  @Test func aPasswordIsGoodOnce() throws {
    let now = UTCTime(seconds: 1_795_403_482)
    let code = Self.secret.code(step: now.seconds / 30)
    let used = try #require(Self.secret.step(of: code, at: now, after: 0))
    #expect(Self.secret.step(of: code, at: now, after: used) == nil)
    #expect(Self.secret.step(of: code, at: now, after: used + 5) == nil)
  }

  @Test("what is no password", arguments: ["", "12345", "1234567", "abcdef", "１２３４５６"])
  func refuses(code: String) {
    #expect(Self.secret.step(of: code, at: UTCTime(seconds: 59), after: 0) == nil)
  }

  @Test func addressIsWhatAppsRead() {
    let address = Self.secret.address(userName: "ada@home", issuer: "Fire & Rescue")
    #expect(
      address == "otpauth://totp/Fire%20%26%20Rescue%3Aada%40home?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        + "&issuer=Fire%20%26%20Rescue&algorithm=SHA1&digits=6&period=30")
  }

  @Test func madeSecretsDiffer() {
    var random = RandomSource.seeded(1)
    let first = TOTPSecret(random: &random)
    #expect(first.key.count == 20)
    #expect(first != TOTPSecret(random: &random))
  }
}
