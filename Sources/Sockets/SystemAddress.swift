import CSystemCalls
import Glibc
import Primitives

extension TransportAddress {
  /// From what the kernel filled in; nil for another address family.
  package init?(_ address: sl_address) {
    switch Int32(address.any.sa_family) {
    case AF_INET:
      self.init(
        ip: IPAddress(v4: UInt32(bigEndian: address.v4.sin_addr.s_addr)), port: UInt16(bigEndian: address.v4.sin_port))
    case AF_INET6:
      let (high, low) = withUnsafeBytes(of: address.v6.sin6_addr) {
        ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
      self.init(
        ip: IPAddress(v6High: UInt64(bigEndian: high), low: UInt64(bigEndian: low)),
        port: UInt16(bigEndian: address.v6.sin6_port))
    default:
      return nil
    }
  }

  /// As the kernel wants it.
  package var system: sl_address {
    var address = sl_address()
    switch ip.family {
    case .v4:
      address.v4.sin_family = sa_family_t(AF_INET)
      address.v4.sin_port = port.bigEndian
      address.v4.sin_addr.s_addr = UInt32(truncatingIfNeeded: ip.low).bigEndian
    case .v6:
      address.v6.sin6_family = sa_family_t(AF_INET6)
      address.v6.sin6_port = port.bigEndian
      withUnsafeMutableBytes(of: &address.v6.sin6_addr) {
        $0.storeBytes(of: ip.high.bigEndian, as: UInt64.self)
        $0.storeBytes(of: ip.low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
    }
    return address
  }

  /// Bytes of ``system`` that count.
  package var systemLength: socklen_t {
    switch ip.family {
    case .v4: socklen_t(MemoryLayout<sockaddr_in>.size)
    case .v6: socklen_t(MemoryLayout<sockaddr_in6>.size)
    }
  }
}

/// The addresses of this machine's interfaces that are up.
package enum Interfaces {
  /// All of them, loopback and link-local included.
  package static func addresses() -> [IPAddress] {
    var found: [IPAddress] = []
    withUnsafeMutablePointer(to: &found) { list in
      _ = sl_each_interface_address(
        { context, address, _ in
          guard let context, let address else { return }
          var copy = sl_address()
          switch Int32(address.pointee.sa_family) {
          case AF_INET: memcpy(&copy, address, MemoryLayout<sockaddr_in>.size)
          case AF_INET6: memcpy(&copy, address, MemoryLayout<sockaddr_in6>.size)
          default: return
          }
          guard let parsed = TransportAddress(copy) else { return }
          context.assumingMemoryBound(to: [IPAddress].self).pointee.append(parsed.ip)
        }, list)
    }
    return found
  }

  /// Where a server listens when nobody says otherwise: every address but link-local ones.
  package static func usableAddresses() -> [IPAddress] {
    var seen: Set<IPAddress> = []
    return addresses().filter { !$0.isLinkLocal && seen.insert($0).inserted }
  }
}
