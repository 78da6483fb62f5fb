import Primitives

/// Candidates become pairs (RFC 8445 §6.1.2).
extension ICEAgent {
  /// Keeps a remote candidate and pairs it with our own.
  mutating func learn(_ remote: ICECandidate) {
    guard current.remoteCandidates.count < ICEConfiguration.maximumRemoteCandidates,
      !current.remoteCandidates.contains(where: { $0.address == remote.address && $0.transport == remote.transport })
    else { return }
    current.remoteCandidates.append(remote)
    for local in localCandidates { formPair(local, remote) }
  }

  mutating func formPair(_ local: ICELocalCandidate, _ remote: ICECandidate) {
    guard Self.canPair(local, remote) else { return }
    let path = TransportPath(transport: remote.transport, local: local.base, remote: remote.address)
    addPair(path, localPriority: local.candidate.priority, remote: remote)
  }

  /// The pair of a check that came from an address nobody told us: a peer-reflexive candidate (RFC 8445 §7.3.1.3).
  mutating func learnPeerReflexive(on path: TransportPath, priority: UInt32) {
    guard current.checkList.index(of: path) == nil else { return }
    let known = current.remoteCandidates.first { $0.address == path.remote && $0.transport == path.transport }
    let remote =
      known
      ?? ICECandidate(
        foundation: ICECandidate.foundation(type: .peerReflexive, base: path.remote.ip, transport: path.transport),
        transport: path.transport, priority: priority, address: path.remote, type: .peerReflexive,
        tcpType: path.transport == .tcp ? .active : nil)
    if known == nil, current.remoteCandidates.count < ICEConfiguration.maximumRemoteCandidates {
      current.remoteCandidates.append(remote)
    }
    addPair(path, localPriority: localPriority(on: path), remote: remote)
  }

  /// The priority of our candidate on a path; of a host candidate where the driver told us none.
  func localPriority(on path: TransportPath) -> UInt32 {
    let known = localCandidates.lazy.filter { $0.base == path.local && $0.candidate.transport == path.transport }
    return known.map(\.candidate.priority).max()
      ?? ICECandidate.priority(type: .host, tcpType: path.transport == .tcp ? .passive : nil)
  }

  private mutating func addPair(_ path: TransportPath, localPriority: UInt32, remote: ICECandidate) {
    let pair = ICECandidatePair(
      path: path, localPriority: localPriority, remotePriority: remote.priority,
      isDirect: path.transport == .udp && remote.type != .relayed)
    current.checkList.insert(pair, role: role)
  }

  /// Whether a check between the two could arrive (RFC 8445 §6.1.2.2, RFC 6544 §6.2).
  private static func canPair(_ local: ICELocalCandidate, _ remote: ICECandidate) -> Bool {
    guard local.candidate.transport == remote.transport, local.base.ip.family == remote.address.ip.family,
      local.base.ip.isLinkLocal == remote.address.ip.isLinkLocal, remote.address.port != 0
    else { return false }
    switch (local.candidate.tcpType, remote.tcpType) {
    case (nil, nil), (.active, .passive), (.simultaneousOpen, .simultaneousOpen): return true
    default: return false
    }
  }
}
