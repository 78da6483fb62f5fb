#if arch(x86_64)
  import CIPSecMB
  import CProcessor
  import COpenSSL

  /// The fast backend on x86-64: AES-GCM by direct calls into libipsec-mb; counter mode by OpenSSL
  /// (``CounterModeTransform`` says why).
  final class IPSecMBBackend: SRTPCipherBackend {
    let kind = SRTPBackendKind.ipsecMB
    private let manager: UnsafeMutablePointer<IMB_MGR>
    private let algorithms: OpenSSLAlgorithms

    /// Throws when the processor lacks what the library needs.
    init() throws(SRTPError) {
      algorithms = try OpenSSLAlgorithms()
      guard let manager = sl_imb_create() else {
        throw SRTPError(
          .backendUnavailable, "libipsec-mb needs AES-NI, PCLMULQDQ and SSE4.2: choose the openSSL backend")
      }
      self.manager = manager
    }

    deinit {
      free_mb_mgr(manager)
    }

    func makeTransform(
      profile: SRTPProfile, rtp: SRTPSessionKeys, rtcp: SRTPSessionKeys, direction: SRTPDirection
    ) throws(SRTPError) -> SRTPTransform {
      switch profile {
      case .aeadAES128GCM, .aeadAES256GCM:
        .ipsecMBAEAD(
          AEADTransform(
            rtp: IPSecMBAEADCipher(rtp, manager: manager, direction: direction),
            rtcp: IPSecMBAEADCipher(rtcp, manager: manager, direction: direction),
            rtpSalt: AEADSalt(rtp.salt), rtcpSalt: AEADSalt(rtcp.salt)))
      case .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32:
        try algorithms.makeCounterMode(profile: profile, rtp: rtp, rtcp: rtcp)
      }
    }
  }

  /// AES-GCM by libipsec-mb: the expanded key and the function for this processor, key size and direction.
  struct IPSecMBAEADCipher: AEADCipher {
    private let key: UnsafeMutablePointer<gcm_key_data>
    private let function: aes_gcm_enc_dec_t

    init(_ keys: SRTPSessionKeys, manager: UnsafeMutablePointer<IMB_MGR>, direction: SRTPDirection) {
      // The library loads the key with aligned vector instructions.
      key = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<gcm_key_data>.size, alignment: 64)
        .initializeMemory(as: gcm_key_data.self, to: gcm_key_data())
      let is256 = keys.encryptionKey.count == 32
      let precompute = is256 ? manager.pointee.gcm256_pre : manager.pointee.gcm128_pre
      precompute?(keys.encryptionKey, key)
      let chosen =
        switch direction {
        case .outbound: is256 ? manager.pointee.gcm256_enc : manager.pointee.gcm128_enc
        case .inbound: is256 ? manager.pointee.gcm256_dec : manager.pointee.gcm128_dec
        }
      guard precompute != nil, let chosen else { preconditionFailure("a libipsec-mb manager without AES-GCM") }
      function = chosen
    }

    @inline(__always)
    func seal(
      nonce: AEADNonce, aad: UnsafeRawPointer, aadLength: Int, source: UnsafeRawPointer, length: Int,
      destination: UnsafeMutableRawPointer
    ) -> Bool {
      sl_imb_gcm_seal(
        function, key, nonce.head, nonce.tail, aad, UInt64(truncatingIfNeeded: aadLength), source,
        UInt64(truncatingIfNeeded: length), destination)
      return true
    }

    @inline(__always)
    func open(
      nonce: AEADNonce, aad: UnsafeRawPointer, aadLength: Int, bytes: UnsafeMutableRawPointer, length: Int
    ) -> Bool {
      sl_imb_gcm_open(
        function, key, nonce.head, nonce.tail, aad, UInt64(truncatingIfNeeded: aadLength), bytes,
        UInt64(truncatingIfNeeded: length)) == 1
    }

    func prefetch() {
      sl_prefetch(key, 1024)
    }

    func release() {
      OPENSSL_cleanse(key, MemoryLayout<gcm_key_data>.size)
      UnsafeMutableRawPointer(key).deallocate()
    }
  }
#endif
