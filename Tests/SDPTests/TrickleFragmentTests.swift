import SDP
import Testing

@Suite struct TrickleFragmentTests {
  /// The shape of RFC 9725 §4.3.1.
  private static let text = """
    a=group:BUNDLE 0 1\r
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r
    a=mid:0\r
    a=ice-ufrag:EsAw\r
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r
    a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r
    a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw network-id 2\r
    a=end-of-candidates\r

    """

  @Test func aWHIPFragmentIsRead() throws {
    let fragment = try TrickleFragment(parsing: Self.text)
    #expect(fragment.credentials == nil)
    #expect(fragment.anyCredentials?.usernameFragment == "EsAw")
    #expect(fragment.sections.map(\.mid) == ["0"])
    #expect(fragment.candidates.count == 2 && fragment.candidates[0].hasPrefix("1387637174 1 udp"))
    #expect(fragment.hasAllCandidates)
  }

  @Test func aFragmentSurvivesARoundTrip() throws {
    let credentials = SDPICECredentials(usernameFragment: "abcd", password: "0123456789012345678901")
    let fragment = TrickleFragment(
      credentials: credentials, isICELite: true,
      sections: [.init(mid: "0", candidates: ["1 1 udp 1 192.0.2.1 9 typ host"], hasAllCandidates: true)])
    #expect(try TrickleFragment(parsing: fragment.serialize()) == fragment)
    #expect(try TrickleFragment(parsing: TrickleFragment(parsing: Self.text).serialize()).candidates.count == 2)
  }

  @Test func candidatesBeforeAnyLineAreAccepted() throws {
    let fragment = try TrickleFragment(parsing: "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\na=end-of-candidates")
    #expect(fragment.candidates == ["1 1 udp 1 192.0.2.1 9 typ host"])
    #expect(fragment.hasAllCandidates && fragment.anyCredentials == nil)
  }

  @Test(arguments: ["", "hello", "a=x", "a=ice-ufrag:abcd", "m=audio", "a=ice-ufrag:abcd\na=ice-pwd:short"])
  func malformedFragmentsAreErrors(text: String) {
    #expect(throws: SDPError.self) { try TrickleFragment(parsing: text) }
  }

  @Test func candidatesAreBounded() throws {
    let many = (0..<(SDPLimits.maximumCandidates * 2)).map {
      "m=audio 9 X 0\na=candidate:\($0) 1 udp 1 192.0.2.1 9 typ host"
    }
    let text =
      many.prefix(SDPLimits.maximumMediaSections).joined(separator: "\n") + "\n"
      + (0..<200).map { "a=candidate:x\($0) 1 udp 1 192.0.2.1 9 typ host\n" }.joined()
    #expect(try TrickleFragment(parsing: text).candidates.count == SDPLimits.maximumCandidates)
    #expect(throws: SDPError.self) { try TrickleFragment(parsing: many.joined(separator: "\n")) }
  }
}
