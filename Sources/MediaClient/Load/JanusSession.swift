import Foundation

/// One session with one plugin handle of Janus' HTTP API.
struct JanusSession: Sendable {
  private let http: HTTPExchange
  /// Of the session; the handle's is below it.
  private let address: String
  private var handle: UInt64 = 0
  var keeper: Task<Void, Never>?

  /// Events of others that may come before the awaited one.
  private static let maximumForeignEvents = 64

  /// Creates a session.
  init(_ http: HTTPExchange, _ server: String) async throws {
    self.http = http
    let reply = try await Self.post(http, server, JanusRequest("create"))
    guard let id = reply.data?.id else { throw ClientError("Janus made no session.") }
    address = "\(server)/\(id)"
  }

  /// Attaches the handle that everything else goes through.
  mutating func attach(_ plugin: String) async throws {
    var request = JanusRequest("attach")
    request.plugin = plugin
    guard let id = try await Self.post(http, address, request).data?.id else {
      throw ClientError("Janus has no \(plugin).")
    }
    handle = id
  }

  /// A request that is answered at once.
  func ask(_ body: JanusBody) async throws -> JanusReply {
    var request = JanusRequest("message")
    request.body = body
    return try await Self.post(http, "\(address)/\(handle)", request).checked()
  }

  /// A request whose answer comes as an event.
  func wait(for body: JanusBody, jsep: JanusDescription?) async throws -> JanusReply {
    var request = JanusRequest("message")
    request.body = body
    request.jsep = jsep
    _ = try await Self.post(http, "\(address)/\(handle)", request)
    for _ in 0..<Self.maximumForeignEvents {
      let event = try await Self.decode(http.send("GET", "\(address)?maxev=1"))
      if event.transaction == request.transaction, event.janus == "event" { return try event.checked() }
    }
    throw ClientError("Janus did not answer \(body.request).")
  }

  func keepAlive() async throws {
    _ = try await Self.post(http, address, JanusRequest("keepalive"))
  }

  func destroy() async throws {
    _ = try await Self.post(http, address, JanusRequest("destroy"))
  }

  private static func post(_ http: HTTPExchange, _ address: String, _ request: JanusRequest) async throws -> JanusReply
  {
    let body = try JSONEncoder().encode(request)
    return try await decode(http.send("POST", address, type: "application/json", body: body)).checked()
  }

  private static func decode(_ reply: HTTPExchange.Reply) throws -> JanusReply {
    try JSONDecoder().decode(JanusReply.self, from: Data(reply.body.utf8))
  }
}

/// A request as Janus wants it; absent fields are left out.
struct JanusRequest: Encodable, Sendable {
  var janus: String
  var transaction = UUID().uuidString
  var plugin: String?
  var body: JanusBody?
  var jsep: JanusDescription?

  init(_ janus: String) {
    self.janus = janus
  }
}

/// What the video room plugin is asked.
struct JanusBody: Encodable, Sendable {
  var request: String
  var ptype: String?
  var room: UInt64?
  var feed: UInt64?
  var publishers: Int?
  var audiocodec: String?
  var videocodec: String?
  var bitrate: Int?

  init(_ request: String) {
    self.request = request
  }
}

/// An offer or an answer.
struct JanusDescription: Codable, Sendable {
  var type: String
  var sdp: String
}

/// A reply or an event, as far as we look at it.
struct JanusReply: Decodable, Sendable {
  struct Identified: Decodable, Sendable {
    var id: UInt64
  }

  struct PluginData: Decodable, Sendable {
    var data: RoomData
  }

  struct RoomData: Decodable, Sendable {
    var room: UInt64?
    /// The publisher that we have become.
    var id: UInt64?
    var error: String?
  }

  struct Failure: Decodable, Sendable {
    var code: Int
    var reason: String
  }

  var janus: String
  var transaction: String?
  var data: Identified?
  var plugindata: PluginData?
  var jsep: JanusDescription?
  var error: Failure?

  /// Itself, unless it tells of a failure.
  func checked() throws -> JanusReply {
    if let error { throw ClientError("Janus: \(error.reason) (\(error.code))") }
    if let text = plugindata?.data.error { throw ClientError("Janus: \(text)") }
    return self
  }
}
