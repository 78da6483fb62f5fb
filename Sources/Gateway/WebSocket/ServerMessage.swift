import MediaServer
import Primitives

/// What the server says on a `sightline.v1` WebSocket; Gateway.docc/WebSocket.md describes each.
enum ServerMessage: Sendable {
  case welcome(Welcome)
  case answer(PeerAnswer)
  case restarted(RestartAnswer)
  case resumed(peer: PeerID, iceSession: String)
  case overview(IncidentMedia, of: IncidentID)
  case news(MediaEvent, of: IncidentID)
  case error(Problem)
  case pong

  /// What a client learns first.
  struct Welcome: Encodable, Sendable {
    /// The incident of the link; none for accounts.
    var incident: String?
    /// Who the client is in the journal.
    var actor: String
    var name: String
    var role: String
    var permissions: [String]
    var iceServers: [ICEServer]
    /// Seconds that a session waits for its page to come back.
    var resumeGrace: Int
    /// Whether what is sent is recorded: callers are told before they start.
    var recorded: Bool
  }

  /// The JSON text in its envelope.
  func text(inReplyTo id: String? = nil) -> String {
    JSONText.encode(ServerEnvelope(inReplyTo: id, message: self))
  }
}

/// A server's message in its envelope: the parts of the message stand beside `v` and `kind`.
private struct ServerEnvelope: Encodable {
  var inReplyTo: String?
  var message: ServerMessage

  private enum Key: String, CodingKey {
    case v, kind, inReplyTo, incident
    case peer, sdp, iceSession, fragment, peers, sources, source, from, channel, text, code
    case slot, media, shows, layer, reason, linkBitsPerSecond
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(ClientEnvelope.version, forKey: .v)
    try object.encodeIfPresent(inReplyTo, forKey: .inReplyTo)
    switch message {
    case .welcome(let welcome):
      try object.encode("welcome", forKey: .kind)
      try welcome.encode(to: encoder)
    case .overview(let media, let incident):
      try object.encode("overview", forKey: .kind)
      try object.encode(incident.value, forKey: .incident)
      try object.encode(media.peers.map(PeerView.init), forKey: .peers)
      try object.encode(media.sources.map(SourceView.init), forKey: .sources)
    case .answer, .restarted, .resumed, .error, .pong:
      try encodeReply(into: &object)
    case .news(let event, let incident):
      try object.encode(incident.value, forKey: .incident)
      try Self.encode(event, into: &object)
    }
  }

  private func encodeReply(into object: inout KeyedEncodingContainer<Key>) throws {
    switch message {
    case .answer(let answer):
      try object.encode("answer", forKey: .kind)
      try object.encode(answer.peer.description, forKey: .peer)
      try object.encode(answer.sdp, forKey: .sdp)
      try object.encode(answer.iceSession, forKey: .iceSession)
    case .restarted(let answer):
      try object.encode("restarted", forKey: .kind)
      try object.encode(answer.fragment, forKey: .fragment)
      try object.encode(answer.iceSession, forKey: .iceSession)
    case .resumed(let peer, let iceSession):
      try object.encode("resumed", forKey: .kind)
      try object.encode(peer.description, forKey: .peer)
      try object.encode(iceSession, forKey: .iceSession)
    case .error(let problem):
      try object.encode("error", forKey: .kind)
      try object.encode(problem.code.rawValue, forKey: .code)
      try object.encode(problem.detail, forKey: .text)
    case .pong:
      try object.encode("pong", forKey: .kind)
    case .welcome, .overview, .news:
      preconditionFailure("not a reply: \(message)")
    }
  }

  private static func encode(_ event: MediaEvent, into object: inout KeyedEncodingContainer<Key>) throws {
    switch event {
    case .peerChanged(let peer):
      try object.encode("peer", forKey: .kind)
      try object.encode(PeerView(peer), forKey: .peer)
    case .sourceChanged(let source):
      try object.encode("source", forKey: .kind)
      try object.encode(SourceView(source), forKey: .source)
    case .sourceRemoved(let source):
      try object.encode("sourceRemoved", forKey: .kind)
      try object.encode(source.description, forKey: .source)
    case .viewChanged(let peer, let slot, let view):
      try object.encode("view", forKey: .kind)
      try object.encode(peer.description, forKey: .peer)
      try object.encode(slot, forKey: .slot)
      try encode(view, into: &object)
    case .message(let peer, let channel, let text):
      try object.encode("message", forKey: .kind)
      try object.encode(peer.description, forKey: .from)
      try object.encode(channel, forKey: .channel)
      try object.encode(text, forKey: .text)
    }
  }

  private static func encode(_ view: SlotView, into object: inout KeyedEncodingContainer<Key>) throws {
    try object.encode(view.source.description, forKey: .source)
    try object.encode(view.kind.rawValue, forKey: .media)
    try object.encode(view.shows.word, forKey: .shows)
    try object.encodeIfPresent(view.shows.layer, forKey: .layer)
    try object.encodeIfPresent(view.reason?.rawValue, forKey: .reason)
    try object.encodeIfPresent(view.linkBitsPerSecond, forKey: .linkBitsPerSecond)
  }
}

/// One of a source's layers as clients see it; bits per second, pixels.
private struct LayerView: Encodable {
  var rid: String?
  var spatial: Int
  var temporal: Int
  var bitrate: Int
  var width: Int?
  var height: Int?

  init(_ layer: LayerOverview) {
    rid = layer.rid
    spatial = layer.spatial
    temporal = layer.temporal
    bitrate = layer.bitrate
    width = layer.width
    height = layer.height
  }
}

/// A peer as clients see it.
private struct PeerView: Encodable {
  var id: String
  var name: String
  var actor: String
  var part: String
  var permissions: [String]
  var state: String
  var reason: String?

  init(_ peer: PeerOverview) {
    id = peer.id.description
    name = peer.name
    actor = peer.actor
    part = peer.part.rawValue
    permissions = peer.permissions.names
    switch peer.state {
    case .connecting: state = "connecting"
    case .connected: state = "connected"
    case .interrupted: state = "interrupted"
    case .closed(let text):
      state = "closed"
      reason = text
    }
  }
}

/// A source as clients see it; bits per second.
private struct SourceView: Encodable {
  var id: String
  var peer: String
  var kind: String
  /// Only for sound while somebody speaks.
  var speaking: Bool?
  var state: String
  var codec: String?
  var bitrate: Int
  /// Poorest first; left out while there are none.
  var layers: [LayerView]?

  init(_ source: SourceOverview) {
    id = source.id.description
    peer = source.peer.description
    kind = source.kind.rawValue
    speaking = source.isSpeaking ? true : nil
    state = source.state.rawValue
    codec = source.codec
    bitrate = source.bitrate
    layers = source.layers.isEmpty ? nil : source.layers.map(LayerView.init)
  }
}
