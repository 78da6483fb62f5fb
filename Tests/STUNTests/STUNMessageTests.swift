import Primitives
import STUN
import Testing

@Suite struct STUNMessageTests {
  static let transactionID = STUNTransactionID(high: 0x0102_0304, low: 0x0506_0708_090a_0b0c)
  static let key = Array("a key of the tests".utf8)
  static let v4 = TransportAddress(ip: IPAddress(v4: 0xc000_0201), port: 3_478)
  static let v6 = TransportAddress(ip: IPAddress(v6High: 0x2001_0db8_0000_0001, low: 42), port: 65_535)

  static let everyAttribute: [STUNAttribute] = [
    .mappedAddress(v4), .mappedAddress(v6), .xorMappedAddress(v4), .xorMappedAddress(v6), .alternateServer(v4),
    .username("a:b"), .userHash([UInt8](repeating: 7, count: 32)), .realm("example.org"), .nonce("n"),
    .software("Sightline"), .errorCode(.roleConflict), .unknownAttributes([1, 2, 3]), .priority(0x6e00_1fff),
    .useCandidate, .iceControlled(.max), .iceControlling(1), .channelNumber(0x4001), .lifetime(600),
    .xorPeerAddress(v4), .xorRelayedAddress(v6), .data([1, 2, 3, 4, 5]), .requestedAddressFamily(.v6),
    .requestedTransport(17), .dontFragment, .reservationToken(9), .unknown(type: 0xc057, value: [0, 1, 0, 10]),
  ]

  @Test(arguments: everyAttribute)
  func attributeSurvivesTheWire(attribute: STUNAttribute) throws {
    let message = STUNMessage(.request, .allocate, transactionID: Self.transactionID, attributes: [attribute])
    let bytes = message.serialize(integrityKey: nil, fingerprint: false)
    #expect(try parse(bytes) == message)
  }

  @Test(arguments: [STUNClass.request, .indication, .success, .error])
  func classAndMethodShareTheTypeField(messageClass: STUNClass) throws {
    for method in [0x001, 0x009, 0x070, 0xf80, 0xfff] as [UInt16] {
      let message = STUNMessage(messageClass, STUNMethod(rawValue: method), transactionID: Self.transactionID)
      #expect(try parse(message.serialize(integrityKey: nil, fingerprint: true)).method.rawValue == method)
      #expect(try parse(message.serialize(integrityKey: nil, fingerprint: true)).messageClass == messageClass)
    }
  }

  @Test func sha256IntegrityIsVerifiedAndPreferred() throws {
    let message = STUNMessage(
      .request, .binding, transactionID: Self.transactionID, attributes: [.username("a:b")])
    var bytes = message.serialize(integrityKey: Self.key, fingerprint: true, algorithm: .sha256)
    #expect(bytes.integrity(of: try parse(bytes), key: Self.key) == .valid(.sha256))
    bytes = message.serialize(integrityKey: Self.key, fingerprint: false, algorithm: .sha256)
    bytes[bytes.count - 1] ^= 1
    #expect(bytes.integrity(of: try parse(bytes), key: Self.key) == .wrong)
  }

  @Test func aMessageWithoutIntegrityIsReportedAsSuch() throws {
    let bytes = STUNMessage(.request, .binding, transactionID: Self.transactionID)
      .serialize(integrityKey: nil, fingerprint: true)
    #expect(bytes.integrity(of: try parse(bytes), key: Self.key) == .missing)
  }

  /// A code cut to nothing would match every key.
  @Test(arguments: [(0x08, 0), (0x08, 4), (0x1c, 0), (0x1c, 12), (0x1c, 36)] as [(UInt8, UInt8)])
  func aCodeOfAnotherLengthIsWrong(type: UInt8, length: UInt8) throws {
    var bytes = STUNMessage(.request, .binding, transactionID: Self.transactionID)
      .serialize(integrityKey: nil, fingerprint: false)
    let algorithm: STUNIntegrityAlgorithm = type == 0x08 ? .sha1 : .sha256
    bytes[3] = 4 + length
    let code = STUNMessage(.request, .binding, transactionID: Self.transactionID)
      .serialize(integrityKey: Self.key, fingerprint: false, algorithm: algorithm).dropFirst(24)
    bytes += [0, type, 0, length] + (Array(code) + [0, 0, 0, 0, 0, 0, 0, 0]).prefix(Int(length))
    #expect(bytes.integrity(of: try parse(bytes), key: Self.key) == .wrong)
  }

  @Test func attributesAfterTheIntegrityAreIgnored() throws {
    let message = STUNMessage(.request, .binding, transactionID: Self.transactionID, attributes: [.priority(1)])
    var bytes = message.serialize(integrityKey: Self.key, fingerprint: false)
    bytes += [0x00, 0x25, 0x00, 0x00]  // USE-CANDIDATE, unprotected
    bytes[3] += 4
    let parsed = try parse(bytes)
    #expect(parsed.attributes == [.priority(1)])
    #expect(bytes.integrity(of: parsed, key: Self.key) == .valid(.sha1))
  }

  @Test func aWrongFingerprintIsRefused() throws {
    var bytes = STUNMessage(.request, .binding, transactionID: Self.transactionID)
      .serialize(integrityKey: nil, fingerprint: true)
    bytes[10] ^= 0x80
    #expect(throws: STUNError.wrongFingerprint) { try parse(bytes) }
  }

  @Test func attributesAreBounded() throws {
    let fits = STUNMessage(
      .request, .binding, transactionID: Self.transactionID,
      attributes: [STUNAttribute](repeating: .useCandidate, count: STUNMessage.maximumAttributeCount))
    #expect(try parse(fits.serialize(integrityKey: nil, fingerprint: false)) == fits)
    let tooMany = STUNMessage(
      .request, .binding, transactionID: Self.transactionID, attributes: fits.attributes + [.useCandidate])
    #expect(throws: STUNError.tooManyAttributes) {
      try parse(tooMany.serialize(integrityKey: nil, fingerprint: false))
    }
  }

  @Test(arguments: [
    ([0x00, 0x24, 0, 3, 1, 2, 3, 0], STUNError.malformedAttribute(type: 0x24)),
    ([0x00, 0x25, 0, 4, 0, 0, 0, 0], .malformedAttribute(type: 0x25)),
    ([0x00, 0x20, 0, 4, 0, 1, 0, 0], .malformedAttribute(type: 0x20)),
    ([0x00, 0x20, 0, 8, 0, 3, 0, 0, 0, 0, 0, 0], .malformedAttribute(type: 0x20)),
    ([0x00, 0x06, 0, 2, 0xff, 0xfe, 0, 0], .malformedAttribute(type: 0x06)),
    ([0x00, 0x09, 0, 4, 0, 0, 7, 0], .malformedAttribute(type: 0x09)),
    ([0x00, 0x06, 0, 9, 0x61, 0x3a, 0x62, 0], .truncatedAttribute(type: 0x06)),
  ])
  func malformedAttributesAreRefused(attribute: [UInt8], error: STUNError) throws {
    var bytes = STUNMessage(.request, .binding, transactionID: Self.transactionID)
      .serialize(integrityKey: nil, fingerprint: false)
    bytes[3] = UInt8(attribute.count)
    #expect(throws: error) { try parse(bytes + attribute) }
  }

  @Test func otherProtocolsAreNotSTUN() {
    for bytes in [[], [0x80] + [UInt8](repeating: 0, count: 40), [UInt8](repeating: 0, count: 20), [22, 254, 253]] {
      #expect(throws: STUNError.notSTUN) { try parse(bytes) }
      #expect(!bytes.withUnsafeBytes { STUNMessage.isSTUN($0) })
      #expect(bytes.withUnsafeBytes { STUNMessage.peekUsername($0) } == nil)
    }
  }

  @Test func onlyUnknownRequiredAttributesAreReported() {
    let message = STUNMessage(
      .request, .binding, transactionID: Self.transactionID,
      attributes: [.unknown(type: 0xc057, value: []), .unknown(type: 0x7001, value: []), .useCandidate])
    #expect(message.unknownRequiredAttributes == [0x7001])
  }

  private func parse(_ bytes: [UInt8]) throws -> STUNMessage {
    try bytes.withUnsafeBytes { try STUNMessage(parsing: $0) }
  }
}
