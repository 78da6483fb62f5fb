import Glibc
import MediaServer
import Primitives
import Testing

@Suite struct ConnectionTests {
  /// Whoever opens connections and says nothing must not use up the server's descriptors.
  @Test func silentConnectionsGiveWayToNewerOnes() async throws {
    let server = try MediaServer(
      MediaServer.Configuration(addresses: [loopback], silentConnectionLimit: .milliseconds(3_600_000)))
    let port = try #require(server.listeningAddresses.first?.first?.port)
    let strangers = (0..<400).map { _ in connect(to: port) }
    #expect(strangers.allSatisfy { $0 >= 0 })
    try await eventually("the newest are accepted") {
      let count = await connections(of: server)
      return count == 256 && isClosedByPeer(strangers[143])
    }
    #expect(strangers[..<144].allSatisfy(isClosedByPeer))
    #expect(!strangers[144...].contains(where: isClosedByPeer))
    for stranger in strangers { close(stranger) }
    try await eventually("all are gone") { await connections(of: server) == 0 }
    await server.stop()
  }

  @Test func silentConnectionsEndAfterAWhile() async throws {
    let server = try MediaServer(
      MediaServer.Configuration(addresses: [loopback], silentConnectionLimit: .milliseconds(100)))
    let port = try #require(server.listeningAddresses.first?.first?.port)
    let stranger = connect(to: port)
    try await eventually("it is closed") { isClosedByPeer(stranger) }
    close(stranger)
    await server.stop()
  }

  @Test func portsBeyondTheLastAreRefused() {
    #expect(throws: (any Error).self) {
      try MediaServer(MediaServer.Configuration(addresses: [loopback], port: 65_535, shards: 2))
    }
  }

  private func connections(of server: MediaServer) async -> UInt64? {
    await server.statistics().gauges.first { $0.name == "sightline_tcp_connections" }?.value
  }

  private func connect(to port: UInt16) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return status == 0 ? descriptor : -1
  }

  private func isClosedByPeer(_ descriptor: Int32) -> Bool {
    var byte: UInt8 = 0
    let count = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT))
    return count == 0 || (count < 0 && errno == ECONNRESET)
  }
}
