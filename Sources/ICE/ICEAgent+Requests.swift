import Primitives
import STUN

/// Checks that the peer sends (RFC 8445 §7.3). They are answered at once, unpaced, by both generations.
extension ICEAgent {
  mutating func handleRequest(
    _ message: STUNMessage, _ bytes: UnsafeRawBufferPointer, on path: TransportPath, now: MonotonicTime
  ) {
    guard message.method == .binding else {
      outputs.append(.rejected(.unsupportedMethod(message.method)))
      return
    }
    switch authenticate(message, bytes) {
    case .refused(let rejection, let error):
      refuse(message, error, rejection, on: path)
    case .accepted(let generation, let algorithm):
      let check = ICEIncomingCheck(
        message: message, path: path, generation: generation.number, key: generation.local.key, algorithm: algorithm)
      accept(check, now: now)
    }
  }

  private enum Authentication {
    case accepted(ICEGeneration, STUNIntegrityAlgorithm)
    case refused(ICERejection, STUNErrorCode)
  }

  /// Finds the generation and checks the password (RFC 8489 §9.1.3).
  ///
  /// The user name is ours first, then the peer's, which may not be known yet.
  private func authenticate(_ message: STUNMessage, _ bytes: UnsafeRawBufferPointer) -> Authentication {
    guard let username = message.username, message.hasIntegrity,
      let colon = username.firstIndex(of: ":")
    else { return .refused(.missingCredentials, .badRequest) }
    let fragment = username[..<colon]
    guard let generation = generation(where: { $0.local.usernameFragment == fragment }) else {
      return .refused(.unknownUsernameFragment, .unauthenticated)
    }
    switch message.integrity(key: generation.local.key, in: bytes) {
    case .valid(let algorithm): return .accepted(generation, algorithm)
    case .missing: return .refused(.missingCredentials, .badRequest)
    case .wrong: return .refused(.badIntegrity, .unauthenticated)
    }
  }

  func generation(where matches: (ICEGeneration) -> Bool) -> ICEGeneration? {
    if matches(current) { return current }
    return previous.map(\.generation).flatMap { matches($0) ? $0 : nil }
  }

  /// An error response is no longer than the request, so that it amplifies nothing.
  private mutating func refuse(
    _ request: STUNMessage, _ error: STUNErrorCode, _ rejection: ICERejection, on path: TransportPath
  ) {
    outputs.append(.rejected(rejection))
    let response = STUNMessage(
      .error, .binding, transactionID: request.transactionID, attributes: [.errorCode(error)])
    outputs.append(.transmit(response.serialize(integrityKey: nil, fingerprint: true), on: path))
  }

  private mutating func accept(_ check: ICEIncomingCheck, now: MonotonicTime) {
    let unknown = check.message.unknownRequiredAttributes
    guard unknown.isEmpty else {
      outputs.append(.rejected(.unknownAttributes(unknown)))
      respond(to: check, .error, [.errorCode(.unknownAttribute), .unknownAttributes(unknown)])
      return
    }
    guard settleRole(check.message) else {
      outputs.append(.rejected(.roleConflict))
      respond(to: check, .error, [.errorCode(.roleConflict)])
      return
    }
    respond(to: check, .success, [.xorMappedAddress(check.path.remote)])
    begin(now)
    noteTraffic(on: check.path, now: now)
    switch configuration.mode {
    case .lite:
      guard role == .controlled, check.message.usesCandidate else { return }
      considerNomination(
        check.path, priority: pairPriority(of: check), generation: check.generation,
        transactionID: check.message.transactionID, now: now)
    case .full:
      checkBack(check, now: now)
    }
  }

  private mutating func respond(to check: ICEIncomingCheck, _ kind: STUNClass, _ attributes: [STUNAttribute]) {
    let response = STUNMessage(
      kind, .binding, transactionID: check.message.transactionID, attributes: attributes)
    let bytes = response.serialize(integrityKey: check.key, fingerprint: true, algorithm: check.algorithm)
    outputs.append(.transmit(bytes, on: check.path))
  }

  private func pairPriority(of check: ICEIncomingCheck) -> UInt64 {
    ICECandidatePair.priority(
      controlling: check.priority, controlled: localPriority(on: check.path))
  }

  /// Resolves a role conflict (RFC 8445 §7.3.1.1); false when the peer has to change.
  ///
  /// A lite agent stays controlled: its peer is full and has to control (RFC 8445 §6.1.1), whatever the tie-breakers say.
  private mutating func settleRole(_ message: STUNMessage) -> Bool {
    switch role {
    case .controlling:
      guard let theirs = message.iceControlling else { return true }
      guard tieBreaker < theirs else { return false }
      switchRole(to: .controlled)
    case .controlled:
      guard let theirs = message.iceControlled else { return true }
      guard configuration.mode == .full, tieBreaker >= theirs else { return false }
      switchRole(to: .controlling)
    }
    return true
  }

  mutating func switchRole(to newRole: ICERole) {
    guard newRole != role else { return }
    role = newRole
    current.checkList.reorder(for: newRole)
  }

  /// A full agent checks the way back, and takes a nomination once that works (RFC 8445 §7.3.1.4 and §7.3.1.5).
  private mutating func checkBack(_ check: ICEIncomingCheck, now: MonotonicTime) {
    let nominates = role == .controlled && check.message.usesCandidate
    guard check.generation == current.number else { return }
    let isConcluded = phase.selection?.generation == current.number
    guard nominates || !isConcluded else { return }

    learnPeerReflexive(on: check.path, priority: check.priority)
    guard let index = current.checkList.index(of: check.path) else { return }
    let pair = current.checkList.pairs[index]
    if pair.isValid {
      guard nominates else { return }
      considerNomination(
        pair.path, priority: pair.priority(for: role), generation: current.number,
        transactionID: check.message.transactionID, now: now)
    } else {
      if nominates {
        current.checkList.update(index) { $0.peerNomination = check.message.transactionID }
      }
      current.checkList.trigger(pair.path)
      sendDueCheck(now)
    }
  }
}

/// A check of the peer that proved that it knows our password.
struct ICEIncomingCheck {
  let message: STUNMessage
  let path: TransportPath
  let generation: Int
  /// The password that the response is protected with.
  let key: [UInt8]
  let algorithm: STUNIntegrityAlgorithm

  /// PRIORITY, or a peer-reflexive candidate's where the peer left it out.
  var priority: UInt32 {
    message.priority
      ?? ICECandidate.priority(type: .peerReflexive, tcpType: path.transport == .tcp ? .active : nil)
  }
}
