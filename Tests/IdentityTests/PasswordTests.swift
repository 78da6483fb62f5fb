import Identity
import Primitives
import Testing

@Suite("Passwords")
struct PasswordTests {
  @Test func matchesOnlyItsPassword() throws {
    var random = RandomSource.seeded(1)
    let hash = PasswordHash("correct horse battery", random: &random)
    #expect(hash.matches("correct horse battery"))
    #expect(!hash.matches("correct horse batterx"))
    #expect(!hash.matches(""))
    let again = try #require(PasswordHash(hash.text))
    #expect(again == hash)
    #expect(again.matches("correct horse battery"))
    #expect(!hash.needsRehash)
    #expect(PasswordHash("correct horse battery", random: &random) != hash)
  }

  /// RFC 7914 §12, the third vector, as another program would have stored it.
  @Test func readsAHashOfAnotherCost() throws {
    let key = try #require(
      Hex.decode(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
          + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"))
    let salt = Base64URL.encode(Array("SodiumChloride".utf8))
    let hash = try #require(PasswordHash("$scrypt$ln=14,r=8,p=1$\(salt)$\(Base64URL.encode(key))"))
    #expect(hash.matches("pleaseletmein"))
    #expect(!hash.matches("pleaseletmeout"))
    #expect(hash.needsRehash)
  }

  @Test(
    "texts that are no hash",
    arguments: [
      "", "scrypt", "$scrypt$ln=15,r=8,p=1$c2FsdA$", "$scrypt$ln=15,r=8,p=1$c2FsdA$c2hvcnQ",
      "$bcrypt$ln=15,r=8,p=1$c2FsdA$QUJDREVGR0hJSktMTU5PUFFSU1Q",
      "$scrypt$ln=15,p=1,r=8$c2FsdA$QUJDREVGR0hJSktMTU5PUFFSU1Q",
      "$scrypt$ln=60,r=8,p=1$c2FsdA$QUJDREVGR0hJSktMTU5PUFFSU1Q",
      "$scrypt$ln=,r=8,p=1$c2FsdA$QUJDREVGR0hJSktMTU5PUFFSU1Q",
      "$scrypt$$c2FsdA$QUJDREVGR0hJSktMTU5PUFFSU1Q", "$scrypt$ln=15,r=8,p=1$****$QUJDREVGR0hJSktMTU5PUFFSU1Q",
      "$scrypt$ln=15,r=8,p=1$c2FsdA$QUJDREVGR0hJSktMTU5PUFFSU1Q$",
    ])
  func refusesTexts(text: String) {
    #expect(PasswordHash(text) == nil)
  }

  @Test("good passwords", arguments: ["correct horse battery", "Tür-Stuhl-Fenster", "x9$kQ2!mZp7w", "密码密码很长的一句话在这里"])
  func accepts(password: String) {
    #expect(PasswordPolicy.objection(to: password, userName: "ada") == nil)
  }

  @Test(
    "bad passwords",
    arguments: [
      "", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "ababababababab", "password1234", "Passwort12345",
      "sightline2026",
      "grace-hopper-1906", "GRACE-HOPPER-x-1906", String(repeating: "long ", count: 40),
    ])
  func refuses(password: String) {
    #expect(PasswordPolicy.objection(to: password, userName: "grace-hopper") != nil)
  }

  @Test func secretsAreNamedByTheirHash() {
    var random = RandomSource.seeded(3)
    let secret = Secret.make(random: &random)
    #expect(Base64URL.decode(secret)?.count == 32)
    // SHA-256 of "abc": FIPS 180-4, example 1.
    #expect(Secret.identifier(of: "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
