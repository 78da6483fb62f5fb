import Primitives
import STUN

/// Asking STUN servers how we look from outside (RFC 8445 §5.1.1.2).
struct ICEServerReflexiveQuery: Hashable, Sendable {
  enum State: Hashable, Sendable {
    case waiting
    case inProgress(ICECheck)
    /// Answered; asked again while no path is selected, so that the NAT keeps the binding.
    case gathered(refresh: MonotonicTime)
    case failed
  }

  let local: ICELocalCandidate
  let server: TransportAddress
  var state = State.waiting

  var base: TransportAddress { local.base }
  var path: TransportPath { TransportPath(transport: .udp, local: local.base, remote: server) }

  var isFinished: Bool {
    switch state {
    case .waiting, .inProgress: false
    case .gathered, .failed: true
    }
  }
}

extension ICEAgent {
  mutating func startGathering(for local: ICELocalCandidate) {
    guard local.candidate.type == .host, local.candidate.transport == .udp, !local.base.ip.isLinkLocal else { return }
    for server in configuration.stunServers
    where server.ip.family == local.base.ip.family && server.ip.isLoopback == local.base.ip.isLoopback {
      gathering.append(ICEServerReflexiveQuery(local: local, server: server))
    }
  }

  /// Sends one question that is due; false when there is none.
  mutating func sendDueQuery(_ now: MonotonicTime) -> Bool {
    guard let index = gathering.firstIndex(where: { isDue($0, now) }) else { return false }
    let request = STUNMessage(.request, .binding, transactionID: STUNTransactionID(using: &random))
    let bytes = request.serialize(integrityKey: nil, fingerprint: true)
    outputs.append(.transmit(bytes, on: gathering[index].path))
    gathering[index].state = .inProgress(
      ICECheck(
        bytes, transactionID: request.transactionID, role: role, over: .udp, rto: configuration.minimumRTO, now: now))
    return true
  }

  private func isDue(_ query: ICEServerReflexiveQuery, _ now: MonotonicTime) -> Bool {
    switch query.state {
    case .waiting: true
    case .gathered(let refresh): refresh <= now && heard.path == nil
    case .inProgress, .failed: false
    }
  }

  /// When a question is to be asked, or asked again.
  var queryDeadline: MonotonicTime? {
    gathering.lazy.compactMap { query in
      switch query.state {
      case .waiting: nextCheck
      case .inProgress(let check): check.due
      case .gathered(let refresh): heard.path == nil ? max(refresh, nextCheck) : nil
      case .failed: nil
      }
    }.min()
  }

  mutating func retransmitQueries(_ now: MonotonicTime) {
    for index in gathering.indices {
      guard case .inProgress(var check) = gathering[index].state else { continue }
      switch check.advance(to: now) {
      case .wait: continue
      case .resend:
        outputs.append(.transmit(check.message, on: gathering[index].path))
        gathering[index].state = .inProgress(check)
      case .giveUp:
        gathering[index].state = .failed
      }
    }
  }

  /// Whether the response is a STUN server's; only the transaction vouches for it.
  mutating func handleQueryResponse(_ message: STUNMessage, on path: TransportPath, now: MonotonicTime) -> Bool {
    let index = gathering.firstIndex { query in
      guard case .inProgress(let check) = query.state else { return false }
      return check.transactionID == message.transactionID && query.path == path
    }
    guard let index else { return false }
    guard message.messageClass == .success, let mapped = message.xorMappedAddress else {
      gathering[index].state = .failed
      return true
    }
    gathering[index].state = .gathered(refresh: now + configuration.keepaliveInterval)
    addServerReflexive(mapped, of: gathering[index])
    return true
  }

  /// Announces a mapped address that is new; it has the host candidate's base, so that it forms no pairs of its own.
  private mutating func addServerReflexive(_ mapped: TransportAddress, of query: ICEServerReflexiveQuery) {
    guard !localCandidates.contains(where: { $0.candidate.address == mapped && $0.base == query.base }),
      localCandidates.count < ICEConfiguration.maximumLocalCandidates
    else { return }
    let preference = UInt16(truncatingIfNeeded: query.local.candidate.priority >> 8)
    let candidate = ICECandidate(
      foundation: ICECandidate.foundation(
        type: .serverReflexive, base: query.base.ip, transport: .udp, server: query.server.ip),
      transport: .udp, priority: ICECandidate.priority(type: .serverReflexive, localPreference: preference),
      address: mapped, type: .serverReflexive, relatedAddress: query.base)
    localCandidates.append(ICELocalCandidate(candidate: candidate, base: query.base))
    outputs.append(.candidateGathered(candidate))
  }
}
