import ControlRoom
import Cryptography
import Foundation
import Gateway
import Incidents
import Logging
import MediaServer
import Primitives
import Recorder
import ServiceLifecycle
import Sockets
import Storage

/// One running node: the store and the control room, the media plane, and the gateway on top of them.
struct Node {
  let media: MediaServer
  let gateway: GatewayServer
  let authority: TokenAuthority
  let desks: GatewayDesks
  let logger: Logger
  private let isRealtime: Bool
  /// Where every gateway of this node has its maps from.
  let mapLibrary: String?
  private let storage: SQLiteStorage
  private let recording: Recording?
  private let failure: StorageFailure

  var room: ControlRoom { desks.room }

  init(_ options: NodeOptions, data: URL, logger: Logger) throws {
    self.logger = logger
    mapLibrary = options.face.mapLibrary
    isRealtime = options.realtime
    DescriptorLimit.raise()
    authority = try TokenKeyFile.load(from: data)
    storage = try SQLiteStorage(folder: data)
    let failure = StorageFailure()
    self.failure = failure
    let room = try ControlRoom(
      storage: storage, agency: options.agency, secrets: try Self.secrets(in: data), limits: options.controlRoomLimits,
      identity: try options.identityLimits()
    ) { failure.report($0) }
    recording =
      options.recording ? try Recording(options, room: room, storage: storage, data: data) : nil
    media = try MediaServer(try options.mediaConfiguration(recording: recording?.recorder))
    let files = try FileStore(folder: data.appendingPathComponent("files"))
    let fileDesk = FileDesk(
      room: room, store: files, scanner: options.scanCommand.flatMap { FileScanner(command: $0) })
    let settings = try SettingsDesk(room: room, standard: try options.face.settings())
    let sender = LinkSender(
      room: room, sms: try options.smsProvider(), mail: try options.mailConfiguration(), settings: settings,
      receiptKey: try KeyFile.load("secret-box-key", from: data), options: options.transferOptions)
    let webhooks = try WebhookDesk(room: room, storage: storage, options: options.transferOptions)
    let archive = try Self.archiveDesks(options, data, room, storage, files, fileDesk, recording)
    let configuration = try options.gatewayConfiguration()
    let sources = HealthSources(
      media: media, sender: sender, webhooks: webhooks, space: archive.keeping.space, recorder: recording?.statistics,
      mediaThreads: options.mediaThreads, version: SightlineCommand.configuration.version,
      certificateEnd: try configuration.tls.endOfValidity())
    desks = GatewayDesks(
      room: room, links: try LinkDesk(room: room, storage: storage), files: fileDesk, archive: archive, sender: sender,
      webhooks: webhooks,
      administration: Administration.desks(
        options, data: data, room: room, settings: settings, sources: sources, authority: authority), media: media)
    gateway = try GatewayServer(
      configuration: configuration, media: media, desks: desks, authority: authority, logger: logger)
  }

  /// The desks of recordings; the recorder may be missing, what was recorded before is there all the same.
  private static func archiveDesks(
    _ options: NodeOptions, _ data: URL, _ room: ControlRoom, _ storage: any Storage, _ store: FileStore,
    _ files: FileDesk, _ recording: Recording?
  ) throws -> ArchiveDesks {
    let archives = data.appendingPathComponent(Recording.folderName)
    let library = ArchiveLibrary(
      archives: archives, encryptionKey: try options.archiveEncryptionKey(data: data),
      publicKeys: Recording.publicKeys(data: data))
    let exports = ExportDesk(
      room: room,
      sources: Exporting.sources(
        data: data, storage: storage, files: store, envelopeKey: try Exporting.envelopeKey(in: data)),
      folder: data.appendingPathComponent(Exporting.folderName).path, requiresApproval: options.exportApproval)
    return ArchiveDesks(
      replays: ReplayDesk(room: room, library: library), exports: exports,
      stills: StillDesk(room: room, library: library, files: files, recorder: recording?.recorder),
      keeping: ArchiveKeeping(
        room: room, archive: archives, quota: try options.archiveSpace.quota(),
        signingKey: { try ArchiveKeyring(reading: data).signingKey }),
      late: recording.map { LateMediaDesk(room: room, recorder: $0.recorder, library: library) },
      recorder: recording?.statistics)
  }

  static func secrets(in data: URL) throws -> SecretBox {
    let key = try KeyFile.load("secret-box-key", from: data)
    guard let box = SecretBox(key: key) else { throw KeyFileError(path: data.path) }
    return box
  }

  /// Serves until SIGTERM or SIGINT, beside `others`; `whenReady` runs once the gateway listens.
  func run(beside others: [any Service] = [], whenReady: @escaping @Sendable (Node, String) async throws -> Void)
    async throws
  {
    try await room.start()
    for (incident, reason) in room.unreadableIncidents {
      logger.error("incident \(incident) is not served: \(reason)")
    }
    try desks.webhooks.start()
    try await desks.archive.exports.start()
    desks.start()
    let players = ExerciseCallers(desks: desks, logger: logger)
    desks.exercises.use(players)
    recording?.recorder.start()
    let services: [any Service] =
      [
        JournalService(desks: desks, storage: storage, failure: failure)
      ] + (recording.map { [RecordingService(recording: $0)] } ?? []) + [
        MediaService(media: media), players,
        HousekeepingService(keeper: Housekeeper(room: room, links: desks.links)),
        HealthService(desk: desks.administration.health),
        ArchiveKeepingService(keeping: desks.archive.keeping), ExportService(exports: desks.archive.exports), gateway,
        ReadyService(node: self, whenReady: whenReady),
      ] + others
    let group = ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }
}

extension Node {
  /// Says so when media threads were to run in real time and may not.
  fileprivate func warnOfOrdinaryThreads() async {
    guard isRealtime, await media.statistics().gauge("sightline_realtime_media_threads") == 0 else { return }
    logger.warning(
      "media threads do not run in real time: the system does not allow it (systemd: LimitRTPRIO=1; containers: SYS_NICE)"
    )
  }
}

/// Where the journal writer says that it cannot write.
private final class StorageFailure: Sendable {
  private let stream: AsyncStream<StorageError>
  private let continuation: AsyncStream<StorageError>.Continuation

  init() {
    (stream, continuation) = AsyncStream.makeStream(of: StorageError.self, bufferingPolicy: .bufferingOldest(1))
  }

  func report(_ error: StorageError) {
    continuation.yield(error)
  }

  /// Waits for a failure; nil when the waiting task is cancelled.
  func first() async -> StorageError? {
    var iterator = stream.makeAsyncIterator()
    return await iterator.next()
  }
}

/// Keeps the journal until everything above it has ended; ends the node when nothing can be written any more, so that
/// whoever watches over it starts it again.
private struct JournalService: Service {
  let desks: GatewayDesks
  let storage: SQLiteStorage
  let failure: StorageFailure

  func run() async throws {
    let error = await cancelWhenGracefulShutdown { await failure.first() }
    await desks.webhooks.stop()
    await desks.archive.keeping.stop()
    desks.room.stop()
    storage.close()
    if let error { throw error }
  }
}

/// Keeps the recorder until the media threads have ended; then everything is written and sealed.
private struct RecordingService: Service {
  let recording: Recording

  func run() async throws {
    async let told: Void = recording.desk.run()
    try? await gracefulShutdown()
    await BlockingWork.run { recording.recorder.stop() }
    recording.bell.finish()
    await told
  }
}

private struct HousekeepingService: Service {
  let keeper: Housekeeper

  func run() async throws {
    await cancelWhenGracefulShutdown { await keeper.run() }
  }
}

private struct HealthService: Service {
  let desk: HealthDesk

  func run() async throws {
    await cancelWhenGracefulShutdown { await desk.run() }
  }
}

private struct ArchiveKeepingService: Service {
  let keeping: ArchiveKeeping

  func run() async {
    await cancelWhenGracefulShutdown { await keeping.run() }
  }
}

/// Keeps the media threads until everything above them has ended.
private struct MediaService: Service {
  let media: MediaServer

  func run() async throws {
    try await gracefulShutdown()
    await media.stop()
  }
}

/// Tells when the node is ready, then waits with the others.
private struct ReadyService: Service {
  let node: Node
  let whenReady: @Sendable (Node, String) async throws -> Void

  func run() async throws {
    await node.warnOfOrdinaryThreads()
    let base = try await node.gateway.baseURL()
    try await whenReady(node, base)
    try await gracefulShutdown()
  }
}
