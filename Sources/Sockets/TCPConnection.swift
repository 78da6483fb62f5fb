import Glibc
import Primitives

/// One ICE-TCP connection: datagrams in frames of a 16-bit length and as many bytes (RFC 4571 §2).
package final class TCPConnection {
  package let descriptor: Int32
  package let path: TransportPath
  package let openedAt: MonotonicTime
  private var received: [UInt8] = []
  private var unsent: [UInt8] = []
  package private(set) var isOpen = true

  /// Bytes that may wait for a slow receiver; further frames are dropped, as a full queue in the network would.
  package static let maximumUnsent = 512 * 1_024
  private static let readSize = 65_536

  package init(descriptor: Int32, path: TransportPath, openedAt: MonotonicTime) {
    self.descriptor = descriptor
    self.path = path
    self.openedAt = openedAt
  }

  deinit {
    close()
  }

  package func close() {
    guard isOpen else { return }
    isOpen = false
    Glibc.close(descriptor)
  }

  package var wantsToWrite: Bool { !unsent.isEmpty }

  /// Reads what is there; returns the complete frames, or nil when the connection has ended.
  package func read() -> [[UInt8]]? {
    var frames: [[UInt8]] = []
    let count = withUnsafeTemporaryAllocation(byteCount: Self.readSize, alignment: 1) { buffer -> Int in
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count > 0 { received.append(contentsOf: buffer.prefix(count)) }
      return count
    }
    if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return nil }
    var offset = 0
    while received.count - offset >= 2 {
      let length = Int(received[offset]) << 8 | Int(received[offset + 1])
      guard received.count - offset - 2 >= length else { break }
      if length > 0 { frames.append(Array(received[(offset + 2)..<(offset + 2 + length)])) }
      offset += 2 + length
    }
    received.removeFirst(offset)
    return frames
  }

  /// Sends one datagram as a frame; false when it was dropped.
  package func send(_ datagram: UnsafeRawBufferPointer) -> Bool {
    guard isOpen, datagram.count <= Int(UInt16.max), unsent.count + datagram.count + 2 <= Self.maximumUnsent else {
      return false
    }
    unsent.append(UInt8(datagram.count >> 8))
    unsent.append(UInt8(truncatingIfNeeded: datagram.count))
    unsent.append(contentsOf: datagram)
    return flush()
  }

  /// Writes what the socket takes; false when the connection is broken.
  package func flush() -> Bool {
    while !unsent.isEmpty {
      let count = unsent.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
      unsent.removeFirst(count)
    }
    return true
  }
}
