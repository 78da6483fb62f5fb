/// A synchronisation source identifier (RFC 3550 §3).
package struct SSRC: Hashable, BitwiseCopyable, Sendable, RawRepresentable, CustomStringConvertible {
  package var rawValue: UInt32

  @inlinable
  package init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  @inlinable
  package init(_ value: UInt32) {
    rawValue = value
  }

  package var description: String { String(rawValue) }
}

/// A 7-bit RTP payload type (RFC 3550 §5.1).
package struct PayloadType: Hashable, BitwiseCopyable, Sendable, RawRepresentable, CustomStringConvertible {
  package var rawValue: UInt8

  /// Keeps the lower seven bits: the eighth is the marker.
  @inlinable
  package init(rawValue: UInt8) {
    self.rawValue = rawValue & 0x7f
  }

  @inlinable
  package init(_ value: UInt8) {
    self.init(rawValue: value)
  }

  package var description: String { String(rawValue) }
}

/// A 16-bit RTP sequence number with serial arithmetic (RFC 1982, RFC 3550 §5.1).
package struct SequenceNumber: Hashable, BitwiseCopyable, Sendable, RawRepresentable, CustomStringConvertible {
  package var rawValue: UInt16

  @inlinable
  package init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  @inlinable
  package init(_ value: UInt16) {
    rawValue = value
  }

  /// Steps from `other` to `self`, from -32768 to 32767.
  @inlinable
  package func distance(from other: SequenceNumber) -> Int {
    Int(Int16(truncatingIfNeeded: Int(rawValue) &- Int(other.rawValue)))
  }

  @inlinable
  package func isNewer(than other: SequenceNumber) -> Bool {
    distance(from: other) > 0
  }

  @inlinable
  package static func &+ (number: SequenceNumber, steps: Int) -> SequenceNumber {
    SequenceNumber(UInt16(truncatingIfNeeded: Int(number.rawValue) &+ steps))
  }

  package var description: String { String(rawValue) }
}

/// Extends 16-bit sequence numbers to 64 bits by the nearest-value rule (RFC 3711 §3.3.1).
package struct SequenceUnwrapper: Sendable {
  /// The highest extended number so far, once there is one.
  package private(set) var highest: Int64?

  package init() {}

  /// The extended number of `number`; it advances `highest` when it is newer.
  ///
  /// The first number is extended into the second cycle, so that an earlier packet that comes late stays positive.
  @inline(__always)
  package mutating func unwrap(_ number: SequenceNumber) -> Int64 {
    guard let last = highest else {
      let first = Int64(number.rawValue) + 65_536
      highest = first
      return first
    }
    let extended = last &+ Int64(number.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: last))))
    if extended > last { highest = extended }
    return extended
  }
}
