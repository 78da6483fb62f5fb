import Identity
import Primitives
import Testing

@Suite("Login throttle")
struct LoginThrottleTests {
  private static let start = UTCTime(seconds: 1_000_000)

  private static var limits: IdentityLimits {
    var limits = IdentityLimits()
    limits.maximumAccountFailures = 3
    limits.maximumAddressFailures = 5
    limits.failureWindow = .seconds(100)
    limits.lockout = .seconds(60)
    return limits
  }

  @Test func failuresLockTheAccountFromEverywhere() {
    var throttle = LoginThrottle(limits: Self.limits)
    #expect(throttle.noteFailure(account: "ada", address: "a1", now: Self.start) == nil)
    #expect(throttle.noteFailure(account: "ada", address: "a2", now: Self.start) == nil)
    #expect(throttle.lockedUntil(account: "ada", address: "a3", now: Self.start) == nil)
    let until = throttle.noteFailure(account: "ada", address: "a3", now: Self.start)
    #expect(until == Self.start + .seconds(60))
    #expect(throttle.lockedUntil(account: "ada", address: "elsewhere", now: Self.start + .seconds(59)) == until)
    #expect(throttle.lockedUntil(account: "ada", address: "elsewhere", now: Self.start + .seconds(60)) == nil)
    #expect(throttle.lockedUntil(account: "eve", address: "elsewhere", now: Self.start) == nil)
  }

  @Test func failuresLockTheAddressForAllAccounts() {
    var throttle = LoginThrottle(limits: Self.limits)
    for name in ["a", "b", "c", "d"] {
      #expect(throttle.noteFailure(account: name, address: "x", now: Self.start) == nil)
    }
    #expect(throttle.noteFailure(account: "e", address: "x", now: Self.start) == Self.start + .seconds(60))
    #expect(throttle.lockedUntil(account: "new", address: "x", now: Self.start) != nil)
    #expect(throttle.lockedUntil(account: "a", address: "y", now: Self.start) == nil)
  }

  @Test func failuresOutOfTheWindowDoNotCount() {
    var throttle = LoginThrottle(limits: Self.limits)
    for round in 0..<10 {
      let now = Self.start + .seconds(Double(round) * 101)
      #expect(throttle.noteFailure(account: "ada", address: "x", now: now) == nil)
      #expect(throttle.noteFailure(account: "ada", address: "y", now: now) == nil)
    }
  }

  @Test func lockoutsDoubleUpToThirtyTwofold() {
    var throttle = LoginThrottle(limits: Self.limits)
    var now = Self.start
    for factor in [1, 2, 4, 8, 16, 32, 32, 32] {
      var until: UTCTime?
      for place in 0..<3 { until = throttle.noteFailure(account: "ada", address: "\(factor) \(place)", now: now) }
      #expect(until == now + .seconds(Double(60 * factor)))
      now = (until ?? now) + .seconds(1)
    }
  }

  @Test func aGoodSignInClearsTheAccountButNotTheAddress() {
    var throttle = LoginThrottle(limits: Self.limits)
    for _ in 0..<2 { _ = throttle.noteFailure(account: "ada", address: "x", now: Self.start) }
    throttle.noteSuccess(account: "ada")
    for _ in 0..<2 { #expect(throttle.noteFailure(account: "ada", address: "x", now: Self.start) == nil) }
    #expect(throttle.noteFailure(account: "bob", address: "x", now: Self.start) != nil, "the fifth from there")
  }

  @Test func memoryIsBounded() {
    var throttle = LoginThrottle(limits: Self.limits)
    for _ in 0..<3 { _ = throttle.noteFailure(account: "locked", address: "here", now: Self.start) }
    for number in 0..<LoginThrottle.maximumRecords {
      _ = throttle.noteFailure(account: "a\(number)", address: "b\(number)", now: Self.start)
    }
    #expect(throttle.lockedUntil(account: "locked", address: "q", now: Self.start) != nil, "who is locked stays so")
  }
}
