import CSystemCalls
import Glibc
import Primitives

/// A bound, non-blocking UDP socket with receive offload.
///
/// It closes itself.
package final class UDPSocket: Sendable {
  package let descriptor: Int32
  /// The bound address, with the port that the kernel chose if it was asked to.
  package let address: TransportAddress

  /// Receive buffer asked for, bytes: a second of a busy port.
  package static let receiveBuffer: Int32 = 8 << 20
  /// Send buffer asked for, bytes.
  package static let sendBuffer: Int32 = 8 << 20

  /// - Parameters:
  ///   - notesArrival: whether ``ReceiveBatch/arrival(of:)`` is to be known.
  ///   - codePoint: what datagrams are marked with that say nothing else.
  package init(
    _ address: TransportAddress, notesArrival: Bool = false, codePoint: DSCP = .standard
  ) throws(SystemError) {
    var system = address.system
    descriptor = try check(
      sl_udp_open(&system, Self.receiveBuffer, Self.sendBuffer, 0), "bind UDP \(address)")
    var bound = sl_address()
    _ = sl_local_address(descriptor, &bound)
    self.address = TransportAddress(bound) ?? address
    // Without it the kernel hands out one datagram at a time, which is slower but the same.
    _ = sl_udp_enable_gro(descriptor)
    if codePoint != .standard { sl_udp_set_class(descriptor, &bound, codePoint.trafficClass) }
    if notesArrival { _ = sl_udp_enable_arrival_times(descriptor) }
  }

  deinit {
    close(descriptor)
  }
}
