import Primitives
import STUN

/// Choosing the path (RFC 8445 §8).
extension ICEAgent {
  /// A controlling agent nominates as soon as a direct UDP path works, and waits a moment for one if none does yet.
  ///
  /// Media may use a valid pair before the nomination is confirmed (RFC 8445 §12.1.1), so that the path is selected here
  /// and set-up takes one round trip.
  mutating func nominateIfReady(_ now: MonotonicTime) {
    guard let index = pairToNominate(now), let check = transmitCheck(at: index, nominating: true, now: now) else {
      return
    }
    let pair = current.checkList.pairs[index]
    current.checkList.update(index) { $0.state = .nominating(check) }
    nextCheck = now + configuration.pacing
    select(pair.path, priority: pair.priority(for: role), generation: current.number, now: now)
  }

  private func pairToNominate(_ now: MonotonicTime) -> Int? {
    guard configuration.mode == .full, role == .controlling, needsNomination else { return nil }
    let pairs = current.checkList.pairs
    if let direct = pairs.firstIndex(where: { $0.state == .succeeded && $0.isDirect }) { return direct }
    guard let patience = nominationDeadline, patience <= now else { return nil }
    return pairs.firstIndex { $0.state == .succeeded }
  }

  private var needsNomination: Bool {
    !current.checkList.pairs.contains { pair in
      switch pair.state {
      case .nominating, .nominated: true
      case .waiting, .inProgress, .succeeded, .failed: false
      }
    }
  }

  /// When a path that is not direct is taken after all; nil when there is nothing to decide.
  var nominationDeadline: MonotonicTime? {
    guard configuration.mode == .full, role == .controlling, needsNomination, let firstValid = current.firstValid,
      current.checkList.pairs.contains(where: { $0.state == .succeeded })
    else { return nil }
    return firstValid + configuration.nominationPatience
  }

  /// The peer nominates `path`: a newer generation wins, then priority, then insistence.
  ///
  /// RFC 8445 peers nominate one pair. Older ones nominate every pair that works, and the best one counts (RFC 5245
  /// §8.1.1.2); browsers move to a worse path by nominating it with each check. So a worse path is taken when the better
  /// one is quiet, or when it is nominated again.
  mutating func considerNomination(
    _ path: TransportPath, priority: UInt64, generation: Int, transactionID: STUNTransactionID, now: MonotonicTime
  ) {
    guard var selection = phase.selection, selection.generation <= generation else {
      if phase.selection == nil, generation == current.number {
        select(path, priority: priority, generation: generation, now: now)
      }
      return
    }
    if selection.generation == generation, selection.path == path {
      guard selection.challenger != nil else { return }
      selection.challenger = nil
      replaceSelection(selection)
      return
    }
    let isRepeated = selection.challenger.map { $0.path == path && $0.transactionID != transactionID } ?? false
    let isQuiet = heard.last + configuration.quietPathThreshold < now
    if selection.generation < generation || priority > selection.priority || isRepeated || isQuiet {
      select(path, priority: priority, generation: generation, now: now)
    } else {
      selection.challenger = ICEChallenger(path: path, transactionID: transactionID)
      replaceSelection(selection)
    }
  }

  /// Takes a path into use, whatever was before.
  mutating func select(_ path: TransportPath, priority: UInt64, generation: Int, now: MonotonicTime) {
    let isNewPath = heard.path != path
    heard = ICEHeard(path: path, last: now)
    if generation == current.number {
      current.checkList.conclude()
      retirePrevious(now)
    }
    if isNewPath { outputs.append(.selectedPathChanged(path)) }
    enter(
      .connected(
        ICESelection(path: path, generation: generation, priority: priority, upkeep: freshUpkeep(now))))
  }

  /// Gives the old generation, which no longer carries the path, a last while to answer.
  private mutating func retirePrevious(_ now: MonotonicTime) {
    guard let previous, previous.expires == nil else { return }
    self.previous?.expires = now + configuration.previousGenerationGrace
  }

  /// Changes what is noted of the selected path, in whichever phase it stands.
  mutating func replaceSelection(_ selection: ICESelection) {
    switch phase {
    case .connected: phase = .connected(selection)
    case .interrupted: phase = .interrupted(selection)
    case .idle, .checking, .failed: preconditionFailure("no selection to replace in \(phase.state)")
    }
  }

  /// Enters a phase and tells when that changes ``state``.
  mutating func enter(_ next: ICEPhase) {
    let before = phase.state
    phase = next
    if next.state != before { outputs.append(.stateChanged(next.state)) }
  }
}
