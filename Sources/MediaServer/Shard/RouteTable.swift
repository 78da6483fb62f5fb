import CSystemCalls
import Primitives
import Sockets
import Relay

/// Where to send to each peer: plain memory, indexed by the peer's handle, read once per message on the packet path.
final class RouteTable {
  enum Route {
    case none
    case udp(socket: Int32, length: UInt32)
    case tcp(connection: Int32)
  }

  private let routes: UnsafeMutablePointer<Route>
  private let addresses: UnsafeMutablePointer<sl_address>
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    routes = .allocate(capacity: capacity)
    routes.initialize(repeating: .none, count: capacity)
    addresses = .allocate(capacity: capacity)
    addresses.initialize(repeating: sl_address(), count: capacity)
  }

  deinit {
    routes.deallocate()
    addresses.deallocate()
  }

  @inline(__always)
  subscript(_ peer: PeerHandle) -> Route { routes[Int(peer.index)] }

  /// Whether there is a way to the peer.
  func has(_ peer: PeerHandle) -> Bool {
    if case .none = self[peer] { return false }
    return true
  }

  /// The peer's address, in memory that stays where it is.
  @inline(__always)
  func address(of peer: PeerHandle) -> UnsafeMutablePointer<sl_address> {
    addresses + Int(peer.index)
  }

  func set(_ peer: PeerHandle, udp socket: Int32, to address: TransportAddress) {
    addresses[Int(peer.index)] = address.system
    routes[Int(peer.index)] = .udp(socket: socket, length: address.systemLength)
  }

  func set(_ peer: PeerHandle, tcp connection: Int32) {
    routes[Int(peer.index)] = .tcp(connection: connection)
  }

  func clear(_ peer: PeerHandle) {
    routes[Int(peer.index)] = .none
  }

  /// Clears every route over a connection that is about to be closed: its descriptor will soon be another's.
  func clear(tcp connection: Int32) {
    for place in 0..<capacity {
      if case .tcp(let used) = routes[place], used == connection { routes[place] = .none }
    }
  }
}
