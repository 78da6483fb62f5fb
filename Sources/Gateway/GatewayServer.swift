import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import MediaServer
import NIOCore
import NIOPosix
import NIOSSL
import Primitives
import ServiceLifecycle

/// The HTTP side of a node: WHIP, WHEP, WebSocket, tokens, TURN credentials, metrics and the web pages.
///
/// Run it once, in a `ServiceGroup`; a graceful shutdown closes the listener, lets requests finish and sends WebSockets
/// away with 1001.
package final class GatewayServer: Service {
  private let configuration: GatewayConfiguration
  private let services: GatewayServices
  private let files: StaticFiles
  private let policy: @Sendable () -> ContentSecurityPolicy
  private let tls: TLSConfiguration?
  private let eventLoopGroup: any EventLoopGroup
  private let logger: Logger
  private let readiness = Readiness()
  private let port = OneShot<Int>()

  /// Reads certificates and pages.
  ///
  /// - Throws: What is wrong with them; nothing has been opened then.
  package init(
    configuration: GatewayConfiguration, media: any MediaPlane, desks: GatewayDesks, authority: TokenAuthority,
    logger: Logger, clock: GatewayClock = .system,
    eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) throws {
    self.configuration = configuration
    self.logger = logger
    self.eventLoopGroup = eventLoopGroup
    services = GatewayServices(
      configuration: configuration, media: media, desks: desks, authority: authority, clock: clock)
    guard let folder = Bundle.module.url(forResource: "Web", withExtension: nil) else { throw MissingPages() }
    let settings = desks.administration.settings
    policy = { ContentSecurityPolicy(tileOrigin: settings.current.mapTiles.flatMap(ContentSecurityPolicy.origin(of:))) }
    files = try StaticFiles(
      folder: folder, mapLibrary: configuration.mapLibrary.map { URL(filePath: $0, directoryHint: .isDirectory) },
      policy: policy)
    tls = try Self.tlsConfiguration(configuration.tls)
  }

  /// The resource bundle lacks the folder of pages: it has to lie beside the executable.
  package struct MissingPages: Error, CustomStringConvertible {
    package var description: String { "the web pages are missing: keep the .resources folders beside the executable" }
  }

  /// The port that is listened on, as soon as it is; throws what kept the server from listening.
  package func boundPort() async throws -> Int {
    try await port.value()
  }

  /// Where clients reach this server: the public base URL, or the scheme, host and port that it listens on.
  package func baseURL() async throws -> String {
    let port = try await boundPort()
    if let publicBaseURL = configuration.publicBaseURL { return publicBaseURL }
    let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
    return "\(tls == nil ? "http" : "https")://\(host):\(port)"
  }

  /// Serves until cancelled or shut down.
  package func run() async throws {
    do {
      try await serve()
      port.fail(CancellationError())
    } catch {
      port.fail(error)
      throw error
    }
  }

  private func serve() async throws {
    let port = port
    let application = Application(
      responder: router().buildResponder(), server: try serverBuilder(),
      configuration: .init(
        address: .hostname(configuration.host, port: configuration.port),
        availableConnectionsDelegate: MaximumAvailableConnections(
          configuration.limits.maximumConnections, logger: logger)),
      onServerRunning: { channel in port.succeed(channel.localAddress?.port ?? 0) },
      eventLoopGroupProvider: .shared(eventLoopGroup), logger: logger)
    let readiness = readiness
    let sweeper = services.sweeper
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await sweeper.run() }
        group.addTask { try await application.run() }
        // The sweeper ends only when cancelled: the first to end is the listener.
        try await group.next()
        group.cancelAll()
      }
    } onGracefulShutdown: {
      readiness.stop()
    }
  }

  private func router() -> Router<GatewayContext> {
    let router = Router(context: GatewayContext.self, options: [.autoGenerateHeadEndpoints])
    router.add(middleware: AccessLog(metrics: services.metrics, clock: services.clock))
    router.add(middleware: SecurityHeaders(usesTLS: tls != nil, policy: policy))
    router.add(middleware: CrossOriginAccess(origins: origins))
    router.add(middleware: ProblemAnswers(counters: services.room.counters))
    routes.register(on: router, services: services)
    return router
  }

  /// Everything that is served, and to whom.
  private var routes: RouteBook {
    var book = RouteBook()
    for kind in SignallingEndpoint.Kind.allCases { book.add(SignallingEndpoint(kind: kind, services: services).routes) }
    book.add(SignInRoutes.routes + AccountRoutes.routes + IncidentRoutes.routes + LinkRoutes.routes + FileRoutes.routes)
    book.add(ReplayRoutes.routes + StillRoutes.routes + LateMediaRoutes.routes + ExportRoutes.routes)
    book.add(PeopleRoutes.routes + ArchiveRoutes.routes + RetentionRoutes.routes)
    book.add(WallRoutes.routes + FigureRoutes.routes + ExerciseRoutes.routes)
    book.add(ServiceRoutes.routes + InterchangeRoutes.routes + WebhookRoutes.routes)
    book.add(MonitoringRoutes(services: services, readiness: readiness).routes)
    book.add(PageRoutes(files: files).routes)
    book.add(SettingsRoutes.routes + HealthRoutes.routes)
    book.add(ProfileRoutes(hasMapLibrary: files.hasMapLibrary).routes)
    book.add(DocumentRoutes.routes(of: book))
    return book
  }

  private var origins: OriginPolicy {
    OriginPolicy(allowed: configuration.allowedOrigins, publicBaseURL: configuration.publicBaseURL)
  }

  private func serverBuilder() throws -> HTTPServerBuilder {
    let (services, origins) = (services, origins)
    let plain = HTTPServerBuilder { responder in
      GatewayChannel(responder: responder, origins: origins, services: services) {
        connection, request, remoteAddress, logger in
        if request.isEIDO {
          return await EIDOSession(services: services, connection: connection, remoteAddress: remoteAddress).run(
            request)
        }
        let session = CallSession(
          services: services, connection: connection, connectionID: services.sessions.makeConnectionID(),
          remoteAddress: remoteAddress, logger: logger)
        await session.run(request)
      }
    }
    return try tls.map { try .tls(plain, tlsConfiguration: $0) } ?? plain
  }

  private static func tlsConfiguration(_ tls: GatewayConfiguration.TLS) throws -> TLSConfiguration? {
    switch tls {
    case .none: return nil
    case .files(let certificateChain, let privateKey):
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMFile(certificateChain).map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(file: privateKey, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      return configuration
    }
  }
}

extension GatewayConfiguration.TLS {
  /// When the certificate ends; nil without one.
  package func endOfValidity() throws -> UTCTime? {
    guard case .files(let chain, _) = self else { return nil }
    return try NIOSSLCertificate.fromPEMFile(chain).first.map { UTCTime(seconds: Int64($0.notValidAfter)) }
  }
}
