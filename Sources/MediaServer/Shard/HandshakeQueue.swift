import Primitives
import Relay

/// DTLS datagrams waiting for their turn: a handshake step costs up to a millisecond, so a turn does only a few.
struct HandshakeQueue {
  struct Entry {
    let bytes: [UInt8]
    let path: TransportPath
    let peer: PeerHandle
  }

  private var entries: [Entry] = []
  private var head = 0

  /// Datagrams that may wait; more are dropped, and DTLS sends them again.
  static let capacity = 2_048
  /// Datagrams of one peer that may wait, so that none keeps the others out.
  static let capacityPerPeer = 128

  var isEmpty: Bool { head == entries.count }

  mutating func append(_ datagram: UnsafeMutableRawBufferPointer, on path: TransportPath, from peer: PeerHandle) -> Bool
  {
    guard entries.count - head < Self.capacity else { return false }
    entries.append(Entry(bytes: Array(datagram), path: path, peer: peer))
    return true
  }

  mutating func popFirst() -> Entry? {
    guard head < entries.count else { return nil }
    let entry = entries[head]
    head += 1
    // Also while a flood lasts, in which the queue never runs empty.
    if head == entries.count || head == Self.capacity {
      entries.removeFirst(head)
      head = 0
    }
    return entry
  }
}
