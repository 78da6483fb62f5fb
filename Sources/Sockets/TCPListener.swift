import CSystemCalls
import Glibc
import Primitives

/// Accepts ICE-TCP connections (RFC 6544, passive candidates).
package final class TCPListener {
  package let descriptor: Int32
  /// The bound address.
  package let address: TransportAddress

  private static let backlog: Int32 = 256

  package init(_ address: TransportAddress) throws(SystemError) {
    var system = address.system
    descriptor = try check(sl_tcp_listen(&system, Self.backlog), "listen on TCP \(address)")
    var bound = sl_address()
    _ = sl_local_address(descriptor, &bound)
    self.address = TransportAddress(bound) ?? address
  }

  deinit {
    close(descriptor)
  }

  /// The next waiting connection; nil when there is none.
  package func accept() -> (descriptor: Int32, peer: TransportAddress)? {
    var peer = sl_address()
    let connection = sl_tcp_accept(descriptor, &peer)
    guard connection >= 0 else { return nil }
    guard let address = TransportAddress(peer) else {
      Glibc.close(connection)
      return nil
    }
    return (connection, address)
  }
}
