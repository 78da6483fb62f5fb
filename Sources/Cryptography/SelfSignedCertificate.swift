import COpenSSL

/// A certificate that nobody vouches for, for trying things out over HTTPS in a local network.
///
/// Browsers warn about it once. Public servers use a certificate of an authority instead.
package struct SelfSignedCertificate: Sendable {
  /// X.509 certificate, PEM.
  package let certificate: String
  /// P-256 private key, PEM (PKCS #8).
  package let privateKey: String

  /// The cryptographic library could not make the certificate.
  package struct GenerationError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String { "cannot make a certificate: the OpenSSL provider lacks P-256 or SHA-256" }
  }

  /// Makes a certificate for `addresses` and `localhost`, valid from yesterday for a month.
  package init(addresses: [String]) throws(GenerationError) {
    guard let key = sl_generate_p256_key(), let certificate = X509_new() else { throw GenerationError() }
    defer {
      EVP_PKEY_free(key)
      X509_free(certificate)
    }
    let day = 24 * 60 * 60
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max)))
    X509_gmtime_adj(X509_getm_notBefore(certificate), -day)
    X509_gmtime_adj(X509_getm_notAfter(certificate), 30 * day)
    X509_set_pubkey(certificate, key)
    let name = X509_get_subject_name(certificate)
    X509_NAME_add_entry_by_txt(name, "CN", Int32(0x1000 | 1), "Sightline demo", -1, -1, 0)
    X509_set_issuer_name(certificate, name)
    let names = (["DNS:localhost"] + addresses.map { "IP:\($0)" }).joined(separator: ",")
    guard sl_x509_add_extension(certificate, NID_subject_alt_name, names) == 1,
      X509_sign(certificate, key, EVP_sha256()) > 0,
      let certificateText = Self.pem({ PEM_write_bio_X509($0, certificate) }),
      let keyText = Self.pem({ PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) })
    else { throw GenerationError() }
    self.certificate = certificateText
    privateKey = keyText
  }

  private static func pem(_ write: (OpaquePointer) -> Int32) -> String? {
    guard let bio = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(bio) }
    guard write(bio) == 1 else { return nil }
    var bytes: UnsafeMutablePointer<CChar>?
    let length = sl_bio_contents(bio, &bytes)
    guard let bytes, length > 0 else { return nil }
    return String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
  }
}
