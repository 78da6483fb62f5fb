import CSystemCalls
import Glibc
import Primitives

// Packet path: everything is allocated once.

/// Gathers messages for one socket and sends them with one system call, each split by the kernel (UDP_SEGMENT).
package struct SendBatch: ~Copyable {
  private let messages: UnsafeMutablePointer<sl_message>
  private let vectors: UnsafeMutablePointer<iovec>
  private let controls: UnsafeMutablePointer<sl_segment_control>
  private var count = 0
  private var socket: Int32 = -1
  /// Messages that the socket's full buffer or an error cost.
  package private(set) var dropped: UInt64 = 0
  package private(set) var systemCalls: UInt64 = 0

  /// Messages of one call.
  package static let capacity = 64

  package init() {
    messages = .allocate(capacity: Self.capacity)
    vectors = .allocate(capacity: Self.capacity)
    controls = .allocate(capacity: Self.capacity)
    messages.initialize(repeating: sl_message(), count: Self.capacity)
    vectors.initialize(repeating: iovec(), count: Self.capacity)
    for index in 0..<Self.capacity {
      sl_segment_control_init(controls + index)
      messages[index].header.msg_iov = vectors + index
      messages[index].header.msg_iovlen = 1
    }
  }

  deinit {
    messages.deallocate()
    vectors.deallocate()
    controls.deallocate()
  }

  /// Adds a message.
  ///
  /// Its bytes and its address must stay where they are until ``flush()``.
  @inline(__always)
  package mutating func add(
    on socket: Int32, to address: UnsafeMutablePointer<sl_address>, addressLength: socklen_t,
    bytes: UnsafeMutableRawPointer, length: Int, segmentSize: Int, segments: Int
  ) {
    if count == Self.capacity || (socket != self.socket && count > 0) { flush() }
    self.socket = socket
    vectors[count] = iovec(iov_base: bytes, iov_len: length)
    messages[count].header.msg_name = UnsafeMutableRawPointer(address)
    messages[count].header.msg_namelen = addressLength
    if segments > 1 {
      controls[count].value = UInt16(truncatingIfNeeded: segmentSize)
      messages[count].header.msg_control = UnsafeMutableRawPointer(controls + count)
      messages[count].header.msg_controllen = MemoryLayout<sl_segment_control>.size
    } else {
      messages[count].header.msg_control = nil
      messages[count].header.msg_controllen = 0
    }
    count &+= 1
  }

  /// Sends everything.
  ///
  /// What the socket does not take is dropped and counted, as the network itself would.
  package mutating func flush() {
    var sent = 0
    while sent < count {
      let result = sl_send(socket, messages + sent, UInt32(count - sent))
      systemCalls &+= 1
      if result > 0 {
        sent += Int(result)
        continue
      }
      // An error belongs to the first message only; 0 means that the socket's buffer is full.
      if result < 0, messages[sent].header.msg_control != nil {
        sendApart(sent)
      } else {
        dropped &+= 1
      }
      sent += 1
    }
    count = 0
  }

  /// Sends the datagrams of one message one by one: the kernel splits none that are larger than the path's MTU, as on
  /// a VPN, while it does fragment single ones.
  private mutating func sendApart(_ place: Int) {
    let whole = vectors[place]
    let size = Int(controls[place].value)
    messages[place].header.msg_control = nil
    messages[place].header.msg_controllen = 0
    var offset = 0
    while offset < whole.iov_len {
      vectors[place] = iovec(iov_base: whole.iov_base + offset, iov_len: min(size, whole.iov_len - offset))
      if sl_send(socket, messages + place, 1) <= 0 { dropped &+= 1 }
      systemCalls &+= 1
      offset += max(1, size)
    }
  }
}
