import DTLS
import Primitives
import SDP

/// The bare loop of the benchmark: no signalling, what would be agreed on is agreed on right here.
package struct BareLoopTarget: SignallingTarget {
  package let name = "bare loop"
  private let server: TransportAddress
  private let answerer: SDPAnswerer

  package init(_ server: TransportAddress) throws {
    self.server = server
    let fingerprint = try DTLSIdentity().fingerprint(.sha256)
    // Nobody looks at credentials and certificate: there is neither ICE nor DTLS.
    answerer = SDPAnswerer(
      local: SDPLocalParameters(
        credentials: SDPICECredentials(usernameFragment: "bare", password: "bare-loop-has-no-ICE-at-all"),
        isICELite: true,
        fingerprint: SDPFingerprint(hash: fingerprint.algorithm.rawValue, bytes: fingerprint.bytes)))
  }

  package func join(
    _ participant: LoadParticipant, from endpoint: ClientEndpoint, codec: MediaCodec
  ) async throws -> SignalledSession {
    var random = RandomSource.system
    var session = try await negotiate(participant, from: endpoint, codec: codec) { offer in
      var random = RandomSource.system
      return try answerer.answer(offer, random: &random).text
    }
    session.transport = .bare(BareHello(participant, server: server, random: &random))
    return session
  }

  package func leave(_ participant: LoadParticipant) async {}
}
