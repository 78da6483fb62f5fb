import Primitives

/// Reception of one source, as a report tells it (RFC 3550 §6.4.1).
package struct ReportBlock: Equatable, Sendable {
  /// The source that is reported on.
  package var ssrc: SSRC
  /// Share of packets lost since the last report, in 256ths.
  package var fractionLost: UInt8
  /// Packets lost since the beginning; 24 bits, negative when duplicates outnumber losses.
  package var cumulativeLost: Int32
  /// Cycles in the upper half, the highest sequence number received in the lower.
  package var extendedHighestSequence: UInt32
  /// Interarrival jitter, in timestamp units.
  package var jitter: UInt32
  /// Middle 32 bits of the last sender report's NTP time; 0 when there was none.
  package var lastSenderReport: UInt32
  /// Time since that report arrived, in units of 2^-16 s; 0 when there was none.
  package var delaySinceLastSenderReport: UInt32

  package init(
    ssrc: SSRC, fractionLost: UInt8 = 0, cumulativeLost: Int32 = 0, extendedHighestSequence: UInt32 = 0,
    jitter: UInt32 = 0, lastSenderReport: UInt32 = 0, delaySinceLastSenderReport: UInt32 = 0
  ) {
    self.ssrc = ssrc
    self.fractionLost = fractionLost
    self.cumulativeLost = cumulativeLost
    self.extendedHighestSequence = extendedHighestSequence
    self.jitter = jitter
    self.lastSenderReport = lastSenderReport
    self.delaySinceLastSenderReport = delaySinceLastSenderReport
  }

  /// Round-trip time, when this block answers a report of ours (RFC 3550 §6.4.1, figure 2).
  ///
  /// `now` is the arrival of this block on the clock that filled our sender reports. Nil when the peer has seen no
  /// report of ours, or when its figures would make the time negative.
  package func roundTripTime(now: NTPTimestamp) -> TimeInterval64? {
    guard lastSenderReport != 0 else { return nil }
    let units = Int32(bitPattern: now.middle32 &- lastSenderReport &- delaySinceLastSenderReport)
    guard units >= 0 else { return nil }
    return TimeInterval64(nanoseconds: (Int64(units) * 1_000_000_000) >> 16)
  }

  init(parsing reader: inout ByteReader) throws(RTPError) {
    ssrc = SSRC(try reader.uint32())
    fractionLost = try reader.uint8()
    cumulativeLost = Int32(bitPattern: try reader.uint24() << 8) >> 8
    extendedHighestSequence = try reader.uint32()
    jitter = try reader.uint32()
    lastSenderReport = try reader.uint32()
    delaySinceLastSenderReport = try reader.uint32()
  }

  func write(to writer: inout ByteWriter) {
    writer.write(ssrc.rawValue)
    writer.write(fractionLost)
    writer.writeUInt24(UInt32(bitPattern: cumulativeLost))
    writer.write(extendedHighestSequence)
    writer.write(jitter)
    writer.write(lastSenderReport)
    writer.write(delaySinceLastSenderReport)
  }

  /// Most blocks in one report: the count has five bits.
  ///
  /// A writer leaves further ones out.
  package static let maximumPerReport = 31

  fileprivate static func parse(_ count: UInt8, _ reader: inout ByteReader) throws(RTPError) -> [ReportBlock] {
    var blocks: [ReportBlock] = []
    for _ in 0..<count { blocks.append(try ReportBlock(parsing: &reader)) }
    return blocks
  }
}

/// What a sender tells about its stream, and what it received (RFC 3550 §6.4.1).
package struct SenderReport: Equatable, Sendable {
  package var ssrc: SSRC
  /// When the report was made.
  package var ntpTime: NTPTimestamp
  /// The same instant in the stream's timestamp units.
  package var rtpTimestamp: UInt32
  /// Packets sent since the beginning, wrapping.
  package var packetCount: UInt32
  /// Payload bytes sent since the beginning, wrapping.
  package var octetCount: UInt32
  package var reports: [ReportBlock]

  package init(
    ssrc: SSRC, ntpTime: NTPTimestamp, rtpTimestamp: UInt32, packetCount: UInt32, octetCount: UInt32,
    reports: [ReportBlock] = []
  ) {
    self.ssrc = ssrc
    self.ntpTime = ntpTime
    self.rtpTimestamp = rtpTimestamp
    self.packetCount = packetCount
    self.octetCount = octetCount
    self.reports = reports
  }

  init(parsing reader: inout ByteReader, count: UInt8) throws(RTPError) {
    ssrc = SSRC(try reader.uint32())
    ntpTime = NTPTimestamp(bits: try reader.uint64())
    rtpTimestamp = try reader.uint32()
    packetCount = try reader.uint32()
    octetCount = try reader.uint32()
    reports = try ReportBlock.parse(count, &reader)
  }

  func write(to writer: inout ByteWriter) {
    let blocks = reports.prefix(ReportBlock.maximumPerReport)
    writer.writeRTCP(type: RTCPType.senderReport, count: blocks.count) { writer in
      writer.write(ssrc.rawValue)
      writer.write(ntpTime.bits)
      writer.write(rtpTimestamp)
      writer.write(packetCount)
      writer.write(octetCount)
      for block in blocks { block.write(to: &writer) }
    }
  }
}

/// What a receiver tells about the streams that it gets (RFC 3550 §6.4.2).
package struct ReceiverReport: Equatable, Sendable {
  package var ssrc: SSRC
  package var reports: [ReportBlock]

  package init(ssrc: SSRC, reports: [ReportBlock] = []) {
    self.ssrc = ssrc
    self.reports = reports
  }

  init(parsing reader: inout ByteReader, count: UInt8) throws(RTPError) {
    ssrc = SSRC(try reader.uint32())
    reports = try ReportBlock.parse(count, &reader)
  }

  func write(to writer: inout ByteWriter) {
    let blocks = reports.prefix(ReportBlock.maximumPerReport)
    writer.writeRTCP(type: RTCPType.receiverReport, count: blocks.count) { writer in
      writer.write(ssrc.rawValue)
      for block in blocks { block.write(to: &writer) }
    }
  }
}
