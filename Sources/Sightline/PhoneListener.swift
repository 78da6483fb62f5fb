import Cryptography
import Foundation
import Gateway
import Primitives
import Sockets

/// A second listener of the demo: HTTPS on the local network, so that a phone gets to use its camera.
///
/// Its certificate is self-signed: the phone warns once, and its owner decides.
struct PhoneListener {
  let gateway: GatewayServer
  private let address: IPAddress

  /// Nil when this machine has no address that a phone could reach.
  init?(port: Int, data: URL, node: Node) throws {
    guard let address = Interfaces.usableAddresses().first(where: { !$0.isLoopback && $0.family == .v4 }) else {
      return nil
    }
    self.address = address
    let made = try SelfSignedCertificate(addresses: [address.description])
    let certificate = data.appendingPathComponent("demo-certificate.pem")
    let key = data.appendingPathComponent("demo-key.pem")
    try SecretFile.write(made.certificate, to: certificate)
    try SecretFile.write(made.privateKey, to: key)
    gateway = try GatewayServer(
      configuration: GatewayConfiguration(
        host: "0.0.0.0", port: port, tls: .files(certificateChain: certificate.path, privateKey: key.path),
        mapLibrary: node.mapLibrary),
      media: node.media, desks: node.desks, authority: node.authority, logger: node.logger)
  }

  /// Where a phone finds it, once it listens.
  func base() async throws -> String {
    "https://\(address):\(try await gateway.boundPort())"
  }
}
