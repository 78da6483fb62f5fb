import Primitives
import STUN
import Testing

/// Damaged messages may be refused or read differently; they must never trap, nor pass the integrity check.
@Suite struct STUNMutationTests {
  @Test(arguments: [
    RFC5769Tests.request, RFC5769Tests.responseV4, RFC5769Tests.responseV6, RFC5769Tests.longTerm,
  ])
  func everyTruncationIsRefused(vector: String) throws {
    let bytes = try #require(Hex.decode(vector))
    for length in 0..<bytes.count {
      #expect(throws: STUNError.self) { try exercise(Array(bytes.prefix(length))) }
    }
  }

  @Test(arguments: 0..<8)
  func bitFlipsNeverAuthenticate(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    let message = STUNMessage(
      .request, .binding, transactionID: STUNMessageTests.transactionID,
      attributes: Array(STUNMessageTests.everyAttribute.prefix(20)))
    let valid = message.serialize(integrityKey: STUNMessageTests.key, fingerprint: false)
    for _ in 0..<500 {
      var bytes = valid
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      }
      guard bytes != valid, let parsed = try? exercise(bytes) else { continue }
      #expect(bytes.integrity(of: parsed, key: STUNMessageTests.key) != .valid(.sha1))
    }
  }

  @Test(arguments: 0..<4)
  func randomAttributesNeverTrap(seed: UInt64) {
    var random = RandomSource.seeded(seed)
    for _ in 0..<1_000 {
      var bytes = [0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42] + random.bytes(12)
      let types = [0x01, 0x06, 0x08, 0x09, 0x0a, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x1c, 0x20, 0x24, 0x25] as [UInt8]
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        let length = Int.random(in: 0...24, using: &random)
        let claimed = Bool.random(using: &random) ? length : Int.random(in: 0...255, using: &random)
        bytes += [0, types.randomElement(using: &random) ?? 0, 0, UInt8(claimed)] + random.bytes((length + 3) & ~3)
      }
      bytes[2] = UInt8((bytes.count - 20) >> 8)
      bytes[3] = UInt8(truncatingIfNeeded: bytes.count - 20)
      _ = try? exercise(bytes)
    }
  }

  @discardableResult
  private func exercise(_ bytes: [UInt8]) throws -> STUNMessage {
    try bytes.withUnsafeBytes { buffer in
      _ = STUNMessage.peekUsername(buffer)
      let message = try STUNMessage(parsing: buffer)
      _ = message.integrity(key: STUNMessageTests.key, in: buffer)
      return message
    }
  }
}
