import ControlRoom
import Incidents
import JSON
import Logging
import MediaServer
import Primitives

/// One WebSocket from hello to goodbye: signalling of one media session, and the metadata channel of everything that its
/// bearer may follow.
struct CallSession: Sendable {
  let services: GatewayServices
  let connection: WebSocketConnection
  let connectionID: ConnectionID
  let remoteAddress: String
  let logger: Logger

  /// What a connection knows of itself while it lasts.
  private struct Conversation {
    let principal: Principal
    let metadata: MetadataSession
    var peer: PeerID?
    /// Incidents whose media news are sent.
    var reported: Set<IncidentID> = []
  }

  /// Serves the connection until it ends.
  ///
  /// The media session outlives it for the grace time, unless the client said bye.
  func run(_ request: UpgradeRequest) async {
    var messages = connection.messages.makeAsyncIterator()
    let principal: Principal
    do {
      principal = try await admit(request, &messages)
    } catch {
      connection.send(.error(error))
      connection.close(.refused(error))
      return
    }
    logger.info("websocket", metadata: ["role": .string(principal.role.rawValue), "from": .string(remoteAddress)])
    connection.send(.welcome(welcome(principal)))
    let metadata = MetadataSession(room: services.room, principal: principal, sink: WebSocketSink(connection))
    let peer = await withDiscardingTaskGroup { group in
      var conversation = Conversation(principal: principal, metadata: metadata)
      if let incident = principal.facts.linkedIncident { await report(incident, &conversation, &group) }
      await converse(&messages, &conversation, &group)
      group.cancelAll()
      return conversation.peer
    }
    await metadata.end()
    if let peer {
      services.sessions.orphan(
        peer, of: connectionID, nextCheck: services.clock.monotonic() + TimeInterval64(services.limits.resumeGrace))
    }
  }

  private func welcome(_ principal: Principal) -> ServerMessage.Welcome {
    .init(
      incident: principal.facts.linkedIncident?.value, actor: principal.actor.id, name: principal.actor.name,
      role: principal.role.rawValue, permissions: principal.directions.names,
      iceServers: services.iceServers(for: principal), resumeGrace: Int(services.limits.resumeGrace.components.seconds),
      recorded: services.archive.late != nil)
  }

  /// Who it is: by the handshake, or by a first message `hello`.
  private func admit(
    _ request: UpgradeRequest, _ messages: inout AsyncStream<String>.Iterator
  ) async throws(Problem) -> Principal {
    var credentials = request.credentials
    var key = request.key
    if case .none = credentials, let hello = await hello(&messages) { (credentials, key) = hello }
    return try await services.gatekeeper.admit(credentials, from: remoteAddress, key: key, starts: true)
  }

  /// The token and key of the first message; nil when the client says something else or nothing.
  private func hello(_ messages: inout AsyncStream<String>.Iterator) async -> (Credentials, key: String?)? {
    connection.limitSilence(to: services.limits.helloTimeout, .refused(.missingToken))
    guard let text = await messages.next(),
      let envelope = try? ClientEnvelope(parsing: text, limits: services.limits),
      case .hello(let token, let key) = envelope.message
    else { return nil }
    return (.token(token), key)
  }

  // MARK: - News

  /// Sends what the incident's media is now, then what happens to it, for as long as its bearer may see it.
  private func report(
    _ incident: IncidentID, _ conversation: inout Conversation, _ group: inout DiscardingTaskGroup
  ) async {
    let place = services.room.destination(of: incident)
    let principal = conversation.principal
    guard !services.room.presentMediaRights(of: principal, in: place).isEmpty else { return }
    guard conversation.reported.insert(place).inserted else { return }
    group.addTask {
      let events = await services.media.events(of: place)
      connection.send(.overview(await services.media.overview(of: place), of: place))
      for await event in events {
        guard !services.room.presentMediaRights(of: principal, in: place).isEmpty else { return }
        if isMeant(event, for: principal) { connection.send(.news(event, of: place)) }
      }
    }
  }

  /// How much somebody sees of a picture is for themselves and for the control room, which answers for the whole.
  private func isMeant(_ event: MediaEvent, for principal: Principal) -> Bool {
    switch event {
    case .peerChanged, .sourceChanged, .sourceRemoved, .message: true
    case .viewChanged(let peer, _, _):
      Audience(principal.role) == .staff || services.sessions.find(peer, ownedBy: principal) != nil
    }
  }

  // MARK: - Conversation

  /// Handles message after message until the client is gone or has said bye.
  private func converse(
    _ messages: inout AsyncStream<String>.Iterator, _ conversation: inout Conversation,
    _ group: inout DiscardingTaskGroup
  ) async {
    while let text = await messages.next() {
      let glance = ClientMetadata.Glance(text)
      // A ping is the page's doing; whatever else comes is its owner's.
      guard glance.kind == "ping" || services.room.signIns.noteActivity(of: conversation.principal) else {
        return connection.close(.refused(Problem(.sessionLocked)))
      }
      guard let kind = glance.kind, ClientEnvelope.kinds.contains(kind) else {
        await conversation.metadata.receive(text)
        if glance.kind == "subscribe", let incident = glance.incident { await report(incident, &conversation, &group) }
        continue
      }
      var id: String?
      do {
        let envelope = try parse(text, &id)
        if case .bye = envelope.message {
          await end(conversation.peer, reason: Signaller.endedByClient)
          conversation.peer = nil
          return connection.close(.normal)
        }
        if case .offer(_, let incident?) = envelope.message { await report(incident, &conversation, &group) }
        if let reply = try await reply(to: envelope.message, &conversation) {
          connection.send(reply, inReplyTo: id)
        }
      } catch {
        connection.send(.error(error), inReplyTo: id)
      }
    }
  }

  private func parse(_ text: String, _ id: inout String?) throws(Problem) -> ClientEnvelope {
    do {
      let envelope = try ClientEnvelope(parsing: text, limits: services.limits)
      id = envelope.id
      return envelope
    } catch {
      id = error.id
      throw Problem(error.reason)
    }
  }

  private func reply(
    to message: ClientMessage, _ conversation: inout Conversation
  ) async throws(Problem) -> ServerMessage? {
    let peer = conversation.peer
    switch message {
    case .hello:
      throw Problem(.badRequest, "This connection is signed in already.")
    case .offer(let sdp, let incident):
      return .answer(try await connect(sdp, incident, &conversation))
    case .candidate(let fragment):
      try await services.signaller.trickle(require(peer), fragment: fragment)
      return nil
    case .restart(let fragment):
      return .restarted(try await services.signaller.restart(require(peer), fragment: fragment))
    case .select(let slot, let source):
      try await services.signaller.select(source, on: slot, of: require(peer))
      return nil
    case .resume(let wanted):
      return try await resume(wanted, &conversation)
    case .ping:
      return .pong
    case .bye:
      return nil
    }
  }

  /// One media session a WebSocket: a new offer takes the place of the former session.
  private func connect(
    _ sdp: String, _ incident: IncidentID?, _ conversation: inout Conversation
  ) async throws(Problem) -> PeerAnswer {
    let principal = conversation.principal
    guard let incident = principal.facts.linkedIncident ?? incident else {
      throw Problem(.badRequest, "Say which incident the offer is for: incident.")
    }
    let answer = try await services.signaller.connect(
      offer: sdp, by: principal, in: incident, wanted: [.publish, .subscribe], carrier: .webSocket(connectionID))
    await end(conversation.peer, reason: "replaced by a new offer")
    conversation.peer = answer.peer
    return answer
  }

  private func resume(
    _ wanted: PeerID, _ conversation: inout Conversation
  ) async throws(Problem) -> ServerMessage {
    guard let session = services.sessions.find(wanted, ownedBy: conversation.principal) else { throw .unknownSession }
    services.sessions.attach(
      wanted, to: connectionID, nextCheck: services.clock.monotonic() + services.signaller.checkInterval)
    if conversation.peer != wanted { await end(conversation.peer, reason: "replaced by a resumed session") }
    conversation.peer = wanted
    return .resumed(peer: wanted, iceSession: session.iceSession)
  }

  /// Ends a media session, unless another WebSocket has taken it over.
  private func end(_ peer: PeerID?, reason: String) async {
    guard let peer, services.sessions.isCarried(peer, by: connectionID) else { return }
    await services.signaller.disconnect(peer, reason: reason)
  }

  private func require(_ peer: PeerID?) throws(Problem) -> PeerID {
    guard let peer else {
      throw Problem(.unknownSession, "This connection has no session yet. Send an offer, or resume one.")
    }
    return peer
  }
}
