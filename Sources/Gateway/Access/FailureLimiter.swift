import Primitives

/// Counts failed sign-ins by network address, so that a guesser is told to slow down; sans-IO.
///
/// Only failures are limited: a good token passes whatever its neighbours behind the same address translator do.
package struct FailureLimiter {
  private struct Window {
    var start: MonotonicTime
    var failures: Int
  }

  private var windows: [String: Window] = [:]
  private let maximumFailures: Int

  /// Failures are counted over this long.
  package static let window = TimeInterval64.seconds(60)
  /// Addresses remembered at a time; at the limit all windows that are over are forgotten, and if none is, all.
  package static let maximumAddresses = 8192

  /// - Parameter maximumFailures: Failures in one window that still get their own answer.
  package init(maximumFailures: Int) {
    self.maximumFailures = maximumFailures
  }

  /// Notes a failure; the whole seconds to wait when there were too many, else nil.
  package mutating func noteFailure(from address: String, now: MonotonicTime) -> Int? {
    if windows[address] == nil, windows.count >= Self.maximumAddresses {
      windows = windows.filter { now - $0.value.start < Self.window }
      if windows.count >= Self.maximumAddresses { windows.removeAll() }
    }
    var window = windows[address] ?? Window(start: now, failures: 0)
    if now - window.start >= Self.window {
      window = Window(start: now, failures: 0)
    }
    window.failures = min(window.failures + 1, maximumFailures + 1)
    windows[address] = window
    guard window.failures > maximumFailures else { return nil }
    let left = Self.window - (now - window.start)
    return max(1, Int(left.seconds.rounded(.up)))
  }
}
