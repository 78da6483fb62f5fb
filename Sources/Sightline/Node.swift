import Foundation
import Gateway
import Logging
import MediaServer
import Primitives
import ServiceLifecycle
import Sockets

/// One running node: the media plane and the gateway on top of it.
struct Node {
  let media: MediaServer
  let gateway: GatewayServer
  let authority: TokenAuthority
  let logger: Logger

  init(_ options: NodeOptions, data: URL, logger: Logger) throws {
    self.logger = logger
    DescriptorLimit.raise()
    authority = try TokenKeyFile.load(from: data)
    media = try MediaServer(try options.mediaConfiguration())
    gateway = try GatewayServer(
      configuration: try options.gatewayConfiguration(), media: media, authority: authority, logger: logger)
  }

  /// Serves until SIGTERM or SIGINT, beside `others`; `whenReady` runs once the gateway listens.
  func run(beside others: [any Service] = [], whenReady: @escaping @Sendable (Node, String) async throws -> Void)
    async throws
  {
    let services: [any Service] =
      [MediaService(media: media), gateway, ReadyService(node: self, whenReady: whenReady)] + others
    let group = ServiceGroup(
      configuration: .init(
        services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
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
    let base = try await node.gateway.baseURL()
    try await whenReady(node, base)
    try await gracefulShutdown()
  }
}
