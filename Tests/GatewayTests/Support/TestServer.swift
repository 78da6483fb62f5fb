import ControlRoom
import Cryptography
import Foundation
import Gateway
import Logging
import MediaServer
import Primitives
import ServiceLifecycle
import Storage
import Synchronization
import Testing

/// A running gateway on a free port of the loopback, with a scripted media plane and clocks that stand still.
struct TestServer: Sendable {
  let port: Int
  let media: ScriptedMediaPlane
  let authority: TokenAuthority
  let desks: GatewayDesks
  let gateway: GatewayServer
  let log: LogRecorder
  let shutdown: @Sendable () async -> Void

  static let now = UnixTime(seconds: 1_800_000_000)
  static let incident = "inc-1"

  static func makeAuthority(_ fill: UInt8 = 1) throws -> TokenAuthority {
    let key = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: fill, count: 32)))
    return TokenAuthority(signingKey: key)
  }

  /// A token for ``incident`` that is valid for a quarter of an hour.
  func token(
    incident: String = incident, _ directions: MediaPermissions = [.publish, .subscribe], subject: String = "anna",
    id: String = "t-1", lifetime: Int64 = 900
  ) throws -> String {
    let token = AccessToken(
      subject: subject, name: "Anna", incident: try #require(IncidentID(incident)), directions: directions,
      kind: .caller, issuedAt: Self.now + min(0, lifetime - 1), expiresAt: Self.now + lifetime, tokenID: id)
    return authority.sign(token)
  }

  func bearer(_ directions: MediaPermissions = [.publish, .subscribe], subject: String = "anna") throws -> (
    String, String
  ) {
    ("Authorization", "Bearer \(try token(directions, subject: subject, id: "t-\(subject)"))")
  }

  /// One request on a connection of its own.
  func send(
    _ method: String, _ target: String, _ headers: [(String, String)] = [], body: String? = nil
  ) async throws -> HTTPAnswer {
    let connection = try await RawConnection.open(port: port)
    let answer = try await connection.request(method, target, headers, body: body)
    await connection.close()
    return try #require(answer)
  }

  func webSocket(_ token: String? = nil, headers: [(String, String)] = []) async throws -> WebSocketClient {
    let target = try "/ws?token=\(token ?? self.token())"
    return try await WebSocketClient.open(port: port, target: target, headers: headers)
  }
}

/// A folder that a test has to itself.
struct TemporaryFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("sightline-test-\(UUID().uuidString)")

  func remove() { try? FileManager.default.removeItem(at: url) }
}

/// A control room on an empty store, whose wall clock stands still.
func makeDesks(
  _ storage: SQLiteStorage, _ folder: TemporaryFolder, _ media: ScriptedMediaPlane, _ limits: GatewayLimits,
  _ clock: GatewayClock
) throws -> GatewayDesks {
  let secrets = try #require(SecretBox(key: [UInt8](repeating: 7, count: SecretBox.keyLength)))
  var roomClock = ControlRoomClock.system
  roomClock.wall = { UTCTime(seconds: TestServer.now.seconds) }
  let room = try ControlRoom(storage: storage, agency: "agency", secrets: secrets, clock: roomClock) { error in
    Issue.record("the store failed: \(error)")
  }
  let files = try FileStore(folder: folder.url.appendingPathComponent("files"))
  let sealingKey = try #require(Ed25519PrivateKey(seed: [UInt8](repeating: 8, count: Ed25519PrivateKey.seedLength)))
  let library = ArchiveLibrary(archives: folder.url.appendingPathComponent("archive"))
  let fileDesk = FileDesk(room: room, store: files, scanner: nil)
  let settings = try SettingsDesk(room: room, standard: ServiceSettings())
  let sender = LinkSender(room: room, sms: nil, mail: nil, settings: settings, receiptKey: [1])
  let webhooks = try WebhookDesk(room: room, storage: storage)
  let keeping = ArchiveKeeping(room: room, archive: folder.url.appendingPathComponent("archive")) {
    throw StorageError(.unavailable, "nothing is deleted here")
  }
  let desks = GatewayDesks(
    room: room, links: try LinkDesk(room: room, storage: storage), files: fileDesk,
    archive: ArchiveDesks(
      replays: ReplayDesk(room: room, library: library),
      exports: ExportDesk(
        room: room,
        sources: PackageSources(
          storage: storage, archives: folder.url.appendingPathComponent("archive").path, files: files,
          media: FilePackageMedia(envelopeKey: nil)
        ) { PackageKeys(signing: sealingKey, known: []) }, folder: folder.url.appendingPathComponent("exports").path,
        requiresApproval: false),
      stills: StillDesk(room: room, library: library, files: fileDesk, recorder: nil),
      keeping: keeping),
    sender: sender, webhooks: webhooks,
    administration: AdministrationDesks(
      settings: settings,
      health: HealthDesk(
        room: room, sources: HealthSources(media: media, sender: sender, webhooks: webhooks, space: keeping.space))
    ) { KeyReport(linkKey: "", archiveKeys: [], encryptsArchives: false, backups: []) }, media: media,
    limits: limits, clock: clock)
  desks.start()
  return desks
}

/// Runs `body` against a server, and stops the server gracefully afterwards.
func withServer(
  _ configuration: GatewayConfiguration = .init(), _ body: @Sendable (TestServer) async throws -> Void
) async throws {
  let media = ScriptedMediaPlane()
  let folder = TemporaryFolder()
  defer { folder.remove() }
  let log = LogRecorder()
  let authority = try TestServer.makeAuthority()
  var clock = GatewayClock.system
  clock.wall = { TestServer.now }
  let storage = try SQLiteStorage(folder: folder.url)
  let desks = try makeDesks(storage, folder, media, configuration.limits, clock)
  let gateway = try GatewayServer(
    configuration: configuration, media: media, desks: desks, authority: authority,
    logger: Logger(label: "gateway") { _ in log.handler }, clock: clock)
  let group = ServiceGroup(
    configuration: .init(services: [gateway], logger: Logger(label: "test") { _ in log.handler }))
  try await withThrowingTaskGroup(of: Void.self) { tasks in
    tasks.addTask { try await group.run() }
    let port = try await gateway.boundPort()
    let server = TestServer(
      port: port, media: media, authority: authority, desks: desks, gateway: gateway, log: log,
      shutdown: { await group.triggerGracefulShutdown() })
    do {
      try await body(server)
    } catch {
      await group.triggerGracefulShutdown()
      throw error
    }
    await group.triggerGracefulShutdown()
    try await tasks.waitForAll()
  }
}

/// Keeps what is logged.
final class LogRecorder: Sendable {
  private let recorded = Mutex<[String]>([])

  var lines: [String] { recorded.withLock { $0 } }

  var handler: any LogHandler { Handler(recorder: self) }

  private struct Handler: LogHandler {
    let recorder: LogRecorder
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let all = metadata.merging(event.metadata ?? [:]) { $1 }
      let fields = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
      recorder.recorded.withLock { $0.append("\(event.level) \(event.message) \(fields)") }
    }
  }
}
