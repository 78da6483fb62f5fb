import Primitives
import Testing

@Suite("Base32")
struct Base32Tests {
  /// RFC 4648 §10.
  @Test(
    "as published",
    arguments: [
      ("", ""), ("f", "MY======"), ("fo", "MZXQ===="), ("foo", "MZXW6==="), ("foob", "MZXW6YQ="), ("fooba", "MZXW6YTB"),
      ("foobar", "MZXW6YTBOI======"),
    ])
  func asPublished(plain: String, encoded: String) {
    #expect(Base32.encode(Array(plain.utf8)) == encoded.filter { $0 != "=" })
    #expect(Base32.decode(encoded) == Array(plain.utf8))
    #expect(Base32.decode(encoded.lowercased()) == Array(plain.utf8))
  }

  @Test("groups of four, as apps show secrets")
  func passesOverSpaces() {
    #expect(Base32.decode("mzxw 6ytb oi") == Array("foobar".utf8))
  }

  @Test("foreign characters", arguments: ["M1", "M8", "MZ-", "MZ\n", "ß", "ı", "ſſ", "ＭＺ", "MZ\u{301}"])
  func refuses(text: String) {
    #expect(Base32.decode(text) == nil)
  }

  @Test func roundTrip() {
    var random = RandomSource.seeded(32)
    for length in 0..<64 {
      let bytes = random.bytes(length)
      #expect(Base32.decode(Base32.encode(bytes)) == bytes)
    }
  }
}
