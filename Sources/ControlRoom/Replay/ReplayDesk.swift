import Archive
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives
import Synchronization

/// Lets people look back: who may, why they do, and what they get to see.
///
/// A look is in the incident's journal, durably, before anything is shown. It belongs to whoever opened it, ends when they
/// rest or lose the right, and what it shows is asked for piece by piece: each time rights are looked at anew.
package final class ReplayDesk: Sendable {
  let room: ControlRoom
  let library: ArchiveLibrary
  private let limits: ReplayLimits
  private let looks = Mutex<[String: Entry]>([:])

  private struct Entry {
    let look: Look
    var usedAt: UTCTime
    var timeline: TimedTrack
    /// What decided what the timeline holds.
    var facts: PrincipalFacts
  }

  /// - Parameter library: Where the archives are.
  package init(room: ControlRoom, library: ArchiveLibrary, limits: ReplayLimits = .init()) {
    self.room = room
    self.library = library
    self.limits = limits
  }

  /// Somebody's look at an incident.
  package struct Look: Hashable, Sendable {
    package let id: String
    package let incident: IncidentID
    package let actor: String
    /// Whether it looks back in an incident that goes on, by the right to watch; else it is a replay, by the right to that.
    package let isLive: Bool
    package let openedAt: UTCTime
    package let epoch: UTCTime
  }

  // MARK: - Opening

  /// Opens a replay, for which `reason` says why.
  ///
  /// Returns when the look is durable in the journal.
  package func open(
    _ incident: IncidentID, because reason: String, by principal: Principal
  ) async throws(Refusal) -> Look {
    let present = try await room.incident(incident, for: principal, to: .replay)
    let reason = reason.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    guard limits.reasonLength.contains(reason.unicodeScalars.count) else {
      throw Refusal(
        .badPayload,
        "reason: say in \(limits.reasonLength.lowerBound) to \(limits.reasonLength.upperBound) characters why you look."
      )
    }
    var random = RandomSource.system
    let look = Look(
      id: "r-\(Hex.encode(random.bytes(16)))", incident: incident, actor: principal.actor.id, isLive: false,
      openedAt: room.clock.wall(), epoch: present.openedAt)
    try await record(look, reason, isGoingOn: !present.state.isClosed, clientID: nil, by: principal)
    keep(look, of: principal)
    return look
  }

  /// Opens a look back in an incident that goes on, for whoever may watch it.
  ///
  /// It is in the journal once a person and incident, however often they look back.
  package func lookBack(_ incident: IncidentID, by principal: Principal) async throws(Refusal) -> Look {
    let present = try await watchable(incident, principal)
    let name = Hex.encode(Digest.sha256(Array("\(incident)/\(principal.actor.id)".utf8)).prefix(16))
    let look = Look(
      id: "l-\(name)", incident: incident, actor: principal.actor.id, isLive: true, openedAt: room.clock.wall(),
      epoch: present.openedAt)
    if !isKept(look.id) {
      try await record(look, "while it goes on", isGoingOn: true, clientID: look.id, by: principal)
    }
    keep(look, of: principal)
    return look
  }

  private func watchable(_ incident: IncidentID, _ principal: Principal) async throws(Refusal) -> Incident {
    let present = try await room.incident(incident, for: principal, to: .follow)
    // A link shows what is, not what was: its bearer saw none of it before (DOMAIN, Roles).
    guard ![.caller, .guest, .device].contains(principal.role) else { throw .forbidden }
    guard !present.mediaPermissions(of: principal).contains(.subscribe) else { return present }
    guard present.state.isClosed else { throw .forbidden }
    throw Refusal(.wrongState, "The incident is over. Open a replay of it, if your role allows that.")
  }

  private func record(
    _ look: Look, _ reason: String, isGoingOn: Bool, clientID: String?, by principal: Principal
  ) async throws(Refusal) {
    do throws(Refusal) {
      _ = try await room.submit(
        Wish(
          .replayOpened,
          [
            "replay": .string(look.id), "account": .string(principal.actor.id),
            "role": .string(principal.role.rawValue), "reason": .string(reason), "live": .bool(isGoingOn),
          ], in: look.incident, by: principal, clientID: clientID, isServer: true))
    } catch  where error.code == .idReused {
      // They looked back before, in another role: the journal knows of them.
    }
  }

  // MARK: - Keeping

  private func keep(_ look: Look, of principal: Principal) {
    let now = room.clock.wall()
    looks.withLock { looks in
      looks = looks.filter { !limits.hasEnded(openedAt: $0.value.look.openedAt, usedAt: $0.value.usedAt, at: now) }
      if looks.count >= limits.maximumLooks, let oldest = looks.min(by: { $0.value.usedAt < $1.value.usedAt }) {
        looks[oldest.key] = nil
      }
      let timeline = looks[look.id]?.timeline ?? TimedTrack(epoch: look.epoch)
      looks[look.id] = Entry(look: look, usedAt: now, timeline: timeline, facts: principal.facts)
    }
  }

  private func isKept(_ id: String) -> Bool { looks.withLock { $0[id] != nil } }

  /// The look of that name, if `principal` opened it, it has not ended, and they still have the right.
  package func look(
    _ id: String, in incident: IncidentID, by principal: Principal
  ) async throws(Refusal) -> (look: Look, incident: Incident) {
    let now = room.clock.wall()
    let found = looks.withLock { looks -> Look? in
      guard var entry = looks[id], entry.look.incident == incident, entry.look.actor == principal.actor.id else {
        return nil
      }
      guard !limits.hasEnded(openedAt: entry.look.openedAt, usedAt: entry.usedAt, at: now) else {
        looks[id] = nil
        return nil
      }
      entry.usedAt = now
      looks[id] = entry
      return entry.look
    }
    // Rights come first: whoever may not look learns nothing of looks.
    guard let found else {
      _ = try await room.incident(incident, for: principal, to: .follow)
      throw .noSuchLook
    }
    if found.isLive { return (found, try await watchable(incident, principal)) }
    return (found, try await room.incident(incident, for: principal, to: .replay))
  }

  // MARK: - The timeline

  /// What happened, as far as `principal` may see it, on the clock of the recording.
  package func timeline(of look: Look, for principal: Principal) async throws(Refusal) -> TimedTrack {
    var timeline = looks.withLock { looks -> TimedTrack in
      guard let entry = looks[look.id], entry.facts == principal.facts else { return TimedTrack(epoch: look.epoch) }
      return entry.timeline
    }
    let audience = Audience(principal.role)
    while true {
      let (events, next) = try await room.events(
        of: look.incident, after: timeline.number, limit: Self.page, for: principal)
      let before = timeline.number
      for event in events { timeline.append(event, payload: event.json(for: audience)["payload"] ?? .null) }
      timeline.skip(to: next)
      if next == before { break }
    }
    let finished = timeline
    looks.withLock { looks in
      looks[look.id]?.timeline = finished
      looks[look.id]?.facts = principal.facts
    }
    return finished
  }

  /// Events read in one step.
  private static let page = 1_000
}

/// Every bound of looking back that an operator may want to move.
package struct ReplayLimits: Sendable {
  /// Characters of a reason.
  package var reasonLength = 3...500
  /// A look that asks for nothing so long has ended.
  package var idle = TimeInterval64.seconds(3_600)
  /// A look ends after this, whatever it asks for.
  package var lifetime = TimeInterval64.seconds(12 * 3_600)
  /// Looks at a time; beyond it the one that rests longest ends.
  package var maximumLooks = 1_024

  package init() {}

  func hasEnded(openedAt: UTCTime, usedAt: UTCTime, at now: UTCTime) -> Bool {
    now - usedAt >= idle || now - openedAt >= lifetime
  }
}

extension Refusal {
  static let noSuchLook = Refusal(
    .notFound, "There is no such replay, or it has ended. Open a new one, and say why.")
}
