import Cryptography
import Primitives
import Testing

@Suite("Scrypt and sealed secrets")
struct SecretTests {
  struct Vector: Sendable {
    let password: String
    let salt: String
    let cost: (logarithmicN: Int, r: Int, p: Int)
    let key: String
  }

  /// RFC 7914 §12; the fourth takes 1 GiB, more than is allowed here.
  static let vectors: [Vector] = [
    Vector(
      password: "", salt: "", cost: (4, 1, 1),
      key: "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
        + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"),
    Vector(
      password: "password", salt: "NaCl", cost: (10, 8, 16),
      key: "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
        + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"),
    Vector(
      password: "pleaseletmein", salt: "SodiumChloride", cost: (14, 8, 1),
      key: "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"),
  ]

  @Test("scrypt as published", arguments: vectors)
  func scrypt(vector: Vector) throws {
    let cost = try #require(
      Scrypt.Cost(logarithmicN: vector.cost.logarithmicN, r: vector.cost.r, p: vector.cost.p))
    let key = Scrypt.derive(
      password: Array(vector.password.utf8), salt: Array(vector.salt.utf8), cost: cost, length: 64)
    #expect(key.map(Hex.encode) == vector.key)
  }

  @Test(
    "costs that are none or too dear",
    arguments: [(0, 8, 1), (25, 1, 1), (15, 0, 1), (15, 8, 0), (20, 8, 1), (15, 33, 1)])
  func refusesCosts(logarithmicN: Int, r: Int, p: Int) {
    #expect(Scrypt.Cost(logarithmicN: logarithmicN, r: r, p: p) == nil)
  }

  @Test("what was sealed opens, whatever its length", arguments: [0, 1, 15, 16, 17, 20, 32, 1_000])
  func opens(length: Int) throws {
    var random = RandomSource.seeded(UInt64(length))
    let box = try #require(SecretBox(key: random.bytes(32)))
    let plain = random.bytes(length)
    let sealed = box.seal(plain, context: "totp:a", random: &random)
    #expect(sealed.count == length + 28)
    #expect(box.open(sealed, context: "totp:a") == plain)
    #expect(box.seal(plain, context: "totp:a", random: &random) != sealed)
  }

  @Test func anyChangedByteIsNoticed() throws {
    var random = RandomSource.seeded(5)
    let box = try #require(SecretBox(key: random.bytes(32)))
    let sealed = box.seal(random.bytes(20), context: "c", random: &random)
    for place in sealed.indices {
      var changed = sealed
      changed[place] ^= 1
      #expect(box.open(changed, context: "c") == nil, "byte \(place)")
    }
    for length in 0..<sealed.count { #expect(box.open(Array(sealed.prefix(length)), context: "c") == nil) }
    #expect(box.open(sealed + [0], context: "c") == nil)
  }

  @Test func anotherKeyOrContextOpensNothing() throws {
    var random = RandomSource.seeded(6)
    let key = random.bytes(32)
    let box = try #require(SecretBox(key: key))
    let sealed = box.seal([1, 2, 3], context: "totp:a", random: &random)
    #expect(box.open(sealed, context: "totp:b") == nil)
    #expect(box.open(sealed, context: "") == nil)
    let other = try #require(SecretBox(key: key.reversed()))
    #expect(other.open(sealed, context: "totp:a") == nil)
    #expect(SecretBox(key: Array(key.dropLast())) == nil)
  }
}
