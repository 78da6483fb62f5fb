import Logging
import MediaServer
import Primitives

/// What the parts of the gateway share; made once by ``GatewayServer``.
struct GatewayServices: Sendable {
  let limits: GatewayLimits
  let publicBaseURL: String?
  let media: any MediaPlane
  let sessions: SessionDirectory
  let gatekeeper: Gatekeeper
  let signaller: Signaller
  let iceServerIssuer: ICEServerIssuer
  let metrics: GatewayMetrics
  let clock: GatewayClock

  init(
    configuration: GatewayConfiguration, media: any MediaPlane, authority: TokenAuthority, clock: GatewayClock
  ) {
    limits = configuration.limits
    publicBaseURL = configuration.publicBaseURL
    self.media = media
    self.clock = clock
    metrics = GatewayMetrics()
    sessions = SessionDirectory(maximumSessions: limits.maximumSessions)
    gatekeeper = Gatekeeper(
      authority: authority, sessions: sessions, metrics: metrics, clock: clock,
      maximumFailures: limits.maximumTokenFailures)
    signaller = Signaller(
      media: media, sessions: sessions, clock: clock, checkInterval: TimeInterval64(limits.sessionCheckInterval))
    iceServerIssuer = ICEServerIssuer(configuration.turn)
  }

  /// The ICE servers for a token's bearer, with credentials that start now.
  func iceServers(for token: AccessToken) -> [ICEServer] {
    iceServerIssuer.servers(for: token.tokenID, at: clock.wall())
  }

  var sweeper: SessionSweeper {
    SessionSweeper(
      signaller: signaller, sessions: sessions, clock: clock,
      checkInterval: TimeInterval64(limits.sessionCheckInterval),
      tick: min(limits.resumeGrace, limits.sessionCheckInterval) / 8)
  }
}

extension TimeInterval64 {
  /// As long as `duration`, in whole nanoseconds.
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .init(nanoseconds: seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
  }
}
