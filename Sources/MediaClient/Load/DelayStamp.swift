import CSystemCalls
import Primitives

/// The time of sending, written over the last bytes of an RTP payload, so that whoever receives it knows the delay.
///
/// A relay may renumber packets as it likes, the payload stays. Nobody decodes what a load generator sends. Both ends must
/// read the same monotonic clock: one process, or one machine.
package enum DelayStamp {
  /// Bytes of the mark and the time.
  package static let length = 16
  /// Shorter payloads are left alone: their first bytes, which relays look at, stay as they are.
  package static let minimumPayload = 48
  /// What no codec writes by chance.
  private static let mark: UInt64 = 0x5369_6768_746c_696e

  /// The clock that both ends read.
  static let clock: @Sendable () -> MonotonicTime = { MonotonicTime(nanoseconds: sl_monotonic_nanoseconds()) }

  /// Stamps a payload; false when it is too short.
  @discardableResult @inline(__always)
  package static func write(_ time: MonotonicTime, into payload: UnsafeMutableRawBufferPointer) -> Bool {
    guard payload.count >= minimumPayload else { return false }
    payload.storeBytes(of: mark, toByteOffset: payload.count - length, as: UInt64.self)
    payload.storeBytes(of: time.nanoseconds, toByteOffset: payload.count - 8, as: UInt64.self)
    return true
  }

  /// When a payload was sent; nil for one without a stamp.
  @inline(__always)
  package static func read(_ payload: UnsafeRawBufferPointer) -> MonotonicTime? {
    guard payload.count >= minimumPayload,
      payload.loadUnaligned(fromByteOffset: payload.count - length, as: UInt64.self) == mark
    else { return nil }
    return MonotonicTime(nanoseconds: payload.loadUnaligned(fromByteOffset: payload.count - 8, as: UInt64.self))
  }
}
