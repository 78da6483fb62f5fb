import CSystemCalls
import Glibc
import Primitives

// Packet path: everything is allocated once.

/// Gathers messages for one socket and sends them with one system call, each split by the kernel (UDP_SEGMENT).
package struct SendBatch: ~Copyable {
  private let messages: UnsafeMutablePointer<sl_message>
  private let vectors: UnsafeMutablePointer<iovec>
  private let controls: UnsafeMutablePointer<sl_send_control>
  /// One place a message for datagrams that nobody else keeps, and for their addresses.
  private let copies: UnsafeMutableRawPointer
  private let copiedAddresses: UnsafeMutablePointer<sl_address>
  private var count = 0
  private var socket: Int32 = -1
  /// Messages that the socket's full buffer or an error cost.
  package private(set) var dropped: UInt64 = 0
  package private(set) var systemCalls: UInt64 = 0

  /// Messages of one call.
  package static let capacity = 64
  /// Longest datagram that the batch keeps itself, bytes: a frame of Ethernet.
  package static let copyCapacity = 1_536

  package init() {
    messages = .allocate(capacity: Self.capacity)
    vectors = .allocate(capacity: Self.capacity)
    controls = .allocate(capacity: Self.capacity)
    copies = .allocate(byteCount: Self.capacity * Self.copyCapacity, alignment: 64)
    copiedAddresses = .allocate(capacity: Self.capacity)
    copiedAddresses.initialize(repeating: sl_address(), count: Self.capacity)
    messages.initialize(repeating: sl_message(), count: Self.capacity)
    vectors.initialize(repeating: iovec(), count: Self.capacity)
    for index in 0..<Self.capacity {
      sl_send_control_init(controls + index)
      messages[index].header.msg_iov = vectors + index
      messages[index].header.msg_iovlen = 1
    }
  }

  deinit {
    messages.deallocate()
    vectors.deallocate()
    controls.deallocate()
    copies.deallocate()
    copiedAddresses.deallocate()
  }

  /// Adds a message.
  ///
  /// Its bytes and its address must stay where they are until ``flush()``.
  ///
  /// - Parameter codePoint: What its datagrams are marked with; nil for what the socket says.
  @inline(__always)
  package mutating func add(
    on socket: Int32, to address: UnsafeMutablePointer<sl_address>, addressLength: socklen_t,
    bytes: UnsafeMutableRawPointer, length: Int, segmentSize: Int, segments: Int, codePoint: DSCP? = nil
  ) {
    if count == Self.capacity || (socket != self.socket && count > 0) { flush() }
    self.socket = socket
    vectors[count] = iovec(iov_base: bytes, iov_len: length)
    messages[count].header.msg_name = UnsafeMutableRawPointer(address)
    messages[count].header.msg_namelen = addressLength
    if segments > 1 { controls[count].segment.value = UInt16(truncatingIfNeeded: segmentSize) }
    if let codePoint {
      let family = Int32(address.pointee.any.sa_family)
      sl_send_control_set_class(controls + count, family, codePoint.trafficClass)
    }
    setControl(of: count, isSplit: segments > 1, isMarked: codePoint != nil)
    count &+= 1
  }

  /// Has the kernel told how to split a message, how to mark it, both, or nothing.
  @inline(__always)
  private func setControl(of place: Int, isSplit: Bool, isMarked: Bool) {
    let control = UnsafeMutableRawPointer(controls + place)
    let splitting = MemoryLayout<sl_segment_control>.size
    let start = isSplit ? 0 : splitting
    let end = isMarked ? MemoryLayout<sl_send_control>.size : splitting
    messages[place].header.msg_control = start < end ? control + start : nil
    messages[place].header.msg_controllen = end - start
  }

  /// Whether the kernel is to split a message.
  private func isSplit(_ place: Int) -> Bool {
    messages[place].header.msg_control == UnsafeMutableRawPointer(controls + place)
  }

  /// Adds a datagram that the batch keeps itself.
  ///
  /// - Parameter write: Writes the datagram into ``copyCapacity`` bytes and returns its length; 0 to send nothing.
  /// - Returns: The datagram's length.
  @inline(__always)
  package mutating func add(
    on socket: Int32, to address: sl_address, addressLength: socklen_t,
    writing write: (UnsafeMutableRawBufferPointer) -> Int
  ) -> Int {
    if count == Self.capacity || (socket != self.socket && count > 0) { flush() }
    let place = copies + count * Self.copyCapacity
    let length = write(UnsafeMutableRawBufferPointer(start: place, count: Self.copyCapacity))
    guard length > 0 else { return 0 }
    copiedAddresses[count] = address
    add(
      on: socket, to: copiedAddresses + count, addressLength: addressLength, bytes: place, length: length,
      segmentSize: length, segments: 1)
    return length
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
      if result < 0, isSplit(sent) {
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
    let size = Int(controls[place].segment.value)
    let isMarked = messages[place].header.msg_controllen == MemoryLayout<sl_send_control>.size
    setControl(of: place, isSplit: false, isMarked: isMarked)
    var offset = 0
    while offset < whole.iov_len {
      vectors[place] = iovec(iov_base: whole.iov_base + offset, iov_len: min(size, whole.iov_len - offset))
      if sl_send(socket, messages + place, 1) <= 0 { dropped &+= 1 }
      systemCalls &+= 1
      offset += max(1, size)
    }
  }
}
