import Cryptography
import Primitives
import Testing

@Suite struct CryptographyTests {
  /// RFC 8032 §7.1, tests 1 and 2.
  @Test(arguments: [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    ),
  ])
  func ed25519SignsAsPublished(seed: String, publicKey: String, message: String, signature: String) throws {
    let key = try #require(Hex.decode(seed).flatMap(Ed25519PrivateKey.init(seed:)))
    let bytes = try #require(Hex.decode(message))
    #expect(Hex.encode(key.publicKey.bytes) == publicKey)
    #expect(Hex.encode(key.sign(bytes)) == signature)
    #expect(key.publicKey.isValid(signature: key.sign(bytes), of: bytes))
    #expect(!key.publicKey.isValid(signature: key.sign(bytes), of: bytes + [0]))
  }

  /// RFC 2202 §3, test 2.
  @Test func hmacSHA1AsPublished() {
    let code = Array("what do ya want for nothing?".utf8).withUnsafeBytes {
      MessageAuthentication.hmacSHA1(key: Array("Jefe".utf8), message: $0)
    }
    #expect(Hex.encode(code) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
  }

  @Test func selfSignedCertificateIsPEM() throws {
    let made = try SelfSignedCertificate(addresses: ["192.0.2.7", "2001:db8::7"])
    #expect(made.certificate.hasPrefix("-----BEGIN CERTIFICATE-----"))
    #expect(made.privateKey.hasPrefix("-----BEGIN PRIVATE KEY-----"))
  }

  @Test(arguments: [("", ""), ("66", "Zg=="), ("666f", "Zm8="), ("666f6f", "Zm9v"), ("666f6f62", "Zm9vYg==")])
  func base64AsPublished(hex: String, text: String) throws {
    let bytes = try #require(Hex.decode(hex))
    #expect(Base64.encode(bytes) == text)
    let unpadded = String(text.prefix { $0 != "=" })
    #expect(Base64URL.encode(bytes) == unpadded)
    #expect(Base64URL.decode(unpadded) == bytes)
  }

  @Test(arguments: ["Z", "Zh", "Zm9v=", "Zm 9", "Zm9*"])
  func base64URLRefuses(text: String) {
    #expect(Base64URL.decode(text) == nil)
  }
}
