import Primitives

/// When the packets of a transport arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
package struct TransportFeedback: Equatable, Sendable {
  /// What became of one packet.
  package enum Status: Equatable, Sendable {
    case notReceived
    /// Arrived `delta` ticks of 250 µs after the one received before it; the first counts from the reference time.
    case received(delta: Int16)
  }

  package var senderSSRC: SSRC
  package var mediaSSRC: SSRC
  /// The transport-wide number of the first status.
  package var baseSequence: SequenceNumber
  /// 24 bits, in units of 64 ms on the receiver's clock.
  package var referenceTime: UInt32
  /// Number of this feedback packet, wrapping: a gap means that one was lost.
  package var feedbackCount: UInt8
  /// One status for each packet from `baseSequence` on.
  package var statuses: [Status]

  static let format: UInt8 = 15
  /// Most statuses that are read from one packet.
  ///
  /// Six bytes can claim 8,191 lost packets: without a limit a short feedback would cost much memory.
  package static let maximumStatuses = 8_192
  /// Ticks of 250 µs in one unit of the reference time.
  package static let ticksPerReferenceUnit: Int64 = 256
  /// Nanoseconds in one tick.
  package static let nanosecondsPerTick: Int64 = 250_000
  /// Bytes before the chunks, the RTCP header included.
  static let fixedLength = 20

  package init(
    senderSSRC: SSRC, mediaSSRC: SSRC, baseSequence: SequenceNumber, referenceTime: UInt32, feedbackCount: UInt8,
    statuses: [Status]
  ) {
    self.senderSSRC = senderSSRC
    self.mediaSSRC = mediaSSRC
    self.baseSequence = baseSequence
    self.referenceTime = referenceTime & 0xff_ffff
    self.feedbackCount = feedbackCount
    self.statuses = statuses
  }

  /// Visits each packet with its arrival in ticks of 250 µs on the receiver's clock, nil when it did not arrive.
  ///
  /// The clock's origin is unknown and the reference wraps every 12.4 days: only differences mean something.
  package func forEachPacket(_ visit: (SequenceNumber, Int64?) -> Void) {
    var ticks = Int64(referenceTime) * Self.ticksPerReferenceUnit
    for (index, status) in statuses.enumerated() {
      switch status {
      case .notReceived: visit(baseSequence &+ index, nil)
      case .received(let delta):
        ticks += Int64(delta)
        visit(baseSequence &+ index, ticks)
      }
    }
  }

  init(parsing reader: inout ByteReader) throws(RTPError) {
    senderSSRC = SSRC(try reader.uint32())
    mediaSSRC = SSRC(try reader.uint32())
    baseSequence = SequenceNumber(try reader.uint16())
    let count = Int(try reader.uint16())
    referenceTime = try reader.uint24()
    feedbackCount = try reader.uint8()
    guard count > 0 else { throw .malformed }
    guard count <= Self.maximumStatuses else { throw .limitExceeded }
    let symbols = try Symbol.parse(count, &reader)
    statuses = []
    statuses.reserveCapacity(count)
    for symbol in symbols {
      switch symbol {
      case .notReceived: statuses.append(.notReceived)
      case .smallDelta: statuses.append(.received(delta: Int16(try reader.uint8())))
      case .largeDelta: statuses.append(.received(delta: Int16(bitPattern: try reader.uint16())))
      }
    }
  }

  func write(to writer: inout ByteWriter) {
    writer.writeRTCP(type: RTCPType.transportLayerFeedback, count: Int(Self.format)) { writer in
      writer.write(senderSSRC.rawValue)
      writer.write(mediaSSRC.rawValue)
      writer.write(baseSequence.rawValue)
      writer.write(UInt16(truncatingIfNeeded: statuses.count))
      writer.writeUInt24(referenceTime)
      writer.write(feedbackCount)
      Symbol.write(statuses.map(Symbol.init), to: &writer)
      for status in statuses { status.writeDelta(to: &writer) }
    }
  }
}

extension TransportFeedback.Status {
  fileprivate func writeDelta(to writer: inout ByteWriter) {
    switch (self, TransportFeedback.Symbol(self)) {
    case (.received(let delta), .smallDelta): writer.write(UInt8(truncatingIfNeeded: delta))
    case (.received(let delta), .largeDelta): writer.write(UInt16(bitPattern: delta))
    case (.received, .notReceived), (.notReceived, _): break
    }
  }
}
