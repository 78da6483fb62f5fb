import MediaServer
import Primitives

/// Carries one signalling step to the media plane and keeps the directory true; WHIP, WHEP and WebSockets share it.
struct Signaller: Sendable {
  let media: any MediaPlane
  let sessions: SessionDirectory
  let clock: GatewayClock
  let checkInterval: TimeInterval64

  /// Opens a session for one offer.
  func connect(
    offer: String, by token: AccessToken, permissions: MediaPermissions, carrier: SignallingSession.Carrier
  ) async throws(Problem) -> PeerAnswer {
    guard !sessions.isFull else { throw .full }
    let request = PeerRequest(
      incident: token.incident, permissions: permissions, name: token.name, offer: offer)
    let answer: PeerAnswer
    do {
      answer = try await media.connect(request)
    } catch {
      throw Problem(error)
    }
    sessions.insert(
      SignallingSession(
        peer: answer.peer, incident: token.incident, permissions: permissions, subject: token.subject,
        tokenID: token.tokenID, iceSession: answer.iceSession, carrier: carrier,
        nextCheck: clock.monotonic() + checkInterval))
    return answer
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
