import Primitives

/// Packets that a receiver misses (RFC 4585 §6.2.1).
package struct GenericNACK: Equatable, Sendable {
  package var senderSSRC: SSRC
  /// The stream that lost packets.
  package var mediaSSRC: SSRC
  package var lost: [SequenceNumber]

  static let format: UInt8 = 1
  /// Most numbers that are read from one packet; the rest of a longer list is ignored.
  ///
  /// A receiver that misses more needs a keyframe, not repairs.
  package static let maximumSequenceNumbers = 1_024

  package init(senderSSRC: SSRC, mediaSSRC: SSRC, lost: [SequenceNumber]) {
    self.senderSSRC = senderSSRC
    self.mediaSSRC = mediaSSRC
    self.lost = lost
  }

  init(parsing reader: inout ByteReader) throws(RTPError) {
    senderSSRC = SSRC(try reader.uint32())
    mediaSSRC = SSRC(try reader.uint32())
    lost = []
    while !reader.isAtEnd, lost.count + 17 <= Self.maximumSequenceNumbers {
      let first = SequenceNumber(try reader.uint16())
      let following = try reader.uint16()
      lost.append(first)
      for bit in 0..<16 where following >> UInt16(bit) & 1 != 0 { lost.append(first &+ (bit + 1)) }
    }
  }

  /// Packs ascending numbers as densely as the format allows; unordered ones cost more entries but stay right.
  func write(to writer: inout ByteWriter) {
    writer.writeRTCP(type: RTCPType.transportLayerFeedback, count: Int(Self.format)) { writer in
      writer.write(senderSSRC.rawValue)
      writer.write(mediaSSRC.rawValue)
      var index = 0
      while index < lost.count {
        let first = lost[index]
        var following: UInt16 = 0
        index += 1
        while index < lost.count, (1...16).contains(lost[index].distance(from: first)) {
          following |= 1 << UInt16(lost[index].distance(from: first) - 1)
          index += 1
        }
        writer.write(first.rawValue)
        writer.write(following)
      }
    }
  }
}

/// A receiver cannot decode and needs a keyframe (RFC 4585 §6.3.1).
package struct PictureLossIndication: Equatable, Sendable {
  package var senderSSRC: SSRC
  package var mediaSSRC: SSRC

  static let format: UInt8 = 1

  package init(senderSSRC: SSRC, mediaSSRC: SSRC) {
    self.senderSSRC = senderSSRC
    self.mediaSSRC = mediaSSRC
  }

  init(parsing reader: inout ByteReader) throws(RTPError) {
    senderSSRC = SSRC(try reader.uint32())
    mediaSSRC = SSRC(try reader.uint32())
  }

  func write(to writer: inout ByteWriter) {
    writer.writeRTCP(type: RTCPType.payloadSpecificFeedback, count: Int(Self.format)) { writer in
      writer.write(senderSSRC.rawValue)
      writer.write(mediaSSRC.rawValue)
    }
  }
}

/// A command to send a keyframe (RFC 5104 §4.3.1).
package struct FullIntraRequest: Equatable, Sendable {
  /// One stream that must send a keyframe.
  package struct Entry: Equatable, Sendable {
    package var ssrc: SSRC
    /// Grows with each new command; a repetition keeps it.
    package var commandNumber: UInt8

    package init(ssrc: SSRC, commandNumber: UInt8) {
      self.ssrc = ssrc
      self.commandNumber = commandNumber
    }
  }

  package var senderSSRC: SSRC
  package var entries: [Entry]

  static let format: UInt8 = 4

  package init(senderSSRC: SSRC, entries: [Entry]) {
    self.senderSSRC = senderSSRC
    self.entries = entries
  }

  init(parsing reader: inout ByteReader) throws(RTPError) {
    senderSSRC = SSRC(try reader.uint32())
    _ = try reader.uint32()
    entries = []
    while !reader.isAtEnd {
      let entry = Entry(ssrc: SSRC(try reader.uint32()), commandNumber: try reader.uint8())
      _ = try reader.uint24()
      entries.append(entry)
    }
    guard !entries.isEmpty else { throw .truncated }
  }

  func write(to writer: inout ByteWriter) {
    writer.writeRTCP(type: RTCPType.payloadSpecificFeedback, count: Int(Self.format)) { writer in
      writer.write(senderSSRC.rawValue)
      writer.write(UInt32(0))
      for entry in entries {
        writer.write(entry.ssrc.rawValue)
        writer.write(entry.commandNumber)
        writer.writeUInt24(0)
      }
    }
  }
}

/// The bit rate that a receiver thinks its path carries, "REMB" (draft-alvestrand-rmcat-remb-03 §2.2).
package struct ReceiverEstimatedMaximumBitrate: Equatable, Sendable {
  package var senderSSRC: SSRC
  /// Bits per second over all of `sources`.
  ///
  /// A writer keeps the upper 18 significant bits.
  package var bitrate: UInt64
  /// At most 255.
  ///
  /// A writer leaves further ones out.
  package var sources: [SSRC]

  static let format: UInt8 = 15
  private static let identifier: UInt32 = 0x5245_4d42

  package init(senderSSRC: SSRC, bitrate: UInt64, sources: [SSRC]) {
    self.senderSSRC = senderSSRC
    self.bitrate = bitrate
    self.sources = sources
  }

  /// Nil for another application's feedback, which shares the format number (RFC 4585 §6.4).
  init?(parsing reader: inout ByteReader) throws(RTPError) {
    senderSSRC = SSRC(try reader.uint32())
    _ = try reader.uint32()
    guard reader.remaining >= 4, try reader.uint32() == Self.identifier else { return nil }
    let count = try reader.uint8()
    let rate = try reader.uint24()
    let (exponent, mantissa) = (rate >> 18, UInt64(rate & 0x3_ffff))
    // 18 bits shifted by up to 63: what no longer fits 64 bits stands for "no limit".
    bitrate = mantissa.leadingZeroBitCount >= Int(exponent) ? mantissa << UInt64(exponent) : .max
    sources = []
    for _ in 0..<count { sources.append(SSRC(try reader.uint32())) }
  }

  func write(to writer: inout ByteWriter) {
    let written = sources.prefix(255)
    let exponent = max(0, 64 - bitrate.leadingZeroBitCount - 18)
    writer.writeRTCP(type: RTCPType.payloadSpecificFeedback, count: Int(Self.format)) { writer in
      writer.write(senderSSRC.rawValue)
      writer.write(UInt32(0))
      writer.write(Self.identifier)
      writer.write(UInt8(written.count))
      writer.writeUInt24(UInt32(exponent) << 18 | UInt32(truncatingIfNeeded: bitrate >> UInt64(exponent)))
      for source in written { writer.write(source.rawValue) }
    }
  }
}
