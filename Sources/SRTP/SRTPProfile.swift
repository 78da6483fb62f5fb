/// An SRTP protection profile, as `use_srtp` negotiates it (RFC 5764 §4.1.2, RFC 7714 §14.2).
package enum SRTPProfile: Hashable, Sendable, CaseIterable {
  case aeadAES128GCM
  case aeadAES256GCM
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case aes128CMHMACSHA1_80
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case aes128CMHMACSHA1_32

  /// The profile's number in the `use_srtp` extension.
  package var id: UInt16 {
    switch self {
    case .aeadAES128GCM: 0x0007
    case .aeadAES256GCM: 0x0008
    case .aes128CMHMACSHA1_80: 0x0001
    case .aes128CMHMACSHA1_32: 0x0002
    }
  }

  /// The profile with the `use_srtp` number `id`; nil when we do not speak it.
  package init?(id: UInt16) {
    guard let profile = Self.allCases.first(where: { $0.id == id }) else { return nil }
    self = profile
  }

  /// Bytes of a master key, and of a session encryption key.
  package var keyLength: Int {
    switch self {
    case .aeadAES128GCM, .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32: 16
    case .aeadAES256GCM: 32
    }
  }

  /// Bytes of a master salt, and of a session salt.
  package var saltLength: Int {
    switch self {
    case .aeadAES128GCM, .aeadAES256GCM: 12
    case .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32: 14
    }
  }

  /// Bytes that protection adds to an RTP packet.
  package var rtpOverhead: Int {
    switch self {
    case .aeadAES128GCM, .aeadAES256GCM: AEAD.tagLength
    case .aes128CMHMACSHA1_80: 10
    case .aes128CMHMACSHA1_32: 4
    }
  }

  /// Bytes that protection adds to an RTCP packet: the index word and the tag, which is never the 32-bit one
  /// (RFC 5764 §4.1.2).
  package var rtcpOverhead: Int {
    switch self {
    case .aeadAES128GCM, .aeadAES256GCM: RTCPLayout.indexWordLength + AEAD.tagLength
    case .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32: RTCPLayout.indexWordLength + 10
    }
  }

  /// The most that any profile adds to an RTP or RTCP packet: the spare room that every packet buffer needs.
  package static let maximumOverhead = 20

  /// Whether the profile encrypts and authenticates in one step.
  var isAEAD: Bool {
    switch self {
    case .aeadAES128GCM, .aeadAES256GCM: true
    case .aes128CMHMACSHA1_80, .aes128CMHMACSHA1_32: false
    }
  }
}
