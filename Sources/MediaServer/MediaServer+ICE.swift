import ICE
import Primitives
import Sockets
import SDP

// Trickled candidates and restarts.

extension MediaServer {
  package func trickle(_ peer: PeerID, fragment: String) async throws(MediaError) {
    let parsed = try parse(fragment)
    let candidates = parsed.candidates.compactMap { try? ICECandidate(parsing: $0) }
    try await onShard(of: peer) { (shard, peer) throws(MediaError) in
      for candidate in candidates { peer.session.addRemoteCandidate(candidate, now: shard.now) }
      shard.drain(peer)
    }
  }

  package func restart(_ peer: PeerID, fragment: String) async throws(MediaError) -> RestartAnswer {
    let parsed = try parse(fragment)
    guard let offered = parsed.anyCredentials else {
      throw MediaError(.badDescription, "A restart needs a=ice-ufrag and a=ice-pwd in the fragment.")
    }
    let remote = ICECredentials(usernameFragment: offered.usernameFragment, password: offered.password)
    let candidates = parsed.candidates.compactMap { try? ICECandidate(parsing: $0) }
    var random = RandomSource.system
    let local = ICECredentials.random(using: &random)
    let own = try await onShard(of: peer) { (shard, peer) throws(MediaError) -> [ICECandidate] in
      peer.session.restart(local: local, remote: remote, candidates: candidates, now: shard.now)
      shard.drain(peer)
      return shard.localCandidates
    }
    let answer = TrickleFragment(
      credentials: SDPICECredentials(usernameFragment: local.usernameFragment, password: local.password),
      isICELite: true, sections: sections(like: parsed, candidates: own), endsEverySection: true)
    return RestartAnswer(fragment: answer.serialize(), iceSession: local.usernameFragment)
  }

  /// The section that the peer's own fragment is about, with our candidates (RFC 8840 §9).
  private func sections(like offered: TrickleFragment, candidates: [ICECandidate]) -> [TrickleFragment.Section] {
    let like = offered.sections.first
    return [
      TrickleFragment.Section(
        mediaLine: like?.mediaLine ?? "audio 9 UDP/TLS/RTP/SAVPF 0", mid: like?.mid ?? "0",
        candidates: candidates.map(\.attribute), hasAllCandidates: true)
    ]
  }

  private func parse(_ fragment: String) throws(MediaError) -> TrickleFragment {
    do {
      return try TrickleFragment(parsing: fragment)
    } catch {
      throw MediaError(error)
    }
  }
}
