import CSystemCalls
import Glibc
import Primitives

/// Waits for sockets to become ready (epoll).
///
/// Level-triggered.
package final class Poller {
  private let descriptor: Int32
  private let events: UnsafeMutablePointer<epoll_event>

  /// Ready sockets reported at a time.
  package static let capacity = 64

  /// What is awaited of a socket.
  package enum Interest {
    case readable
    case readableAndWritable

    fileprivate var bits: UInt32 {
      switch self {
      case .readable: EPOLLIN.rawValue
      case .readableAndWritable: EPOLLIN.rawValue | EPOLLOUT.rawValue
      }
    }
  }

  package init() throws(SystemError) {
    descriptor = try check(sl_epoll_create(), "create an epoll instance")
    events = .allocate(capacity: Self.capacity)
  }

  deinit {
    close(descriptor)
    events.deallocate()
  }

  package func add(_ socket: Int32, token: UInt64, _ interest: Interest = .readable) throws(SystemError) {
    _ = try check(sl_epoll_add(descriptor, socket, interest.bits, token), "watch a socket")
  }

  package func modify(_ socket: Int32, token: UInt64, _ interest: Interest) {
    _ = sl_epoll_modify(descriptor, socket, interest.bits, token)
  }

  package func remove(_ socket: Int32) {
    _ = sl_epoll_remove(descriptor, socket)
  }

  /// Waits at most `limit` (nil: for ever) and returns how many sockets are ready.
  package func wait(_ limit: TimeInterval64?) -> Int {
    max(0, Int(sl_epoll_wait(descriptor, events, Int32(Self.capacity), limit.map { max(0, $0.nanoseconds) } ?? -1)))
  }

  /// The token of the ready socket `index`.
  package func token(of index: Int) -> UInt64 {
    sl_epoll_token(events + index)
  }
}
