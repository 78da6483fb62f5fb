import Primitives

/// The send time that `abs-send-time` carries: 24 bits, 6.18 seconds fixed point, wrapping every 64 s.
package struct AbsoluteSendTime: Equatable, Sendable {
  /// The lower 24 bits, in units of 2^-18 s.
  package var rawValue: UInt32

  /// Bytes on the wire.
  package static let byteCount = 3

  package init(rawValue: UInt32) {
    self.rawValue = rawValue & 0xff_ffff
  }

  /// The time `now`, on whatever clock the sender uses: receivers look at differences only.
  @inline(__always)
  package init(_ now: MonotonicTime) {
    let seconds = now.nanoseconds / 1_000_000_000
    let fraction = (now.nanoseconds % 1_000_000_000) << 18 / 1_000_000_000
    self.init(rawValue: UInt32(truncatingIfNeeded: seconds << 18 | fraction))
  }

  /// Nil unless the value has three bytes.
  package init?(parsing value: UnsafeRawBufferPointer) {
    guard value.count == Self.byteCount, let base = value.baseAddress else { return nil }
    self.init(rawValue: base.uint24(at: 0))
  }

  /// The interval from `earlier` to this time, taken as at most half of the 64 s cycle.
  package func interval(since earlier: AbsoluteSendTime) -> TimeInterval64 {
    let difference = Int32(bitPattern: (rawValue &- earlier.rawValue) << 8) >> 8
    return TimeInterval64(nanoseconds: (Int64(difference) * 1_000_000_000) >> 18)
  }

  /// Writes the time `now` over the element `id`, if the packet has it.
  @discardableResult
  package static func overwrite(
    id: UInt8, now: MonotonicTime, header: RTPHeader, packet: UnsafeMutableRawPointer
  ) -> Bool {
    header.overwriteExtension(id: id, with: AbsoluteSendTime(now).rawValue, byteCount: byteCount, in: packet)
  }
}

/// The transport-wide sequence numbers that a sender gives out, one for each packet of a transport.
package struct TransportSequence: Equatable, Sendable {
  /// The number that the next packet gets.
  package private(set) var upcoming: SequenceNumber

  /// Bytes on the wire.
  package static let byteCount = 2

  package init(startingAt first: SequenceNumber = SequenceNumber(0)) {
    upcoming = first
  }

  /// The number for the packet that is about to be sent.
  @inline(__always)
  package mutating func next() -> SequenceNumber {
    defer { upcoming = upcoming &+ 1 }
    return upcoming
  }

  /// Nil unless the value has two bytes, or four as version 2 of the extension does.
  package static func parse(_ value: UnsafeRawBufferPointer) -> SequenceNumber? {
    guard value.count == 2 || value.count == 4, let base = value.baseAddress else { return nil }
    return SequenceNumber(base.uint16(at: 0))
  }

  /// Writes `sequence` over the element `id`, if the packet has it.
  @discardableResult
  package static func overwrite(
    id: UInt8, sequence: SequenceNumber, header: RTPHeader, packet: UnsafeMutableRawPointer
  ) -> Bool {
    header.overwriteExtension(id: id, with: UInt32(sequence.rawValue), byteCount: byteCount, in: packet)
  }
}

/// The loudness of the audio in a packet (RFC 6464 §3).
package struct AudioLevel: Equatable, Sendable {
  /// Whether the sender's detector heard a voice.
  package var voiceActivity: Bool
  /// Level in -dBov: 0 is the loudest, 127 is silence.
  package var attenuation: UInt8

  package init(voiceActivity: Bool, attenuation: UInt8) {
    self.voiceActivity = voiceActivity
    self.attenuation = min(attenuation, 127)
  }

  /// Nil for an empty value.
  ///
  /// In the two-byte form a padding byte may follow (RFC 6464 §3).
  package init?(parsing value: UnsafeRawBufferPointer) {
    guard let byte = value.first else { return nil }
    self.init(voiceActivity: byte & 0x80 != 0, attenuation: byte & 0x7f)
  }

  /// The byte on the wire.
  package var rawValue: UInt8 { (voiceActivity ? 0x80 : 0) | attenuation }
}

/// How a picture must be turned to be upright (3GPP TS 26.114 §7.4.5).
package struct VideoOrientation: Equatable, Sendable {
  /// The picture comes from the camera on the back.
  package var isBackCamera: Bool
  /// The picture is to be mirrored left to right.
  package var isFlipped: Bool
  /// Clockwise rotation to apply, in quarter turns, 0 to 3.
  package var quarterTurns: UInt8

  package init(isBackCamera: Bool, isFlipped: Bool, quarterTurns: UInt8) {
    self.isBackCamera = isBackCamera
    self.isFlipped = isFlipped
    self.quarterTurns = quarterTurns & 3
  }

  /// Nil for an empty value.
  package init?(parsing value: UnsafeRawBufferPointer) {
    guard let byte = value.first else { return nil }
    self.init(isBackCamera: byte & 8 != 0, isFlipped: byte & 4 != 0, quarterTurns: byte & 3)
  }

  /// The byte on the wire.
  package var rawValue: UInt8 { (isBackCamera ? 8 : 0) | (isFlipped ? 4 : 0) | quarterTurns }
}
