import Primitives
import STUN

/// Timers: set-up, consent, keepalives, silence (RFC 7675, RFC 8445 §11, RFC 8863).
extension ICEAgent {
  /// When to call ``handleTimeout(now:)`` next, possibly in the past; nil when nothing is to be done before input comes.
  package var deadline: MonotonicTime? {
    var earliest = phaseDeadline
    earliest = Self.earlier(earliest, previous?.expires)
    guard configuration.mode == .full else { return earliest }
    earliest = Self.earlier(earliest, current.checkList.nextDue)
    earliest = Self.earlier(earliest, nominationDeadline)
    earliest = Self.earlier(earliest, queryDeadline)
    return nextPairToCheck == nil ? earliest : Self.earlier(earliest, nextCheck)
  }

  /// Does everything that is due.
  package mutating func handleTimeout(now: MonotonicTime) {
    begin(now)
    if let expires = previous?.expires, expires <= now { previous = nil }
    if configuration.mode == .full {
      retransmitChecks(now)
      retransmitQueries(now)
      nominateIfReady(now)
      sendDueCheck(now)
    }
    keepUp(now)
    expire(now)
  }

  /// Starts the set-up clock with the first event that brings the time.
  mutating func begin(_ now: MonotonicTime) {
    guard case .idle = phase, current.remote != nil || configuration.mode == .lite else { return }
    enter(.checking(since: now))
  }

  /// The peer is heard again on the selected path.
  mutating func recover() {
    guard case .interrupted(let selection) = phase else { return }
    enter(.connected(selection))
  }

  mutating func freshUpkeep(_ now: MonotonicTime) -> ICEUpkeep {
    switch configuration.mode {
    case .lite: .keepalive(at: now + configuration.keepaliveInterval)
    case .full:
      .consent(ICEConsent(nextRequest: now + nextConsentInterval(), expires: now + configuration.failedAfter))
    }
  }

  /// 0.8 to 1.2 times the interval, so that peers do not fall into step (RFC 7675 §5.1).
  private mutating func nextConsentInterval() -> TimeInterval64 {
    let mean = configuration.consentInterval.nanoseconds
    return TimeInterval64(nanoseconds: .random(in: (mean / 5 * 4)...(mean / 5 * 6), using: &random))
  }

  private var phaseDeadline: MonotonicTime? {
    switch phase {
    case .idle: return current.remote == nil && configuration.mode == .full ? nil : .zero
    case .checking(let since): return since + configuration.setupTimeout
    case .connected(let selection):
      return min(heard.last + configuration.interruptedAfter, upkeepDeadline(selection))
    case .interrupted(let selection): return upkeepDeadline(selection)
    case .failed: return nil
    }
  }

  private func upkeepDeadline(_ selection: ICESelection) -> MonotonicTime {
    switch selection.upkeep {
    case .consent(let consent): min(consent.nextRequest, consent.expires)
    case .keepalive(let at): min(at, heard.last + configuration.failedAfter)
    }
  }

  /// Sends the consent check or keepalive that is due on the selected path.
  private mutating func keepUp(_ now: MonotonicTime) {
    guard var selection = phase.selection else { return }
    switch selection.upkeep {
    case .keepalive(let at):
      guard at <= now else { return }
      let indication = STUNMessage(.indication, .binding, transactionID: STUNTransactionID(using: &random))
      outputs.append(.transmit(indication.serialize(integrityKey: nil, fingerprint: true), on: selection.path))
      selection.upkeep = .keepalive(at: now + configuration.keepaliveInterval)
    case .consent(var consent):
      guard consent.nextRequest <= now, now < consent.expires,
        let generation = generation(where: { $0.number == selection.generation }), let remote = generation.remote
      else { return }
      let request = checkRequest(
        on: selection.path, from: generation.local, to: remote, localPriority: localPriority(on: selection.path),
        nominating: false)
      outputs.append(.transmit(request.serialize(integrityKey: remote.key, fingerprint: true), on: selection.path))
      consent.sent(request.transactionID)
      consent.nextRequest = now + nextConsentInterval()
      selection.upkeep = .consent(consent)
    }
    replaceSelection(selection)
  }

  /// Whether the response answers a consent check.
  mutating func handleConsent(
    _ message: STUNMessage, _ bytes: UnsafeRawBufferPointer, on path: TransportPath, now: MonotonicTime
  ) -> Bool {
    guard var selection = phase.selection, case .consent(var consent) = selection.upkeep,
      consent.outstanding.contains(message.transactionID)
    else { return false }
    guard message.messageClass == .success, path == selection.path,
      let remote = generation(where: { $0.number == selection.generation })?.remote, message.isAuthentic(bytes, remote)
    else {
      outputs.append(.rejected(.badIntegrity))
      return true
    }
    consent.granted(until: now + configuration.failedAfter)
    selection.upkeep = .consent(consent)
    replaceSelection(selection)
    noteTraffic(on: path, now: now)
    return true
  }

  /// Leaves a phase whose time is up.
  private mutating func expire(_ now: MonotonicTime) {
    switch phase {
    case .idle, .failed: return
    case .checking(let since):
      if since + configuration.setupTimeout <= now { fail() }
    case .connected(let selection):
      if isLost(selection, now) {
        losePath(selection, now)
      } else if heard.last + configuration.interruptedAfter <= now {
        enter(.interrupted(selection))
      }
    case .interrupted(let selection):
      if isLost(selection, now) { losePath(selection, now) }
    }
  }

  private func isLost(_ selection: ICESelection, _ now: MonotonicTime) -> Bool {
    switch selection.upkeep {
    case .consent(let consent): consent.expires <= now
    case .keepalive: heard.last + configuration.failedAfter <= now
    }
  }

  /// Without its path an agent has failed, unless a restart is under way.
  private mutating func losePath(_ selection: ICESelection, _ now: MonotonicTime) {
    heard = ICEHeard()
    if selection.generation == current.number {
      fail()
    } else {
      previous?.expires = now + configuration.previousGenerationGrace
      enter(.checking(since: now))
    }
  }

  /// Sends nothing more of its own accord: consent is gone, or never came (RFC 7675 §5.1).
  private mutating func fail() {
    current.checkList = ICECheckList()
    enter(.failed)
  }

  private static func earlier(_ left: MonotonicTime?, _ right: MonotonicTime?) -> MonotonicTime? {
    guard let left else { return right }
    return right.map { min(left, $0) } ?? left
  }
}
