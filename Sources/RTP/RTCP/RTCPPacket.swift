import Primitives

/// One RTCP packet of the types that Sightline acts on.
///
/// APP, XR and unknown types are skipped when a compound is parsed.
package enum RTCPPacket: Equatable, Sendable {
  case senderReport(SenderReport)
  case receiverReport(ReceiverReport)
  case sourceDescription(SourceDescription)
  case goodbye(Goodbye)
  case genericNACK(GenericNACK)
  case pictureLossIndication(PictureLossIndication)
  case fullIntraRequest(FullIntraRequest)
  case receiverEstimatedMaximumBitrate(ReceiverEstimatedMaximumBitrate)
  case transportFeedback(TransportFeedback)
}

/// RTCP packet types (RFC 3550 §12.1, RFC 4585 §6.1).
enum RTCPType {
  static let senderReport: UInt8 = 200
  static let receiverReport: UInt8 = 201
  static let sourceDescription: UInt8 = 202
  static let goodbye: UInt8 = 203
  static let transportLayerFeedback: UInt8 = 205
  static let payloadSpecificFeedback: UInt8 = 206
}

/// What one datagram of RTCP holds: one or several packets, back to back (RFC 3550 §6.1, reduced size RFC 5506).
package enum RTCPCompound {
  /// Most packets that are read from one datagram.
  ///
  /// A real compound has at most a handful.
  package static let maximumPackets = 64

  /// Bytes of the header that all RTCP packets share.
  static let headerLength = 4

  /// Parses the packets of a datagram in the clear, those that Sightline does not act on left out.
  ///
  /// The rules of RFC 3550 A.2 hold: version 2 throughout, and lengths that add up to the datagram exactly. Two are
  /// relaxed. The first packet may be of any type (RFC 5506). Padding may stand in any packet and have any length: browsers
  /// pad transport feedback by one to three bytes and send several in one datagram.
  package static func parse(_ datagram: UnsafeRawBufferPointer) throws(RTPError) -> [RTCPPacket] {
    guard !datagram.isEmpty else { throw .truncated }
    var packets: [RTCPPacket] = []
    var reader = ByteReader(datagram)
    for _ in 0..<maximumPackets {
      let first = try reader.uint8()
      guard first >> 6 == 2 else { throw .unsupportedVersion }
      let type = try reader.uint8()
      var body = try reader.slice(4 * Int(try reader.uint16()))
      if first & RTPHeader.paddingBit != 0 {
        body = try withoutPadding(body)
      }
      if let packet = try RTCPPacket(type: type, count: first & 0x1f, body: body) { packets.append(packet) }
      if reader.isAtEnd { return packets }
    }
    throw .limitExceeded
  }

  /// The bytes of `packets`, back to back, in network order.
  package static func serialize(_ packets: [RTCPPacket]) -> [UInt8] {
    var writer = ByteWriter(reserving: 128)
    for packet in packets { packet.write(to: &writer) }
    return writer.bytes
  }

  private static func withoutPadding(_ body: UnsafeRawBufferPointer) throws(RTPError) -> UnsafeRawBufferPointer {
    guard let count = body.last, count != 0, Int(count) <= body.count else { throw .invalidPadding }
    return UnsafeRawBufferPointer(rebasing: body.dropLast(Int(count)))
  }
}

extension RTCPPacket {
  /// Parses what follows the common header; nil for a type that is skipped.
  ///
  /// `count` is the header's 5-bit field.
  fileprivate init?(type: UInt8, count: UInt8, body: UnsafeRawBufferPointer) throws(RTPError) {
    var reader = ByteReader(body)
    switch type {
    case RTCPType.senderReport: self = .senderReport(try SenderReport(parsing: &reader, count: count))
    case RTCPType.receiverReport: self = .receiverReport(try ReceiverReport(parsing: &reader, count: count))
    case RTCPType.sourceDescription: self = .sourceDescription(try SourceDescription(parsing: &reader, count: count))
    case RTCPType.goodbye: self = .goodbye(try Goodbye(parsing: &reader, count: count))
    case RTCPType.transportLayerFeedback:
      switch count {
      case GenericNACK.format: self = .genericNACK(try GenericNACK(parsing: &reader))
      case TransportFeedback.format: self = .transportFeedback(try TransportFeedback(parsing: &reader))
      default: return nil
      }
    case RTCPType.payloadSpecificFeedback:
      switch count {
      case PictureLossIndication.format:
        self = .pictureLossIndication(try PictureLossIndication(parsing: &reader))
      case FullIntraRequest.format: self = .fullIntraRequest(try FullIntraRequest(parsing: &reader))
      case ReceiverEstimatedMaximumBitrate.format:
        guard let estimate = try ReceiverEstimatedMaximumBitrate(parsing: &reader) else { return nil }
        self = .receiverEstimatedMaximumBitrate(estimate)
      default: return nil
      }
    default: return nil
    }
  }

  /// Appends the packet, its header included.
  package func write(to writer: inout ByteWriter) {
    switch self {
    case .senderReport(let packet): packet.write(to: &writer)
    case .receiverReport(let packet): packet.write(to: &writer)
    case .sourceDescription(let packet): packet.write(to: &writer)
    case .goodbye(let packet): packet.write(to: &writer)
    case .genericNACK(let packet): packet.write(to: &writer)
    case .pictureLossIndication(let packet): packet.write(to: &writer)
    case .fullIntraRequest(let packet): packet.write(to: &writer)
    case .receiverEstimatedMaximumBitrate(let packet): packet.write(to: &writer)
    case .transportFeedback(let packet): packet.write(to: &writer)
    }
  }
}

extension ByteWriter {
  /// Writes an RTCP header, then the body, then the length that the body turned out to have, padded with zeros to 32
  /// bits.
  mutating func writeRTCP(type: UInt8, count: Int, body: (inout ByteWriter) -> Void) {
    let start = self.count
    write(UInt8(0x80) | UInt8(count & 0x1f))
    write(type)
    write(UInt16(0))
    body(&self)
    while (self.count - start) % 4 != 0 { write(UInt8(0)) }
    overwrite(UInt16(truncatingIfNeeded: (self.count - start) / 4 - 1), at: start + 2)
  }
}
