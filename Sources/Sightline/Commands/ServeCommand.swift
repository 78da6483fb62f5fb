import ArgumentParser
import Foundation
import Logging

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run a node until SIGTERM.",
    discussion: """
      Example, public server with a certificate and a TURN server beside it:
        sightline serve --data /var/lib/sightline --host 0.0.0.0 --port 443 --media-port 40000 --media-threads 4 \\
          --tls-certificate chain.pem --tls-key key.pem --turn turn:turn.example.org --turn-secret-file turn.secret
      """)

  @OptionGroup var node: NodeOptions

  func run() async throws {
    guard let data = node.data else {
      throw ValidationError("Give --data DIR: the folder where keys and recordings are kept.")
    }
    let logger = Logger(label: "sightline")
    let folder = URL(fileURLWithPath: data)
    let running = try Node(node, data: folder, logger: logger)
    for (index, addresses) in running.media.listeningAddresses.enumerated() {
      logger.info("media thread \(index) listens on \(addresses.map(\.description).joined(separator: ", "))")
    }
    try await running.run { node, base in
      try await FirstAdmin.ensure(in: node.room, data: folder, logger: node.logger)
      node.logger.info("ready: \(base)")
    }
  }
}
