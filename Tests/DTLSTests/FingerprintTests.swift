import Primitives
import Testing

import DTLS

@Suite struct FingerprintTests {
  @Test(arguments: DTLSFingerprint.Algorithm.allCases)
  func eachHashFunctionIdentifiesThePeer(algorithm: DTLSFingerprint.Algorithm) throws {
    let (ours, theirs) = (try DTLSIdentity(), try DTLSIdentity())
    let server = DTLSTransport(identity: ours, role: .server, expectedPeer: theirs.fingerprint(algorithm))
    let client = DTLSTransport(identity: theirs, role: .client, expectedPeer: ours.fingerprint(algorithm))
    exchange(client, server)
    #expect(client.state.isConnected && server.state.isConnected)
  }

  @Test(arguments: DTLSFingerprint.Algorithm.allCases)
  func aServerRefusesAnotherCertificateWithAFatalAlert(algorithm: DTLSFingerprint.Algorithm) throws {
    let (ours, theirs, announced) = (try DTLSIdentity(), try DTLSIdentity(), try DTLSIdentity())
    let server = DTLSTransport(identity: ours, role: .server, expectedPeer: announced.fingerprint(algorithm))
    let client = DTLSTransport(identity: theirs, role: .client, expectedPeer: ours.fingerprint(.sha256))
    exchange(client, server)
    #expect(
      server.state
        == .failed(
          .fingerprintMismatch(expected: announced.fingerprint(algorithm), received: theirs.fingerprint(algorithm))))
    #expect(client.state == .failed(.alertReceived(code: 42)))
  }

  @Test func aClientRefusesAnotherCertificateWithAFatalAlert() throws {
    let (ours, theirs, announced) = (try DTLSIdentity(), try DTLSIdentity(), try DTLSIdentity())
    let server = DTLSTransport(identity: theirs, role: .server, expectedPeer: ours.fingerprint(.sha256))
    let client = DTLSTransport(identity: ours, role: .client, expectedPeer: announced.fingerprint(.sha256))
    exchange(client, server)
    let expected = DTLSFailure.fingerprintMismatch(
      expected: announced.fingerprint(.sha256), received: theirs.fingerprint(.sha256))
    #expect(client.state == .failed(expected))
    #expect(server.state == .failed(.alertReceived(code: 42)))
    #expect(expected.description.contains(announced.fingerprint(.sha256).description))
  }

  @Test func aFingerprintSurvivesItsTextForm() throws {
    for algorithm in DTLSFingerprint.Algorithm.allCases {
      let fingerprint = try DTLSIdentity().fingerprint(algorithm)
      #expect(try DTLSFingerprint(parsing: fingerprint.description) == fingerprint)
      #expect(try DTLSFingerprint(parsing: fingerprint.description.lowercased()) == fingerprint)
      #expect(fingerprint.value == fingerprint.value.uppercased())
      #expect(fingerprint.value.utf8.count == 3 * algorithm.length - 1)
    }
  }

  @Test(arguments: [
    ("", DTLSFingerprint.ParseError.malformed), ("sha-256", .malformed), ("sha-256  AA", .malformed),
    ("sha-1 AA:BB", .unsupportedAlgorithm), ("md5 AA", .unsupportedAlgorithm),
    ("sha-256 AA:BB", .wrongLength(expected: 32, actual: 2)), ("sha-256 AABB", .malformedValue),
    ("sha-256 AA::BB", .malformedValue), ("sha-256 A", .malformedValue), ("sha-256 ", .malformedValue),
    ("sha-256 G0:00", .malformedValue), ("sha-256 é:00", .malformedValue),
  ])
  func unusableTextIsRefused(text: String, error: DTLSFingerprint.ParseError) {
    #expect(throws: error) { try DTLSFingerprint(parsing: text) }
  }

  @Test func everyIdentityIsAnother() throws {
    #expect(try DTLSIdentity().fingerprint(.sha256) != DTLSIdentity().fingerprint(.sha256))
  }

  private func exchange(_ client: DTLSTransport, _ server: DTLSTransport) {
    let now = MonotonicTime(nanoseconds: 5)
    client.start(now: now)
    for _ in 0..<10 {
      for datagram in client.drainDatagrams() { server.receive(datagram, now: now) }
      for datagram in server.drainDatagrams() { client.receive(datagram, now: now) }
    }
  }
}
