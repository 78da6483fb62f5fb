import Primitives
import STUN

/// Answers to our checks (RFC 8445 §7.2.5).
extension ICEAgent {
  mutating func handleResponse(
    _ message: STUNMessage, _ bytes: UnsafeRawBufferPointer, on path: TransportPath, now: MonotonicTime
  ) {
    if let index = current.checkList.index(of: message.transactionID) {
      guard let remote = current.remote else { return }
      let isAuthentic = message.isAuthentic(bytes, remote)
      if message.messageClass == .success {
        guard isAuthentic else { return outputs.append(.rejected(.badIntegrity)) }
        handleSuccess(of: index, on: path, now: now)
      } else {
        handleError(message, isAuthentic: isAuthentic, of: index, now: now)
      }
    } else if handleConsent(message, bytes, on: path, now: now) || handleQueryResponse(message, on: path, now: now) {
      return
    } else {
      outputs.append(.rejected(.unexpectedResponse))
    }
  }

  private mutating func handleSuccess(of index: Int, on path: TransportPath, now: MonotonicTime) {
    let pair = current.checkList.pairs[index]
    guard pair.path == path else {
      // The answer took another way than the request: the pair does not work both ways (RFC 8445 §7.2.5.2.1).
      current.checkList.update(index) { $0.state = .failed }
      return
    }
    current.checkList.untrigger(path)
    current.checkList.update(index) {
      $0.abandoned = nil
      if case .nominating = pair.state { $0.state = .nominated }
      if !pair.isValid { $0.state = .succeeded }
    }
    noteTraffic(on: path, now: now)
    current.firstValid = current.firstValid ?? now
    if role == .controlled, let transactionID = pair.peerNomination {
      current.checkList.update(index) { $0.peerNomination = nil }
      considerNomination(
        path, priority: pair.priority(for: role), generation: current.number, transactionID: transactionID, now: now)
    } else {
      nominateIfReady(now)
    }
  }

  /// A role conflict makes us change and check again; any other error means that the pair does not work.
  ///
  /// 400 and 401 come unprotected by their nature (RFC 8489 §9.1.3); the transaction, which nobody can guess, vouches for them.
  private mutating func handleError(
    _ message: STUNMessage, isAuthentic: Bool, of index: Int, now: MonotonicTime
  ) {
    let pair = current.checkList.pairs[index]
    guard message.errorCode?.code == STUNErrorCode.roleConflict.code else {
      guard pair.check?.transactionID == message.transactionID else { return }
      current.checkList.update(index) { $0.state = .failed }
      nominateIfReady(now)
      return
    }
    guard isAuthentic else { return outputs.append(.rejected(.badIntegrity)) }
    // RFC 8445 §7.2.5.1: change only if the role is still the one that the request claimed.
    if let claimed = pair.check?.role, claimed == role {
      switchRole(to: role == .controlling ? .controlled : .controlling)
    }
    current.checkList.trigger(pair.path)
    sendDueCheck(now)
  }
}

extension STUNMessage {
  /// Whether the response is protected with the peer's password.
  func isAuthentic(_ bytes: UnsafeRawBufferPointer, _ remote: ICECredentials) -> Bool {
    switch integrity(key: remote.key, in: bytes) {
    case .valid: true
    case .missing, .wrong: false
    }
  }
}
