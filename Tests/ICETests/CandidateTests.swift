import ICE
import Primitives
import Testing

@Suite struct CandidateTests {
  @Test(arguments: [
    "candidate:1 1 udp 2130706431 10.0.1.1 8998 typ host",
    "candidate:2 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1 rport 8998",
    "candidate:a+/ 1 tcp 1518280447 2001:db8::1 9 typ host tcptype active",
    "candidate:3 1 tcp 1518149375 192.0.2.1 443 typ host tcptype passive ufrag abcd",
    "candidate:4 1 udp 1 192.0.2.9 3478 typ relay raddr 0.0.0.0 rport 0",
  ])
  func survivesItsText(text: String) throws {
    #expect(try ICECandidate(parsing: text).attribute == text)
    #expect(try ICECandidate(parsing: "a=" + text + "\r\n").attribute == text)
  }

  @Test func readsWhatBrowsersSend() throws {
    let candidate = try ICECandidate(
      parsing: "candidate:842163049 1 UDP 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.17 rport 46154 "
        + "generation 0 ufrag EEtu network-id 3 network-cost 10")
    #expect(candidate.type == .serverReflexive)
    #expect(candidate.usernameFragment == "EEtu")
    #expect(candidate.address == TransportAddress("203.0.113.7", port: 46_154))
    #expect(candidate.relatedAddress == TransportAddress("10.0.0.17", port: 46_154))
  }

  @Test(arguments: [
    ("", ICECandidateError.malformed("typ")),
    ("candidate:1 1 udp 1 10.0.0.1 1 type host", .malformed("typ")),
    ("candidate: 1 udp 1 10.0.0.1 1 typ host", .malformed("foundation")),
    ("candidate:1 0 udp 1 10.0.0.1 1 typ host", .malformed("component")),
    ("candidate:1 1 udp 4294967296 10.0.0.1 1 typ host", .malformed("priority")),
    ("candidate:1 1 udp 1 10.0.0.1 65536 typ host", .malformed("port")),
    ("candidate:1 1 udp 1 10.0.0.256 1 typ host", .malformed("address")),
    ("candidate:1 1 udp 1 9b36eaac-bb2e-49bb-bb78-21c41c499900.local 1 typ host", .unresolvedName),
    ("candidate:1 1 udp 1 10.0.0.1 1 typ magic", .malformed("type")),
    ("candidate:1 1 sctp 1 10.0.0.1 1 typ host", .unknownTransport),
    ("candidate:1 1 tcp 1 10.0.0.1 1 typ host", .malformed("tcptype")),
    (String(repeating: "x", count: 513), .tooLong),
  ])
  func refuses(text: String, error: ICECandidateError) {
    #expect(throws: error) { try ICECandidate(parsing: text) }
  }

  @Test func prioritiesFollowTheRecommendation() {
    let host = ICECandidate.priority(type: .host)
    #expect(host == 2_130_706_431)
    #expect(ICECandidate.priority(type: .serverReflexive) == 1_694_498_815)
    #expect(ICECandidate.priority(type: .relayed) == 16_777_215)
    let passive = ICECandidate.priority(type: .host, tcpType: .passive)
    #expect(ICECandidate.priority(type: .host, tcpType: .active) > passive)
    #expect(ICECandidate.priority(type: .serverReflexive) > passive)
    #expect(passive > ICECandidate.priority(type: .relayed))
  }

  @Test func foundationsTellServersAndBasesApart() throws {
    let base = Ends.client.ip
    let plain = ICECandidate.foundation(type: .serverReflexive, base: base, transport: .udp, server: Ends.server.ip)
    #expect(
      plain == ICECandidate.foundation(type: .serverReflexive, base: base, transport: .udp, server: Ends.server.ip))
    #expect(plain != ICECandidate.foundation(type: .serverReflexive, base: base, transport: .udp, server: base))
    #expect(plain != ICECandidate.foundation(type: .host, base: base, transport: .udp))
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func damagedTextNeverTraps(seed: UInt64) {
    var random = RandomSource.seeded(seed)
    let valid = Array("candidate:3 1 tcp 1518149375 192.0.2.1 443 typ host tcptype passive raddr ::1 rport 9".utf8)
    for _ in 0..<500 {
      var bytes = valid
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      _ = try? ICECandidate(
        parsing: String(decoding: bytes.prefix(Int.random(in: 0...bytes.count, using: &random)), as: UTF8.self))
    }
  }

  @Test func freshCredentialsFollowTheGrammar() {
    var random = RandomSource.seeded(5)
    let first = ICECredentials.random(using: &random)
    #expect(first != ICECredentials.random(using: &random))
    #expect((4...256).contains(first.usernameFragment.count))
    #expect((22...256).contains(first.password.count))
  }
}
