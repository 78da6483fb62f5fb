import Primitives
import SRTP
import Testing

@Suite struct KeyDerivationTests {
  /// RFC 3711 appendix B.3; the authentication key there is 94 bytes long.
  @Test(arguments: [
    (SRTPKeyDerivation.Label.rtpEncryption, "c61e7a93744f39ee10734afe3ff7a087"),
    (.rtpSalt, "30cbbc08863d8c85d49db34a9ae1"),
    (
      .rtpAuthentication,
      """
      cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef7227098
      6371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e4740357 66b68642c59bbfc2f34db60dbdfb2
      """
    ),
  ])
  func derivesTheRFCsKeys(label: SRTPKeyDerivation.Label, expected: String) throws {
    let keys = SRTPKeys(
      masterKey: try hex("e1f97a0d3e018be0d64fa32c06de4139"), masterSalt: try hex("0ec675ad498afeebb6960b3aabe6"))
    let expected = try hex(expected)
    #expect(try SRTPKeyDerivation.derive(label, from: keys, length: expected.count) == expected)
  }

  @Test(arguments: SRTPProfile.allCases)
  func aKeyOfAnotherProfilesLengthIsRefused(profile: SRTPProfile) throws {
    let engine = try SRTPEngine(.openSSL)
    let right = TestKeys(profile).server
    for (key, salt) in [(profile.keyLength - 1, profile.saltLength), (profile.keyLength, profile.saltLength + 1)] {
      let wrong = SRTPKeys(
        masterKey: [UInt8](repeating: 1, count: key), masterSalt: [UInt8](repeating: 2, count: salt))
      #expect { try SRTPContext(engine: engine, profile: profile, local: wrong, remote: right) } throws: {
        ($0 as? SRTPError)?.code == .invalidKeyLength
      }
      #expect { try SRTPContext(engine: engine, profile: profile, local: right, remote: wrong) } throws: {
        ($0 as? SRTPError)?.code == .invalidKeyLength
      }
    }
  }

  @Test func keysDoNotPrintTheirSecrets() {
    let keys = SRTPKeys(masterKey: [0xab, 0xcd], masterSalt: [0xef])
    var dumped = ""
    dump(keys, to: &dumped)
    for text in ["\(keys)", String(reflecting: keys), dumped] {
      #expect(!text.contains("171") && !text.contains("239") && !text.contains("205"))
    }
  }
}

/// RFC 7714 §16 and §17, on each backend that takes session keys.
@Suite struct AEADVectorTests {
  static let key128 = "000102030405060708090a0b0c0d0e0f"
  static let key256 = key128 + "101112131415161718191a1b1c1d1e1f"
  static let salt = "517569642070726f2071756f"

  static let rtp =
    "8040f17b8041f8d35501a0b2"
    + "47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
  static let rtcp =
    "81c8000d4d617273"
    + "4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

  /// The last column is E, index 0x5d4.
  static let vectors: [(SRTPProfile, String, srtp: String, srtcp: String)] = [
    (
      .aeadAES128GCM, key128,
      "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
        + "899d7f27beb16a9152cf765ee4390cce",
      "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b"
        + "c84aa45896cf4d2fc5abf87245d9eade800005d4"
    ),
    (
      .aeadAES256GCM, key256,
      "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
        + "7aa3db36dfffd6b0f9bb7878d7a76c13",
      "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad"
        + "1d1eb30c4446839f57ff6f6cb26ac3be800005d4"
    ),
  ]

  private func context(_ backend: SRTPBackendKind, _ profile: SRTPProfile, _ key: String) throws -> SRTPContext {
    let keys = SRTPSessionKeys(encryptionKey: try hex(key), salt: try hex(Self.salt))
    return try #require(try SRTPContext(engine: try SRTPEngine(backend), profile: profile, sessionKeys: keys))
  }

  @Test(arguments: cipherBackends, [0, 1])
  func rtpIsSealedAndOpened(backend: SRTPBackendKind, row: Int) throws {
    let vector = Self.vectors[row]
    let context = try context(backend, vector.0, vector.1)
    let plain = try hex(Self.rtp)
    #expect(Hex.encode(context.protect((plain, 12))) == vector.srtp)
    #expect(context.unprotect(try hex(vector.srtp)) == .plain(plain))
  }

  @Test(arguments: cipherBackends, [0, 1])
  func rtcpIsSealedAndOpened(backend: SRTPBackendKind, row: Int) throws {
    let vector = Self.vectors[row]
    let context = try context(backend, vector.0, vector.1)
    let plain = try hex(Self.rtcp)
    for _ in 0..<0x5d4 { _ = context.protectRTCP(plain) }
    #expect(Hex.encode(context.protectRTCP(plain)) == vector.srtcp)
    #expect(context.unprotectRTCP(try hex(vector.srtcp)) == .plain(plain))
  }

  /// §17.3 and §17.4 are valid by RFC 7714, but RFC 8827 wants everything encrypted.
  @Test(
    arguments: cipherBackends,
    [(0, "841dd9683dd78ec92ae58790125f62b3"), (1, "91db4afbfeee5a978fab4393ed2615fe")])
  func rtcpThatIsOnlyTaggedIsRefused(backend: SRTPBackendKind, row: (vector: Int, tag: String)) throws {
    let vector = Self.vectors[row.vector]
    let context = try context(backend, vector.0, vector.1)
    #expect(context.unprotectRTCP(try hex(Self.rtcp + row.tag + "000005d4")) == .rejected(.unencrypted))
  }
}

@Suite struct CounterModeVectorTests {
  /// RFC 3711 appendix B.2: with SSRC, index and plaintext 0 the ciphertext is the key stream.
  @Test(arguments: cipherBackends)
  func theKeyStreamIsTheRFCs(backend: SRTPBackendKind) throws {
    let keys = SRTPSessionKeys(
      encryptionKey: try hex("2b7e151628aed2a6abf7158809cf4f3c"),
      authenticationKey: [UInt8](repeating: 7, count: 20), salt: try hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd"))
    let engine = try SRTPEngine(backend)
    let context = try #require(try SRTPContext(engine: engine, profile: .aes128CMHMACSHA1_80, sessionKeys: keys))
    let packet = rtpPacket(ssrc: 0, sequence: 0, payload: [UInt8](repeating: 0, count: 48))
    let expected = "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0"
    #expect(Hex.encode(context.protect(packet)[12..<60]) == expected)
  }
}
