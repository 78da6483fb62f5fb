import CSystemCalls
import Primitives
import Sockets
import Relay
import SRTP

/// What the packet path needs of each peer: where to send, and how to read what it sends.
///
/// Plain memory, indexed by the peer's handle, so that packets touch no reference count.
final class RouteTable {
  enum Route {
    case none
    case udp(socket: Int32, length: UInt32)
    case tcp(connection: Int32)
  }

  private let routes: UnsafeMutablePointer<Route>
  private let addresses: UnsafeMutablePointer<sl_address>
  private let senders: UnsafeMutablePointer<Sender>
  let capacity: Int

  private struct Sender: BitwiseCopyable {
    var inbound: SRTPInbound?
    var notedAt = MonotonicTime.zero
  }

  /// How often ICE hears that authentic packets come: more often would only cost time.
  private static let noteInterval = TimeInterval64.milliseconds(500)

  init(capacity: Int) {
    self.capacity = capacity
    routes = .allocate(capacity: capacity)
    routes.initialize(repeating: .none, count: capacity)
    addresses = .allocate(capacity: capacity)
    addresses.initialize(repeating: sl_address(), count: capacity)
    senders = .allocate(capacity: capacity)
    senders.initialize(repeating: Sender(), count: capacity)
  }

  deinit {
    routes.deallocate()
    addresses.deallocate()
    senders.deallocate()
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

  /// Forgets a peer, before its session goes.
  func clear(_ peer: PeerHandle) {
    routes[Int(peer.index)] = .none
    senders[Int(peer.index)] = Sender()
  }

  /// What unprotects the peer's packets; nil before its keys are known.
  @inline(__always)
  func inbound(of peer: PeerHandle) -> SRTPInbound? { senders[Int(peer.index)].inbound }

  /// From now on the peer's packets can be read.
  func set(_ peer: PeerHandle, inbound: SRTPInbound?) {
    senders[Int(peer.index)].inbound = inbound
  }

  /// Whether ICE should hear of an authentic packet of the peer's; then it counts as told.
  @inline(__always)
  func takeNote(of peer: PeerHandle, _ now: MonotonicTime) -> Bool {
    guard now - senders[Int(peer.index)].notedAt >= Self.noteInterval else { return false }
    senders[Int(peer.index)].notedAt = now
    return true
  }

  /// Clears every route over a connection that is about to be closed: its descriptor will soon be another's.
  func clear(tcp connection: Int32) {
    for place in 0..<capacity {
      if case .tcp(let used) = routes[place], used == connection { routes[place] = .none }
    }
  }
}
