import Primitives
import RTP

// The packet path of one viewer: no allocation, no reference count, no call through a protocol.

extension Slot {
  /// Bytes of the RTP header without extension: no CSRC.
  private static let fixedHeaderLength = 12
  /// Bytes of the header with the transport-wide sequence number: one element of the one-byte form (RFC 8285 §4.2).
  private static let extendedHeaderLength = 20
  /// Upper bound on what the header, RTX and protection add to a payload.
  static let maximumOverhead = extendedHeaderLength + 2 + 16

  /// Writes the protected datagram of `packet` at `destination`; returns its length, or 0 when it cannot be sent.
  @inline(__always)
  mutating func write(
    _ packet: CachedPacket, as number: SlotNumber, payload: UnsafeRawPointer, length: Int,
    to destination: UnsafeMutableRawPointer, now: MonotonicTime
  ) -> Int {
    guard let mapping, let outbound, let payloadType = formats.payloadType(of: packet.format) else { return 0 }
    let extended = number.value
    let timestamp = packet.timestamp &+ mapping.timestampOffset
    let padding: UInt8 = length > Int(packet.length) ? 0x20 : 0
    let marker = packet.marker || (packet.layers.endsFrame && packet.layers.spatial == cut.spatial)
    let header = writeHeader(
      to: destination, first: 0x80 | padding, second: (marker ? 0x80 : 0) | payloadType,
      sequence: UInt16(truncatingIfNeeded: extended), timestamp: timestamp, ssrc: ssrc, payload: length, probe: 0,
      now: now)
    if extended >= nextExtended {
      nextExtended = extended &+ 1
      lastTimestamp = timestamp
      lastSentAt = now
      notePicture(packet.layers, number.shift)
    }
    sent.packets &+= 1
    sent.octets &+= UInt32(truncatingIfNeeded: length)
    rate.add(length &+ header)
    var source = payload
    if !number.shift.isNone, packet.layers.countsPictures {
      source = Self.renumberPicture(payload, length, at: destination + header, number.shift)
    }
    return outbound.protectRTP(
      packet: destination, headerLength: header, payload: source, payloadLength: length,
      rolloverCounter: UInt32(truncatingIfNeeded: extended >> 16))
  }

  /// Writes a retransmission of the packet that was sent as `original` (RFC 4588 §4).
  ///
  /// - Parameter probe: The probe that it is sent for; 0 for a repair.
  mutating func writeRetransmission(
    _ packet: CachedPacket, of original: SlotNumber, payload: UnsafeRawPointer, timestampOffset: UInt32, probe: UInt8,
    to destination: UnsafeMutableRawPointer, now: MonotonicTime
  ) -> Int {
    guard let outbound, let payloadType = formats.retransmissionPayloadType(of: packet.format) else { return 0 }
    let extended = nextRetransmission
    nextRetransmission &+= 1
    let length = Int(packet.length)
    let marker = packet.marker || (packet.layers.endsFrame && packet.layers.spatial == cut.spatial)
    let header = writeHeader(
      to: destination, first: 0x80, second: (marker ? 0x80 : 0) | payloadType,
      sequence: UInt16(truncatingIfNeeded: extended), timestamp: packet.timestamp &+ timestampOffset,
      ssrc: retransmissionSSRC, payload: length + 2, probe: probe, now: now)
    let body = destination + header
    body.storeBytes(of: UInt16(truncatingIfNeeded: original.value).bigEndian, as: UInt16.self)
    if !original.shift.isNone, packet.layers.countsPictures {
      _ = Self.renumberPicture(payload, length, at: body + 2, original.shift)
    } else {
      (body + 2).copyMemory(from: payload, byteCount: length)
    }
    return outbound.protectRTP(
      packet: destination, headerLength: header, payload: body, payloadLength: length &+ 2,
      rolloverCounter: UInt32(truncatingIfNeeded: extended >> 16))
  }

  /// Writes a packet of padding alone (RFC 3550 §5.1) into the retransmission stream, where receivers pass it over; returns
  /// its length, or 0 when the viewer takes no retransmissions.
  mutating func writePadding(probe: UInt8, to destination: UnsafeMutableRawPointer, now: MonotonicTime) -> Int {
    guard let outbound, let payloadType = formats.anyRetransmissionPayloadType else { return 0 }
    let extended = nextRetransmission
    nextRetransmission &+= 1
    let length = Int(UInt8.max)
    let header = writeHeader(
      to: destination, first: 0xa0, second: payloadType, sequence: UInt16(truncatingIfNeeded: extended),
      timestamp: lastTimestamp, ssrc: retransmissionSSRC, payload: length, probe: probe, now: now)
    let body = destination + header
    body.initializeMemory(as: UInt8.self, repeating: 0, count: length)
    body.storeBytes(of: UInt8.max, toByteOffset: length - 1, as: UInt8.self)
    return outbound.protectRTP(
      packet: destination, headerLength: header, payload: body, payloadLength: length,
      rolloverCounter: UInt32(truncatingIfNeeded: extended >> 16))
  }

  /// Copies a VP8 payload to `destination` with running numbers that leave no gap and never go back: receivers hold back a
  /// picture as long as one before it seems to be missing (RFC 7741 §4.2).
  private static func renumberPicture(
    _ payload: UnsafeRawPointer, _ length: Int, at destination: UnsafeMutableRawPointer, _ shift: PictureShift
  ) -> UnsafeRawPointer {
    destination.copyMemory(from: payload, byteCount: length)
    if let descriptor = try? VP8Descriptor(parsing: UnsafeRawBufferPointer(start: payload, count: length)) {
      descriptor.rewrite(
        destination, pictureID: descriptor.pictureID &- shift.pictures,
        baseLayerIndex: descriptor.baseLayerIndex &- shift.baseLayers)
    }
    return UnsafeRawPointer(destination)
  }

  /// Writes the header and takes note of the packet for the link's estimate; returns the header's length.
  @inline(__always)
  private func writeHeader(
    to destination: UnsafeMutableRawPointer, first: UInt8, second: UInt8, sequence: UInt16, timestamp: UInt32,
    ssrc: SSRC, payload: Int, probe: UInt8, now: MonotonicTime
  ) -> Int {
    destination.storeBytes(of: first, as: UInt8.self)
    destination.storeBytes(of: second, toByteOffset: 1, as: UInt8.self)
    destination.storeBytes(of: sequence.bigEndian, toByteOffset: 2, as: UInt16.self)
    destination.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
    destination.storeBytes(of: ssrc.rawValue.bigEndian, toByteOffset: 8, as: UInt32.self)
    guard transportExtension != 0 else { return Self.fixedHeaderLength }
    let number = link.pointee.takeNumber(bytes: payload &+ Self.maximumOverhead, probe: probe, now: now)
    destination.storeBytes(of: first | 0x10, as: UInt8.self)
    // 0xBEDE, one word: id and length, the number, one byte of padding.
    destination.storeBytes(of: UInt32(0xbede_0001).bigEndian, toByteOffset: 12, as: UInt32.self)
    let element = UInt32(transportExtension << 4 | 1) << 24 | UInt32(number) << 8
    destination.storeBytes(of: element.bigEndian, toByteOffset: 16, as: UInt32.self)
    return Self.extendedHeaderLength
  }
}
