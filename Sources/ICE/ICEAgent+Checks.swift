import Primitives
import STUN

/// Checks that a full agent sends (RFC 8445 §6.1.4 and §7.2).
extension ICEAgent {
  /// Starts one transaction when Ta allows it: a triggered check, an ordinary one, or a question to a STUN server.
  mutating func sendDueCheck(_ now: MonotonicTime) {
    guard configuration.mode == .full, nextCheck <= now else { return }
    if let index = nextPairToCheck {
      let path = current.checkList.pairs[index].path
      current.checkList.untrigger(path)
      guard let check = transmitCheck(at: index, nominating: false, now: now) else { return }
      current.checkList.update(index) { $0.state = .inProgress(check) }
    } else if !sendDueQuery(now) {
      return
    }
    nextCheck = now + configuration.pacing
  }

  /// The pair to check next, once there are credentials to check with and while a path is looked for.
  var nextPairToCheck: Int? {
    guard current.remote != nil else { return nil }
    switch phase {
    case .idle, .failed: return nil
    case .checking, .connected, .interrupted: return current.checkList.nextToCheck()
    }
  }

  /// Sends a fresh check on a pair; nil without the peer's credentials (RFC 8445 §7.2.2).
  mutating func transmitCheck(at index: Int, nominating: Bool, now: MonotonicTime) -> ICECheck? {
    guard let remote = current.remote else { return nil }
    let pair = current.checkList.pairs[index]
    let request = checkRequest(
      on: pair.path, from: current.local, to: remote, localPriority: pair.localPriority, nominating: nominating)
    let bytes = request.serialize(integrityKey: remote.key, fingerprint: true)
    outputs.append(.transmit(bytes, on: pair.path))
    return ICECheck(
      bytes, transactionID: request.transactionID, role: role, over: pair.path.transport, rto: currentRTO, now: now)
  }

  /// A Binding request as checks and consent use it.
  mutating func checkRequest(
    on path: TransportPath, from local: ICECredentials, to remote: ICECredentials, localPriority: UInt32,
    nominating: Bool
  ) -> STUNMessage {
    // Our local preference, under the type preference of what the peer would learn from this (RFC 8445 §7.1.1).
    let reflexive = ICECandidate.priority(
      type: .peerReflexive, tcpType: path.transport == .tcp ? .active : nil,
      localPreference: UInt16(truncatingIfNeeded: localPriority >> 8))
    var attributes: [STUNAttribute] = [
      .username("\(remote.usernameFragment):\(local.usernameFragment)"), .priority(reflexive),
      role == .controlling ? .iceControlling(tieBreaker) : .iceControlled(tieBreaker),
    ]
    if nominating { attributes.append(.useCandidate) }
    return STUNMessage(
      .request, .binding, transactionID: STUNTransactionID(using: &random), attributes: attributes)
  }

  /// RTO = max(500 ms, Ta * N) (RFC 8445 §14.3).
  var currentRTO: TimeInterval64 {
    max(configuration.minimumRTO, configuration.pacing * Int64(current.checkList.activeCount))
  }

  /// Sends unanswered checks again and gives up those that had their sends.
  mutating func retransmitChecks(_ now: MonotonicTime) {
    for index in current.checkList.pairs.indices {
      let pair = current.checkList.pairs[index]
      guard var check = pair.check else { continue }
      switch check.advance(to: now) {
      case .wait: continue
      case .resend:
        outputs.append(.transmit(check.message, on: pair.path))
        current.checkList.update(index) { $0.check = check }
      case .giveUp:
        current.checkList.update(index) { $0.state = .failed }
      }
    }
  }
}
