import Logging
import MediaServer
import Primitives

/// One WebSocket from hello to goodbye: its messages become steps of signalling, the incident's events its news.
struct CallSession: Sendable {
  let services: GatewayServices
  let connection: WebSocketConnection
  let connectionID: ConnectionID
  let remoteAddress: String
  let logger: Logger

  /// Serves the connection until it ends.
  ///
  /// The media session outlives it for the grace time, unless the client said bye.
  func run(presentedToken: String?) async {
    var messages = connection.messages.makeAsyncIterator()
    let token: AccessToken
    do {
      let presented = if let presentedToken { presentedToken } else { await hello(&messages) }
      token = try services.gatekeeper.admit(presented, from: remoteAddress)
    } catch {
      connection.send(.error(error))
      connection.close(.refused(error))
      return
    }
    logger.info(
      "websocket", metadata: ["role": .string(token.kind.rawValue), "from": .string(remoteAddress)])
    connection.send(.welcome(welcome(token)))
    let peer = await withTaskGroup { group in
      group.addTask { await reportEvents(of: token.incident) }
      let peer = await converse(token, &messages)
      group.cancelAll()
      return peer
    }
    if let peer {
      services.sessions.orphan(
        peer, of: connectionID, nextCheck: services.clock.monotonic() + TimeInterval64(services.limits.resumeGrace))
    }
  }

  private func welcome(_ token: AccessToken) -> ServerMessage.Welcome {
    .init(
      incident: token.incident.value, name: token.name, role: token.kind.rawValue,
      permissions: token.directions.names, iceServers: services.iceServers(for: token),
      resumeGrace: Int(services.limits.resumeGrace.components.seconds))
  }

  /// The token of the first message, when the address carried none; nil when the client says something else or nothing.
  private func hello(_ messages: inout AsyncStream<String>.Iterator) async -> String? {
    connection.limitSilence(to: services.limits.helloTimeout, .refused(.missingToken))
    guard let text = await messages.next(),
      let envelope = try? ClientEnvelope(parsing: text, limits: services.limits),
      case .hello(let token) = envelope.message
    else { return nil }
    return token
  }

  /// Sends what the incident's media is now, then what happens to it.
  private func reportEvents(of incident: IncidentID) async {
    let events = await services.media.events(of: incident)
    connection.send(.overview(await services.media.overview(of: incident)))
    for await event in events {
      connection.send(ServerMessage(event))
    }
  }

  // MARK: - Conversation

  /// Handles message after message; returns the media session that is left without its WebSocket.
  private func converse(_ token: AccessToken, _ messages: inout AsyncStream<String>.Iterator) async -> PeerID? {
    var peer: PeerID?
    while let text = await messages.next() {
      var id: String?
      do {
        let envelope = try parse(text, &id)
        if case .bye = envelope.message {
          await end(peer, reason: "ended by its client")
          connection.close(.normal)
          return nil
        }
        if let reply = try await reply(to: envelope.message, token, &peer) {
          connection.send(reply, inReplyTo: id)
        }
      } catch {
        connection.send(.error(error), inReplyTo: id)
      }
    }
    return peer
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
    to message: ClientMessage, _ token: AccessToken, _ peer: inout PeerID?
  ) async throws(Problem) -> ServerMessage? {
    switch message {
    case .hello:
      throw Problem(.badRequest, "This connection is signed in already.")
    case .offer(let sdp):
      return .answer(try await connect(sdp, token, &peer))
    case .candidate(let fragment):
      try await services.signaller.trickle(require(peer), fragment: fragment)
      return nil
    case .restart(let fragment):
      return .restarted(try await services.signaller.restart(require(peer), fragment: fragment))
    case .select(let slot, let source):
      try await services.signaller.select(source, on: slot, of: require(peer))
      return nil
    case .resume(let wanted):
      return try await resume(wanted, token, &peer)
    case .ping:
      return .pong
    case .bye:
      return nil
    }
  }

  /// One media session a WebSocket: a new offer takes the place of the former session.
  private func connect(_ sdp: String, _ token: AccessToken, _ peer: inout PeerID?) async throws(Problem) -> PeerAnswer {
    let answer = try await services.signaller.connect(
      offer: sdp, by: token, permissions: token.directions, carrier: .webSocket(connectionID))
    await end(peer, reason: "replaced by a new offer")
    peer = answer.peer
    return answer
  }

  private func resume(_ wanted: PeerID, _ token: AccessToken, _ peer: inout PeerID?) async throws(Problem)
    -> ServerMessage
  {
    guard let session = services.sessions.find(wanted, ownedBy: token) else { throw .unknownSession }
    services.sessions.attach(
      wanted, to: connectionID, nextCheck: services.clock.monotonic() + services.signaller.checkInterval)
    if peer != wanted { await end(peer, reason: "replaced by a resumed session") }
    peer = wanted
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
