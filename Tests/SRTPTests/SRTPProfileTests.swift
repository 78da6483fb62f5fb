import SRTP
import Testing

@Suite struct SRTPProfileTests {
  /// RFC 5764 §4.1.2 and RFC 7714 §14.2; SRTCP's index word and its tag, 80 bits even where RTP's has 32.
  @Test(arguments: [
    (SRTPProfile.aes128CMHMACSHA1_80, UInt16(1), 10, 14), (.aes128CMHMACSHA1_32, 2, 4, 14),
    (.aeadAES128GCM, 7, 16, 20), (.aeadAES256GCM, 8, 16, 20),
  ])
  func hasItsNumberAndOverhead(profile: SRTPProfile, id: UInt16, rtp: Int, rtcp: Int) {
    #expect(profile.id == id)
    #expect(SRTPProfile(id: id) == profile)
    #expect(profile.rtpOverhead == rtp)
    #expect(profile.rtcpOverhead == rtcp)
    #expect(max(rtp, rtcp) <= SRTPProfile.maximumOverhead)
  }

  /// 5 and 6 encrypt nothing.
  @Test(arguments: [UInt16(0), 3, 4, 5, 6, 9, 0xffff])
  func otherNumbersAreUnknown(id: UInt16) {
    #expect(SRTPProfile(id: id) == nil)
  }
}

@Suite struct SRTPEngineTests {
  @Test func theFastestBackendRuns() throws {
    let engine = try SRTPEngine.fastest()
    #expect(engine.kind == (availableBackends.contains(.ipsecMB) ? .ipsecMB : .openSSL))
  }

  @Test func openSSLAndTheReferenceRunEverywhere() {
    #expect(availableBackends.contains(.openSSL))
    #expect(availableBackends.contains(.libsrtp2))
  }
}
