import COpenSSL

/// Our certificate and private key, and the OpenSSL context that every connection made with them shares.
///
/// Made once per process start and given to any number of ``DTLSTransport``s on any threads. The key is ECDSA P-256, which
/// every WebRTC peer accepts (RFC 8827 §6.5); the certificate is self-signed and stands for nothing but its fingerprint.
///
/// `@unchecked Sendable`: the context is configured in `init` and not changed afterwards; what OpenSSL itself changes in it
/// when a connection is made or freed are reference counts, which it guards.
package final class DTLSIdentity: @unchecked Sendable {
  /// Why no identity could be made.
  package struct GenerationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The step that failed.
    package let step: String
    /// OpenSSL's reason, when it gave one.
    package let reason: String

    package var description: String { "cannot make the DTLS certificate: \(step): \(reason)" }
  }

  /// From 2024-01-01 to 2049-12-31, in Unix seconds: peers compare fingerprints, not dates, so no clock is needed.
  package static let defaultValidity: ClosedRange<Int> = 1_704_067_200...2_524_607_999

  let context: OpaquePointer
  private let fingerprints: [DTLSFingerprint.Algorithm: DTLSFingerprint]

  /// Makes a key and a certificate that is valid over `validity` (Unix seconds), in about a millisecond.
  package init(validity: ClosedRange<Int> = defaultValidity) throws(GenerationError) {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let key = sl_generate_p256_key() else { throw Self.failure(at: "generating a P-256 key") }
    defer { EVP_PKEY_free(key) }
    let certificate = try Self.makeCertificate(for: key, validity: validity)
    defer { X509_free(certificate) }
    var fingerprints: [DTLSFingerprint.Algorithm: DTLSFingerprint] = [:]
    for algorithm in DTLSFingerprint.Algorithm.allCases {
      guard let fingerprint = DTLSFingerprint(of: certificate, algorithm: algorithm) else {
        throw Self.failure(at: "hashing the certificate")
      }
      fingerprints[algorithm] = fingerprint
    }
    self.fingerprints = fingerprints
    context = try Self.makeContext(certificate: certificate, key: key)
  }

  deinit {
    SSL_CTX_free(context)
  }

  /// Our certificate's fingerprint, for the session description.
  package func fingerprint(_ algorithm: DTLSFingerprint.Algorithm) -> DTLSFingerprint {
    guard let fingerprint = fingerprints[algorithm] else {
      preconditionFailure("no \(algorithm) fingerprint was made")
    }
    return fingerprint
  }
}

extension DTLSIdentity {
  private static func makeCertificate(
    for key: OpaquePointer, validity: ClosedRange<Int>
  ) throws(GenerationError) -> OpaquePointer {
    guard let certificate = X509_new() else { throw failure(at: "allocating a certificate") }
    var (start, end) = (time_t(validity.lowerBound), time_t(validity.upperBound))
    let name = X509_get_subject_name(certificate)
    let isMade =
      X509_set_version(certificate, 2) == 1
      && setRandomSerialNumber(of: certificate)
      && X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &start) != nil
      && X509_time_adj_ex(X509_getm_notAfter(certificate), 0, 0, &end) != nil
      && X509_set_pubkey(certificate, key) == 1
      && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, "sightline", -1, -1, 0) == 1
      && X509_set_issuer_name(certificate, name) == 1
      && X509_sign(certificate, key, EVP_sha256()) > 0
    guard isMade else {
      X509_free(certificate)
      throw failure(at: "making the certificate")
    }
    return certificate
  }

  /// 64 random bits, positive (RFC 5280 §4.1.2.2).
  private static func setRandomSerialNumber(of certificate: OpaquePointer) -> Bool {
    var number: UInt64 = 0
    let isRandom = withUnsafeMutableBytes(of: &number) { bytes in
      RAND_bytes(bytes.baseAddress, Int32(bytes.count)) == 1
    }
    return isRandom && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), max(number, 1)) == 1
  }

  private static func makeContext(
    certificate: OpaquePointer, key: OpaquePointer
  ) throws(GenerationError) -> OpaquePointer {
    guard let context = SSL_CTX_new(DTLS_method()) else { throw failure(at: "allocating a context") }
    sl_ssl_ctx_disable_tickets(context)
    sl_ssl_ctx_disable_renegotiation(context)
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    SSL_CTX_set_cert_verify_callback(context, { store, _ in DTLSIdentity.verify(store) }, nil)
    let isMade =
      sl_ssl_ctx_set_min_version(context, DTLS1_2_VERSION) == 1
      && sl_ssl_ctx_set_max_version(context, sl_dtls_highest_version()) == 1
      && SSL_CTX_set_cipher_list(context, cipherSuites.joined(separator: ":")) == 1
      && sl_ssl_ctx_set_groups(context, "X25519:P-256:P-384") == 1
      && SSL_CTX_use_certificate(context, certificate) == 1
      && SSL_CTX_use_PrivateKey(context, key) == 1
    guard isMade else {
      SSL_CTX_free(context)
      throw failure(at: "configuring the context")
    }
    return context
  }

  /// Forward secrecy and AEAD only; the RSA suites are for peers whose own certificate is RSA.
  private static let cipherSuites = [
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
  ]

  /// Compares the peer's certificate with the announced fingerprint and looks at nothing else (RFC 8122 §6.2).
  private static func verify(_ store: OpaquePointer?) -> Int32 {
    let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    guard let pipe = DatagramPipe.of(ssl: ssl.map { OpaquePointer($0) }),
      let certificate = X509_STORE_CTX_get0_cert(store),
      let received = DTLSFingerprint(of: certificate, algorithm: pipe.expectedPeer.algorithm)
    else {
      X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED)
      return 0
    }
    pipe.receivedFingerprint = received
    guard received == pipe.expectedPeer else {
      // Becomes the fatal alert bad_certificate.
      X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
      return 0
    }
    return 1
  }

  private static func failure(at step: String) -> GenerationError {
    GenerationError(step: step, reason: OpenSSLError.take()?.reason ?? "no reason given")
  }
}

extension DTLSFingerprint {
  /// The hash of an OpenSSL certificate's DER form.
  fileprivate init?(of certificate: OpaquePointer, algorithm: Algorithm) {
    let function =
      switch algorithm {
      case .sha256: EVP_sha256()
      case .sha384: EVP_sha384()
      case .sha512: EVP_sha512()
      }
    var bytes = [UInt8](repeating: 0, count: algorithm.length)
    var count: UInt32 = 0
    guard X509_digest(certificate, function, &bytes, &count) == 1 else { return nil }
    self.init(algorithm: algorithm, bytes: Array(bytes.prefix(Int(count))))
  }
}
