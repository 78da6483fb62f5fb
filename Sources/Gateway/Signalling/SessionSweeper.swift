import MediaServer
import Primitives

/// Compares sessions with the media plane from time to time: forgets those that are over and ends those whose page did
/// not come back and whose media is gone as well.
///
/// A session without its WebSocket but with running media is kept: a broken signalling path must not cost the picture.
struct SessionSweeper: Sendable {
  let signaller: Signaller
  let sessions: SessionDirectory
  let clock: GatewayClock
  let checkInterval: TimeInterval64
  let tick: Duration

  /// Sweeps until cancelled.
  func run() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: tick)
      if Task.isCancelled { return }
      await sweep()
    }
  }

  /// One round over the sessions that are due.
  func sweep() async {
    let now = clock.monotonic()
    let due = sessions.takeDue(now: now, next: now + checkInterval)
    for (incident, members) in Dictionary(grouping: due, by: \.incident) {
      let overview = await signaller.media.overview(of: incident)
      let states = Dictionary(overview.peers.map { ($0.id, $0.state) }, uniquingKeysWith: { $1 })
      for session in members {
        await settle(session, state: states[session.peer])
      }
    }
  }

  private func settle(_ session: SignallingSession, state: PeerState?) async {
    switch state {
    case nil, .closed:
      sessions.remove(session.peer)
    case .connected:
      break
    case .connecting, .interrupted:
      if sessions.removeIfOrphaned(session.peer) {
        await signaller.media.disconnect(session.peer, reason: "the page did not come back")
      }
    }
  }
}
