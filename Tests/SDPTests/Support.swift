import Foundation
import Primitives
import SDP

/// The offers in fixtures/sdp.
enum Fixture {
  static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("fixtures/sdp")

  static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(name + ".sdp"), encoding: .utf8)
  }

  static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".sdp") }.map { String($0.dropLast(4)) }.sorted()
  }
}

extension SDPLocalParameters {
  static let server = SDPLocalParameters(
    credentials: SDPICECredentials(usernameFragment: "srvr", password: "server-password-of-24-ch"), isICELite: true,
    candidates: ["1 1 udp 2130706431 192.0.2.1 3478 typ host"],
    fingerprint: SDPFingerprint(hash: "sha-256", bytes: [UInt8](repeating: 0xab, count: 32)), cname: "server")

  static let client = SDPLocalParameters(
    credentials: SDPICECredentials(usernameFragment: "clnt", password: "client-password-of-24-ch"),
    candidates: ["candidate:9 1 udp 2130706431 192.0.2.9 4000 typ host"],
    fingerprint: SDPFingerprint(hash: "sha-256", bytes: [UInt8](repeating: 0xcd, count: 32)), cname: "client")
}

/// Answers with a fixed seed.
func answer(_ offer: String, policy: AnswerPolicy = AnswerPolicy()) throws(SDPError) -> SDPAnswer {
  var random = RandomSource.seeded(7)
  return try SDPAnswerer(local: .server, policy: policy).answer(offer, random: &random)
}

/// A small sendonly audio+video offer; line 1 is `v=0`, line 16 the video m-line.
let smallOffer = """
  v=0
  o=- 1 1 IN IP4 127.0.0.1
  s=-
  t=0 0
  a=group:BUNDLE 0 1
  a=ice-ufrag:abcd
  a=ice-pwd:0123456789012345678901
  a=fingerprint:sha-256 \((0..<32).map { _ in "0F" }.joined(separator: ":"))
  a=setup:actpass
  m=audio 9 UDP/TLS/RTP/SAVPF 111 0
  c=IN IP4 0.0.0.0
  a=mid:0
  a=sendonly
  a=rtcp-mux
  a=rtpmap:111 opus/48000/2
  m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99
  c=IN IP4 0.0.0.0
  a=mid:1
  a=sendonly
  a=rtcp-mux
  a=rtpmap:96 VP8/90000
  a=rtpmap:97 rtx/90000
  a=fmtp:97 apt=96
  a=rtpmap:98 H264/90000
  a=fmtp:98 packetization-mode=1;profile-level-id=42e01f
  a=rtpmap:99 rtx/90000
  a=fmtp:99 apt=98

  """
