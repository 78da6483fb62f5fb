import Primitives
import STUN
import Testing

/// The published vectors of RFC 5769 §2.
@Suite struct RFC5769Tests {
  static let request = """
    000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b1\
    51263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf
    """
  static let responseV4 = """
    0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599\
    fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96
    """
  static let responseV6 = """
    010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5\
    bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c
    """
  static let longTerm = """
    000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b39\
    353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a2\
    8ca89666
    """
  static let password = Array("VOkJxbRl1RmTxUk/WvJxBt".utf8)

  @Test func sampleRequestParsesAndAuthenticates() throws {
    let (message, bytes) = try parse(Self.request)
    #expect(message.messageClass == .request)
    #expect(message.method == .binding)
    #expect(message.transactionID == STUNTransactionID(high: 0xb7e7_a701, low: 0xbc34_d686_fa87_dfae))
    #expect(
      message.attributes == [
        .software("STUN test client"), .priority(0x6e00_01ff), .iceControlled(0x932f_f9b1_5126_3b36),
        .username("evtj:h6vY"),
      ])
    #expect(message.hasFingerprint)
    #expect(bytes.integrity(of: message, key: Self.password) == .valid(.sha1))
    #expect(bytes.integrity(of: message, key: Array("another password".utf8)) == .wrong)
    #expect(bytes.withUnsafeBytes { STUNMessage.peekUsername($0) } == "evtj:h6vY")
  }

  @Test(arguments: [
    (responseV4, "192.0.2.1"), (responseV6, "2001:db8:1234:5678:11:2233:4455:6677"),
  ])
  func sampleResponsesParseAndAuthenticate(vector: String, address: String) throws {
    let (message, bytes) = try parse(vector)
    #expect(message.messageClass == .success)
    #expect(message.xorMappedAddress == TransportAddress(address, port: 32_853))
    #expect(message.attributes.first == .software("test vector"))
    #expect(message.hasFingerprint)
    #expect(bytes.integrity(of: message, key: Self.password) == .valid(.sha1))
  }

  @Test func longTermRequestAuthenticatesAndSerializesToTheSameBytes() throws {
    let (message, bytes) = try parse(Self.longTerm)
    let user = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}"
    #expect(message.username == user)
    #expect(message.realm == "example.org")
    #expect(message.nonce == "f//499k954d6OL34oL9FSTvy64sA")
    #expect(!message.hasFingerprint)
    let key = STUNMessage.longTermKey(username: user, realm: "example.org", password: "TheMatrIX")
    #expect(bytes.integrity(of: message, key: key) == .valid(.sha1))
    #expect(message.serialize(integrityKey: key, fingerprint: false) == bytes)
  }

  /// RFC 5769 pads with spaces and we with zeros, so that only the value of what is covered can be compared.
  @Test func serializedSampleParsesToTheSameMessage() throws {
    let (message, _) = try parse(Self.request)
    let bytes = message.serialize(integrityKey: Self.password, fingerprint: true)
    let again = try bytes.withUnsafeBytes { try STUNMessage(parsing: $0) }
    #expect(again == message)
    #expect(bytes.integrity(of: again, key: Self.password) == .valid(.sha1))
  }

  private func parse(_ hex: String) throws -> (STUNMessage, [UInt8]) {
    let bytes = try #require(Hex.decode(hex))
    return (try bytes.withUnsafeBytes { try STUNMessage(parsing: $0) }, bytes)
  }
}

extension [UInt8] {
  func integrity(of message: STUNMessage, key: [UInt8]) -> STUNIntegrityResult {
    withUnsafeBytes { message.integrity(key: key, in: $0) }
  }
}
