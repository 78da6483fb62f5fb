import COpenSSL
import Primitives

/// When to repeat the last flight, by our own clock (RFC 6347 §4.2.4).
///
/// OpenSSL has a retransmission timer of its own. It compares a stored point in time with the wall clock, before every read
/// and in `DTLSv1_handle_timeout`, which does nothing while that point lies ahead. Our time is a parameter, so:
///
/// - OpenSSL is told durations of an hour (``never``): it never expires by itself, whatever the wall clock does.
/// - OpenSSL before 3.2 hands its BIO the address of the stored point at each start of the timer. When our deadline comes,
///   we set that point into the past and call `DTLSv1_handle_timeout`, which then repeats the flight.
/// - OpenSSL 3.2 and later hands out a copy instead. There OpenSSL is told our real durations; both clocks run at the same
///   pace in service, it counts a timer as expired 15 ms early, and when it still thinks it too soon we ask again shortly.
///   Only simulated time cannot drive that branch.
struct RetransmissionTimer {
  /// First wait.
  ///
  /// The round trip is not known; 150 ms covers most of them, and a repeated flight costs little.
  static let initialInterval = TimeInterval64.milliseconds(150)
  /// Longest wait.
  ///
  /// OpenSSL gives up at the 13th expiry, which these values put after ``DTLSTransport/handshakeTimeout``.
  static let maximumInterval = TimeInterval64.milliseconds(3200)
  /// Wait before asking OpenSSL again when its clock is behind ours.
  static let disagreementInterval = TimeInterval64.milliseconds(10)
  /// In microseconds, longer than any handshake may last.
  static let never: UInt32 = 3_600_000_000

  /// Whether OpenSSL's BIO controls carry the address of the timer (before 3.2) rather than a copy of its value.
  static let isStorageExposed = OPENSSL_version_major() == 3 && OPENSSL_version_minor() < 2

  /// When to repeat the flight; nil when no flight awaits an answer.
  private(set) var deadline: MonotonicTime?
  private var interval = initialInterval
  private var hasRestarted = false
  private var hasBackedOff = false
  /// The timer inside `SSL`, which lives as long as the `SSL` does.
  private var storage: UnsafeMutablePointer<timeval>?

  /// Called by OpenSSL through the BIO whenever it starts or stops its timer.
  mutating func noteStorage(_ pointer: UnsafeMutableRawPointer?) {
    guard Self.isStorageExposed else { return }
    storage = pointer?.assumingMemoryBound(to: timeval.self)
  }

  /// OpenSSL's question how long to wait, in microseconds; `current` is 0 when a new flight starts.
  mutating func durationForOpenSSL(current: UInt32) -> UInt32 {
    if current == 0 {
      interval = Self.initialInterval
      hasRestarted = true
    } else {
      interval = min(interval * 2, Self.maximumInterval)
      hasBackedOff = true
    }
    return Self.isStorageExposed ? Self.never : UInt32(interval.nanoseconds / 1000)
  }

  /// Brings the deadline up to date after a call into OpenSSL.
  mutating func update(of ssl: OpaquePointer, now: MonotonicTime) {
    var left = timeval()
    let isRunning = sl_dtls_get_timeout(ssl, &left) == 1
    if !isRunning {
      deadline = nil
    } else if hasRestarted || hasBackedOff || deadline == nil {
      deadline = now + interval
    }
    hasRestarted = false
    hasBackedOff = false
  }

  mutating func stop() {
    deadline = nil
  }

  /// Makes OpenSSL see its timer as expired.
  func expire() {
    storage?.pointee = timeval(tv_sec: 1, tv_usec: 0)
  }

  /// OpenSSL found it too early: its wall clock was set back or ours runs ahead.
  mutating func postpone(now: MonotonicTime) {
    deadline = now + Self.disagreementInterval
  }
}
