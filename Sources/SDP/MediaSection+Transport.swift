/// How a peer wants to set DTLS up (RFC 4145 §4, RFC 8842 §5.1).
package enum DTLSSetup: String, Hashable, Sendable {
  /// It is the DTLS client.
  case active
  /// It is the DTLS server.
  case passive
  /// Either: the answerer chooses.
  case actpass
  case holdconn
}

/// A peer's certificate fingerprint as it stands in SDP (RFC 8122 §5).
package struct SDPFingerprint: Hashable, Sendable, CustomStringConvertible {
  /// Lower-case hash name, for example `sha-256`.
  package var hash: String
  package var bytes: [UInt8]

  package init(hash: String, bytes: [UInt8]) {
    self.hash = hash
    self.bytes = bytes
  }

  /// Parses `sha-256 AB:CD:…`; nil for a bad form or, where the hash is known, the wrong length.
  package init?(_ text: some StringProtocol) {
    let words = text.words
    guard words.count == 2, words[0].isToken else { return nil }
    var bytes: [UInt8] = []
    for part in words[1].split(separator: ":", omittingEmptySubsequences: false) {
      guard part.utf8.count == 2, part.allSatisfy(\.isHexDigit), let byte = UInt8(part, radix: 16) else { return nil }
      bytes.append(byte)
    }
    hash = words[0].lowercased()
    self.bytes = bytes
    if let length = Self.digestLengths[hash], length != bytes.count { return nil }
  }

  /// Digest length in bytes by hash name; these are also the hashes that we verify.
  ///
  /// SHA-1 and MD5 are not among them.
  package static let digestLengths = ["sha-256": 32, "sha-384": 48, "sha-512": 64]

  /// The value of `a=fingerprint`.
  package var description: String {
    let digits = Array("0123456789ABCDEF")
    let pairs = bytes.map { String([digits[Int($0 >> 4)], digits[Int($0 & 15)]]) }
    return "\(hash) \(pairs.joined(separator: ":"))"
  }
}

/// ICE credentials of one side (RFC 8839 §5.4).
package struct SDPICECredentials: Hashable, Sendable {
  package var usernameFragment: String
  package var password: String

  package init(usernameFragment: String, password: String) {
    self.usernameFragment = usernameFragment
    self.password = password
  }

  package static let usernameFragmentLengths = 4...256
  package static let passwordLengths = 22...256
}

extension SDPAttributeHolder {
  /// The ICE credentials of this level; nil when it has neither half.
  ///
  /// The grammar knows letters, digits, `+` and `/` (RFC 8839 §5.4); older stacks also use `-`, `_`, `=` and `#`, so any
  /// visible character passes.
  package func iceCredentials() throws(SDPError) -> SDPICECredentials? {
    guard let fragment = attribute("ice-ufrag") else {
      guard let lonely = attribute("ice-pwd") else { return nil }
      throw lonely.malformed("ice-pwd stands without an ice-ufrag at the same level")
    }
    guard let password = attribute("ice-pwd") else {
      throw fragment.malformed("ice-ufrag stands without an ice-pwd at the same level")
    }
    let fragmentText = fragment.value?.trimmed ?? ""
    guard SDPICECredentials.usernameFragmentLengths.contains(fragmentText.utf8.count), fragmentText.isVisibleASCII
    else { throw fragment.malformed("ice-ufrag has 4 to 256 visible characters") }
    let passwordText = password.value?.trimmed ?? ""
    guard SDPICECredentials.passwordLengths.contains(passwordText.utf8.count), passwordText.isVisibleASCII
    else { throw password.malformed("ice-pwd has 22 to 256 visible characters") }
    return SDPICECredentials(usernameFragment: String(fragmentText), password: String(passwordText))
  }

  /// Every fingerprint of this level (RFC 8122 §5).
  package func fingerprints() throws(SDPError) -> [SDPFingerprint] {
    var result: [SDPFingerprint] = []
    for attribute in attributes("fingerprint") {
      guard let fingerprint = SDPFingerprint(attribute.value ?? "") else {
        throw attribute.malformed("a fingerprint is a hash name and as many hexadecimal bytes as the hash has")
      }
      result.append(fingerprint)
    }
    return result
  }

  /// The DTLS role of this level; nil without `a=setup`.
  package func setup() throws(SDPError) -> DTLSSetup? {
    guard let attribute = attribute("setup") else { return nil }
    guard let setup = DTLSSetup(rawValue: String(attribute.value?.trimmed ?? "")) else {
      throw attribute.malformed("setup is active, passive, actpass or holdconn")
    }
    return setup
  }

  /// The tags of `a=ice-options` at this level (RFC 8839 §5.6), between spaces; libdatachannel (OBS) writes commas.
  package var iceOptions: [String] {
    attributes("ice-options").flatMap { ($0.value ?? "").split { $0 == " " || $0 == "," }.map(String.init) }
  }

  /// The values of this level's `a=candidate` lines, without `candidate:`; ICE parses them (RFC 8839 §5.1).
  package var candidates: [String] {
    attributes("candidate").prefix(SDPLimits.maximumCandidates).compactMap(\.value)
  }
}

extension MediaSection {
  /// The SCTP port (RFC 8841 §5); 5000, what everyone writes, when it is missing.
  package func sctpPort() throws(SDPError) -> UInt16 {
    guard let attribute = attribute("sctp-port") else { return 5000 }
    guard let port: UInt16 = attribute.value?.trimmed.decimal(), port != 0 else {
      throw attribute.malformed("the SCTP port is not a number from 1 to 65535")
    }
    return port
  }

  /// The largest message that the peer takes, in bytes (RFC 8841 §6): 65,536 when it says nothing, and 0 means any size.
  package func maximumMessageSize() throws(SDPError) -> UInt64 {
    guard let attribute = attribute("max-message-size") else { return 65_536 }
    guard let size: UInt64 = attribute.value?.trimmed.decimal() else {
      throw attribute.malformed("the message size is not a number")
    }
    return size
  }
}

extension SessionDescription {
  /// The mids of the first BUNDLE group (RFC 8843 §7); nil without one.
  package var bundle: [String]? {
    for attribute in attributes("group") {
      let words = (attribute.value ?? "").words
      if words.first == "BUNDLE" { return words.dropFirst().map(String.init) }
    }
    return nil
  }

  /// Whether the writer is an ICE-lite agent (RFC 8839 §5.3).
  package var isICELite: Bool { has("ice-lite") }
}
