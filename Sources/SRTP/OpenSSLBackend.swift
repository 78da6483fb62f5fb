import COpenSSL

/// The portable backend: OpenSSL's EVP, with contexts that keep their key schedule.
final class OpenSSLBackend: SRTPCipherBackend {
  let kind = SRTPBackendKind.openSSL
  private let algorithms: OpenSSLAlgorithms

  init() throws(SRTPError) {
    algorithms = try OpenSSLAlgorithms()
  }

  func makeTransform(
    profile: SRTPProfile, rtp: SRTPSessionKeys, rtcp: SRTPSessionKeys, direction: SRTPDirection
  ) throws(SRTPError) -> SRTPTransform {
    switch profile {
    case .aeadAES128GCM, .aeadAES256GCM:
      let first = try OpenSSLAEADCipher(rtp, algorithms: algorithms, direction: direction)
      let second: OpenSSLAEADCipher
      do { second = try OpenSSLAEADCipher(rtcp, algorithms: algorithms, direction: direction) } catch {
        first.release()
        throw error
      }
      return .openSSLAEAD(
        AEADTransform(rtp: first, rtcp: second, rtpSalt: AEADSalt(rtp.salt), rtcpSalt: AEADSalt(rtcp.salt)))
    case .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32:
      return try algorithms.makeCounterMode(profile: profile, rtp: rtp, rtcp: rtcp)
    }
  }
}

/// AES-GCM by OpenSSL.
struct OpenSSLAEADCipher: AEADCipher {
  private let context: OpaquePointer

  init(_ keys: SRTPSessionKeys, algorithms: OpenSSLAlgorithms, direction: SRTPDirection) throws(SRTPError) {
    let cipher = keys.encryptionKey.count == 32 ? algorithms.aes256GCM : algorithms.aes128GCM
    context = try algorithms.makeContext(cipher, key: keys.encryptionKey, encrypts: direction == .outbound)
  }

  @inline(__always)
  func seal(
    nonce: AEADNonce, aad: UnsafeRawPointer, aadLength: Int, source: UnsafeRawPointer, length: Int,
    destination: UnsafeMutableRawPointer
  ) -> Bool {
    sl_gcm_seal(
      context, nonce.head, nonce.tail, aad, Int32(truncatingIfNeeded: aadLength), source,
      Int32(truncatingIfNeeded: length), destination) == 1
  }

  @inline(__always)
  func open(
    nonce: AEADNonce, aad: UnsafeRawPointer, aadLength: Int, bytes: UnsafeMutableRawPointer, length: Int
  ) -> Bool {
    sl_gcm_open(
      context, nonce.head, nonce.tail, aad, Int32(truncatingIfNeeded: aadLength), bytes,
      Int32(truncatingIfNeeded: length)) == 1
  }

  func release() {
    EVP_CIPHER_CTX_free(context)
  }
}

/// The algorithms, looked up in OpenSSL's providers once: a look-up by name costs more than a packet.
final class OpenSSLAlgorithms {
  let aes128GCM: OpaquePointer
  let aes256GCM: OpaquePointer
  let aes128CTR: OpaquePointer
  let hmac: OpaquePointer

  init() throws(SRTPError) {
    let ciphers = ["AES-128-GCM", "AES-256-GCM", "AES-128-CTR"].map { (name: String) in EVP_CIPHER_fetch(nil, name, nil)
    }
    guard let aes128GCM = ciphers[0], let aes256GCM = ciphers[1], let aes128CTR = ciphers[2],
      let hmac = EVP_MAC_fetch(nil, "HMAC", nil)
    else {
      ciphers.forEach { EVP_CIPHER_free($0) }
      throw SRTPError(.cryptographyUnavailable, "OpenSSL's provider lacks AES-GCM, AES-CTR or HMAC")
    }
    self.aes128GCM = aes128GCM
    self.aes256GCM = aes256GCM
    self.aes128CTR = aes128CTR
    self.hmac = hmac
  }

  deinit {
    EVP_CIPHER_free(aes128GCM)
    EVP_CIPHER_free(aes256GCM)
    EVP_CIPHER_free(aes128CTR)
    EVP_MAC_free(hmac)
  }

  /// A context that keeps `key`'s schedule; the caller frees it.
  func makeContext(_ cipher: OpaquePointer, key: [UInt8], encrypts: Bool) throws(SRTPError) -> OpaquePointer {
    guard let context = EVP_CIPHER_CTX_new() else {
      throw SRTPError(.cryptographyUnavailable, "OpenSSL could not allocate a cipher context")
    }
    guard EVP_CipherInit_ex(context, cipher, nil, key, nil, encrypts ? 1 : 0) == 1 else {
      EVP_CIPHER_CTX_free(context)
      throw SRTPError(.cryptographyUnavailable, "OpenSSL refused a \(key.count)-byte AES key")
    }
    return context
  }

  func makeCounterMode(
    profile: SRTPProfile, rtp: SRTPSessionKeys, rtcp: SRTPSessionKeys
  ) throws(SRTPError) -> SRTPTransform {
    let first = try CounterModeCipher(rtp, algorithms: self)
    let second: CounterModeCipher
    do { second = try CounterModeCipher(rtcp, algorithms: self) } catch {
      first.release()
      throw error
    }
    return .counterMode(CounterModeTransform(rtp: first, rtcp: second, rtpTagLength: profile.rtpOverhead))
  }
}
