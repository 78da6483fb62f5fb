import ControlRoom
import Incidents
import MediaServer
import Primitives

/// Carries one signalling step to the media plane and keeps the directory true; WHIP, WHEP and WebSockets share it.
struct Signaller: Sendable {
  let media: any MediaPlane
  let sessions: SessionDirectory
  let room: ControlRoom
  let journalist: MediaJournalist
  let priorities: PriorityHerald
  let clock: GatewayClock
  let checkInterval: TimeInterval64

  /// What a session's end says when its owner wanted it.
  static let endedByClient = "ended by its client"

  /// Opens a session of `principal` for one offer, with as much of `wanted` as they may, which has to hold `needed`.
  func connect(
    offer: String, by principal: Principal, in incident: IncidentID, wanted: MediaPermissions,
    needed: MediaPermissions = [], carrier: SignallingSession.Carrier
  ) async throws(Problem) -> PeerAnswer {
    guard !sessions.isFull else { throw .full }
    let (place, permissions) = try await rights(of: principal, in: incident, wanted: wanted, needed: needed)
    let priority = room.mediaPriority(of: place)
    let answer: PeerAnswer
    do {
      answer = try await media.connect(
        PeerRequest(
          incident: place, permissions: permissions, name: principal.actor.name, actor: principal.actor.id,
          part: PeerPart(principal.role), priority: priority, offer: offer))
    } catch {
      throw Problem(error)
    }
    sessions.insert(
      SignallingSession(
        peer: answer.peer, incident: place, permissions: permissions, principal: principal,
        iceSession: answer.iceSession, carrier: carrier, nextCheck: clock.monotonic() + checkInterval))
    // The offer carried an older word than the herald's, if the priority changed meanwhile.
    if room.mediaPriority(of: place) != priority { priorities.tell(place) }
    await journalist.follow(place, of: answer.peer, ownedBy: principal.actor)
    // Rights may have gone while the offer was answered: from here on the follower knows of the session.
    guard room.presentMediaRights(of: principal, in: place).isSuperset(of: permissions) else {
      await disconnect(answer.peer, reason: "no longer allowed")
      throw .forbidden
    }
    if principal.role == .caller, permissions.contains(.publish) {
      await room.report(.connecting, of: principal.actor.id, in: place)
    }
    return answer
  }

  private func rights(
    of principal: Principal, in incident: IncidentID, wanted: MediaPermissions, needed: MediaPermissions
  ) async throws(Problem) -> (IncidentID, MediaPermissions) {
    if let own = principal.facts.linkedIncident, own != incident, room.destination(of: own) != incident {
      throw .forbidden
    }
    do {
      let rights = try await room.mediaRights(of: principal, in: incident)
      let permissions = rights.permissions.intersection(wanted)
      guard !permissions.isEmpty, permissions.isSuperset(of: needed) else { throw Refusal.forbidden }
      return (rights.incident, permissions)
    } catch let refusal as Refusal {
      throw Problem(refusal)
    } catch {
      throw .internalError
    }
  }

  /// Hands over remote candidates (RFC 8840 §9).
  func trickle(_ peer: PeerID, fragment: String) async throws(Problem) {
    do {
      try await media.trickle(peer, fragment: fragment)
    } catch {
      throw problem(error, of: peer)
    }
  }

  /// Restarts ICE, after which the session has a new entity tag.
  func restart(_ peer: PeerID, fragment: String) async throws(Problem) -> RestartAnswer {
    do {
      let answer = try await media.restart(peer, fragment: fragment)
      sessions.setICESession(answer.iceSession, of: peer)
      return answer
    } catch {
      throw problem(error, of: peer)
    }
  }

  /// Puts a source on a slot.
  func select(_ source: SourceID?, on slot: String, of peer: PeerID) async throws(Problem) {
    do {
      try await media.select(source, on: slot, of: peer)
    } catch {
      throw problem(error, of: peer)
    }
  }

  /// Limits the pictures of a slot to so many lines, or lifts the limit.
  func limit(_ slot: String, of peer: PeerID, toHeight height: Int?) async throws(Problem) {
    do {
      try await media.limit(slot, of: peer, toHeight: height)
    } catch {
      throw problem(error, of: peer)
    }
  }

  /// Ends a session.
  func disconnect(_ peer: PeerID, reason: String) async {
    sessions.remove(peer)
    await media.disconnect(peer, reason: reason)
  }

  private func problem(_ error: MediaError, of peer: PeerID) -> Problem {
    if error.code == .unknownPeer { sessions.remove(peer) }
    return Problem(error)
  }
}

extension PeerPart {
  /// What people of a role are to a call.
  init(_ role: Role) {
    switch role {
    case .caller, .device: self = .caller
    case .responder: self = .field
    case .operator, .dispatcher, .supervisor, .trainer: self = .control
    case .guest, .custodian, .auditor, .admin, .integration, .system: self = .onlooker
    }
  }
}
