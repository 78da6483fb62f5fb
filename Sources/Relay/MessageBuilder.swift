import Primitives

/// Gathers datagrams of one viewer into messages of equal segments.
struct MessageBuilder {
  let destination: PeerHandle
  let codePoint: DSCP
  /// Payload bytes of each datagram but the last; equal payloads make equal datagrams.
  var segmentPayload = 0
  var segmentSize = 0
  var segments = 0
  var length = 0
  /// A shorter datagram was appended: the kernel takes it only as the last one.
  var isClosed = false

  @inline(__always)
  init(to slot: UnsafeMutablePointer<Slot>) {
    destination = slot.pointee.destination
    codePoint = slot.pointee.codePoint
  }

  /// Ends the message if a payload of `payload` bytes cannot join it; false when the buffer is full.
  @inline(__always)
  mutating func makeRoom(for payload: Int, in egress: inout EgressBuffer) -> Bool {
    if segments > 0,
      isClosed || payload > segmentPayload || segments == EgressBuffer.maximumSegments
        || length + payload + Slot.maximumOverhead > EgressBuffer.maximumMessageLength
    {
      finish(in: &egress)
    }
    return segments > 0 || egress.hasRoom
  }

  @inline(__always)
  func position(in egress: borrowing EgressBuffer) -> UnsafeMutableRawPointer {
    egress.next + length
  }

  @inline(__always)
  mutating func append(payload: Int, written: Int) {
    guard written > 0 else { return }
    if segments == 0 {
      segmentPayload = payload
      segmentSize = written
    } else if payload < segmentPayload {
      isClosed = true
    }
    segments &+= 1
    length &+= written
  }

  @inline(__always)
  mutating func finish(in egress: inout EgressBuffer) {
    guard segments > 0 else { return }
    egress.commit(to: destination, length: length, segmentSize: segmentSize, segments: segments, codePoint: codePoint)
    segments = 0
    length = 0
    isClosed = false
  }
}
