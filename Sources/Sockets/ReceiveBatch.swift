import CSystemCalls
import Glibc
import Primitives

// Packet path: everything is allocated once.

/// Memory to receive several datagrams, or several coalesced runs of datagrams (UDP_GRO), with one system call.
package struct ReceiveBatch: ~Copyable {
  private let messages: UnsafeMutablePointer<sl_message>
  private let vectors: UnsafeMutablePointer<iovec>
  private let addresses: UnsafeMutablePointer<sl_address>
  private let controls: UnsafeMutableRawPointer
  private let buffer: UnsafeMutableRawPointer

  /// Messages of one call.
  ///
  /// With offload each may hold up to 64 kB of datagrams.
  package static let capacity = 16
  private static let messageCapacity = 65_536
  private static let controlCapacity = 64

  package init() {
    messages = .allocate(capacity: Self.capacity)
    vectors = .allocate(capacity: Self.capacity)
    addresses = .allocate(capacity: Self.capacity)
    controls = .allocate(byteCount: Self.capacity * Self.controlCapacity, alignment: 16)
    buffer = .allocate(byteCount: Self.capacity * Self.messageCapacity, alignment: 64)
    messages.initialize(repeating: sl_message(), count: Self.capacity)
    addresses.initialize(repeating: sl_address(), count: Self.capacity)
    for index in 0..<Self.capacity {
      vectors[index] = iovec(iov_base: buffer + index * Self.messageCapacity, iov_len: Self.messageCapacity)
      messages[index].header.msg_iov = vectors + index
      messages[index].header.msg_iovlen = 1
      messages[index].header.msg_name = UnsafeMutableRawPointer(addresses + index)
      messages[index].header.msg_control = controls + index * Self.controlCapacity
    }
  }

  deinit {
    messages.deallocate()
    vectors.deallocate()
    addresses.deallocate()
    controls.deallocate()
    buffer.deallocate()
  }

  /// Receives what is there; returns the number of messages, 0 when there are none or the socket is broken.
  package func receive(from socket: Int32) -> Int {
    for index in 0..<Self.capacity {
      messages[index].header.msg_namelen = socklen_t(MemoryLayout<sl_address>.size)
      messages[index].header.msg_controllen = Self.controlCapacity
      messages[index].length = 0
    }
    return max(0, Int(sl_receive(socket, messages, UInt32(Self.capacity))))
  }

  /// Who sent message `index`.
  package func sender(of index: Int) -> TransportAddress? {
    TransportAddress(addresses[index])
  }

  /// The bytes of message `index`: one datagram, or several of ``segmentSize(of:)``.
  package func bytes(of index: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      start: buffer + index * Self.messageCapacity, count: Int(messages[index].length))
  }

  /// When the kernel took message `index` in, nanoseconds of the wall clock; nil unless the socket notes it.
  ///
  /// Of datagrams that it merged, the first one's.
  package func arrival(of index: Int) -> UInt64? {
    let time = sl_arrival_realtime_nanoseconds(messages + index)
    return time > 0 ? time : nil
  }

  /// Size of each datagram in message `index` but the last.
  package func segmentSize(of index: Int) -> Int {
    let size = Int(sl_gro_segment_size(messages + index))
    return size > 0 ? size : max(1, Int(messages[index].length))
  }
}
