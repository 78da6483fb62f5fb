import ControlRoom
import Incidents
import MediaServer
import Primitives
import Synchronization

/// One peer's session as signalling knows it: whose it is and how its owner reaches us.
struct SignallingSession: Hashable, Sendable {
  /// How its owner signals.
  enum Carrier: Hashable, Sendable {
    /// WHIP or WHEP: stateless, so that nothing tells when the owner is gone but the media.
    case http
    /// A WebSocket that is open.
    case webSocket(ConnectionID)
    /// Its WebSocket is gone; it may be resumed.
    case orphaned
  }

  let peer: PeerID
  let incident: IncidentID
  let permissions: MediaPermissions
  let principal: Principal
  /// The current ICE session: WHIP's entity tag (RFC 9725 §4.3.1).
  var iceSession: String
  var carrier: Carrier
  /// When it is next compared with the media plane.
  var nextCheck: MonotonicTime
}

/// Names one WebSocket within this process.
struct ConnectionID: Hashable, Sendable {
  let value: UInt64
}

/// The sessions that were opened through this gateway and are not known to be over.
///
/// Bounded by a limit; a session leaves when its owner ends it, when the media plane no longer knows it, or when its
/// page did not come back in time.
final class SessionDirectory: Sendable {
  private let sessions = Mutex<[PeerID: SignallingSession]>([:])
  private let connections = Atomic<UInt64>(0)
  private let maximumSessions: Int

  init(maximumSessions: Int) {
    self.maximumSessions = maximumSessions
  }

  var count: Int { sessions.withLock { $0.count } }

  var isFull: Bool { count >= maximumSessions }

  /// A name that no other WebSocket of this process has.
  func makeConnectionID() -> ConnectionID {
    ConnectionID(value: connections.wrappingAdd(1, ordering: .relaxed).newValue)
  }

  func insert(_ session: SignallingSession) {
    sessions.withLock { $0[session.peer] = session }
  }

  /// The session, if it belongs to the principal; another's looks as if it did not exist.
  func find(_ peer: PeerID, ownedBy principal: Principal) -> SignallingSession? {
    sessions.withLock { sessions in
      guard let session = sessions[peer], session.principal.actor.id == principal.actor.id,
        session.principal.facts.linkedIncident == principal.facts.linkedIncident
      else { return nil }
      return session
    }
  }

  func session(of peer: PeerID) -> SignallingSession? { sessions.withLock { $0[peer] } }

  /// All sessions that `isIncluded` wants.
  func all(where isIncluded: (SignallingSession) -> Bool) -> [SignallingSession] {
    sessions.withLock { $0.values.filter(isIncluded) }
  }

  func remove(_ peer: PeerID) {
    _ = sessions.withLock { $0.removeValue(forKey: peer) }
  }

  func setICESession(_ iceSession: String, of peer: PeerID) {
    sessions.withLock { $0[peer]?.iceSession = iceSession }
  }

  /// Hands a session over to another WebSocket.
  func attach(_ peer: PeerID, to connection: ConnectionID, nextCheck: MonotonicTime) {
    sessions.withLock { sessions in
      sessions[peer]?.carrier = .webSocket(connection)
      sessions[peer]?.nextCheck = nextCheck
    }
  }

  /// Whether the session's signals go through this WebSocket.
  func isCarried(_ peer: PeerID, by connection: ConnectionID) -> Bool {
    sessions.withLock { $0[peer]?.carrier == .webSocket(connection) }
  }

  /// Notes that a WebSocket is gone; nothing happens if the session has been taken over by another one since.
  func orphan(_ peer: PeerID, of connection: ConnectionID, nextCheck: MonotonicTime) {
    sessions.withLock { sessions in
      guard sessions[peer]?.carrier == .webSocket(connection) else { return }
      sessions[peer]?.carrier = .orphaned
      sessions[peer]?.nextCheck = nextCheck
    }
  }

  /// The sessions whose check is due; their next one is put off to `next`.
  func takeDue(now: MonotonicTime, next: MonotonicTime) -> [SignallingSession] {
    sessions.withLock { sessions in
      let due = sessions.values.filter { $0.nextCheck <= now }
      for session in due {
        sessions[session.peer]?.nextCheck = next
      }
      return due
    }
  }

  /// Removes a session unless a WebSocket has taken it over in the meantime; whether it did.
  func removeIfOrphaned(_ peer: PeerID) -> Bool {
    sessions.withLock { sessions in
      guard sessions[peer]?.carrier == .orphaned else { return false }
      sessions[peer] = nil
      return true
    }
  }
}
