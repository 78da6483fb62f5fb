import ControlRoom
import Incidents
import Logging
import MediaServer
import Primitives

/// What the parts of the gateway share; made once by ``GatewayServer``.
struct GatewayServices: Sendable {
  let limits: GatewayLimits
  let publicBaseURL: String?
  let usesTLS: Bool
  let media: any MediaPlane
  let room: ControlRoom
  let links: LinkDesk
  let files: FileDesk
  let archive: ArchiveDesks
  let networkLocations: NetworkLocationDesk
  let sender: LinkSender
  let webhooks: WebhookDesk
  let administration: AdministrationDesks
  let exercises: ExerciseDesk
  let agency: AgencyIdentity
  let authority: TokenAuthority
  let sessions: SessionDirectory
  let gatekeeper: Gatekeeper
  let signaller: Signaller
  let journalist: MediaJournalist
  let iceServerIssuer: ICEServerIssuer
  let metrics: GatewayMetrics
  let clock: GatewayClock

  init(
    configuration: GatewayConfiguration, media: any MediaPlane, desks: GatewayDesks, authority: TokenAuthority,
    clock: GatewayClock
  ) {
    limits = configuration.limits
    publicBaseURL = configuration.publicBaseURL
    if case .files = configuration.tls { usesTLS = true } else { usesTLS = false }
    self.media = media
    self.authority = authority
    self.clock = clock
    (room, links, files, archive) = (desks.room, desks.links, desks.files, desks.archive)
    (networkLocations, sender, webhooks) = (desks.networkLocations, desks.sender, desks.webhooks)
    administration = desks.administration
    exercises = desks.exercises
    agency = configuration.agency
    metrics = GatewayMetrics()
    sessions = desks.sessions
    journalist = desks.journalist
    gatekeeper = Gatekeeper(
      authority: authority, room: room, links: links, metrics: metrics, clock: clock,
      maximumFailures: limits.maximumTokenFailures)
    signaller = Signaller(
      media: media, sessions: sessions, room: room, journalist: journalist, priorities: desks.priorities,
      clock: clock, checkInterval: TimeInterval64(limits.sessionCheckInterval))
    iceServerIssuer = ICEServerIssuer(configuration.turn)
  }

  /// The ICE servers for somebody, with credentials that start now.
  func iceServers(for principal: Principal) -> [ICEServer] {
    iceServerIssuer.servers(for: principal.link ?? principal.actor.id, at: clock.wall())
  }

  var sweeper: SessionSweeper {
    SessionSweeper(
      signaller: signaller, sessions: sessions, clock: clock,
      checkInterval: TimeInterval64(limits.sessionCheckInterval),
      tick: min(limits.resumeGrace, limits.sessionCheckInterval) / 8)
  }
}

/// What the gateways of one node share, so that a call that came in by one listener is seen by all.
package struct GatewayDesks: Sendable {
  package let room: ControlRoom
  package let links: LinkDesk
  package let files: FileDesk
  package let archive: ArchiveDesks
  package let sender: LinkSender
  package let webhooks: WebhookDesk
  package let administration: AdministrationDesks
  package let exercises: ExerciseDesk
  let networkLocations: NetworkLocationDesk
  let sessions: SessionDirectory
  let journalist: MediaJournalist
  let priorities: PriorityHerald
  private let signaller: Signaller
  private let channels: ChannelCarriers

  package init(
    room: ControlRoom, links: LinkDesk, files: FileDesk, archive: ArchiveDesks, sender: LinkSender,
    webhooks: WebhookDesk, administration: AdministrationDesks, media: any MediaPlane, limits: GatewayLimits = .init(),
    clock: GatewayClock = .system
  ) {
    self.room = room
    self.links = links
    self.files = files
    self.archive = archive
    self.sender = sender
    self.webhooks = webhooks
    self.administration = administration
    networkLocations = NetworkLocationDesk(room: room)
    exercises = ExerciseDesk(room: room)
    sessions = SessionDirectory(maximumSessions: limits.maximumSessions)
    journalist = MediaJournalist(media: media, room: room, sessions: sessions, clock: clock)
    priorities = PriorityHerald(media: media, room: room)
    signaller = Signaller(
      media: media, sessions: sessions, room: room, journalist: journalist, priorities: priorities, clock: clock,
      checkInterval: TimeInterval64(limits.sessionCheckInterval))
    channels = ChannelCarriers(media: media, room: room, sessions: sessions)
  }

  /// Begins to hold media to the rights and priorities of the moment and to listen on data channels; call it once.
  package func start() {
    channels.start()
    priorities.start()
    MediaFollower(room: room, sessions: sessions, signaller: signaller).start()
  }

  /// Opens a session for a peer of this process, as if its offer had come over HTTP.
  package func connect(offer: String, by link: SignedLink) async throws -> PeerAnswer {
    let principal = try await links.admit(link, key: nil, starts: true)
    return try await signaller.connect(
      offer: offer, by: principal, in: link.incident, wanted: link.directions, carrier: .http)
  }
}

extension TimeInterval64 {
  /// As long as `duration`, in whole nanoseconds.
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .init(nanoseconds: seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
  }
}
