import Primitives

/// Locks out whoever guesses: by account and by network address; sans-IO.
package struct LoginThrottle: Sendable {
  private struct Record {
    var failures = 0
    var windowStart: UTCTime
    var lockedUntil: UTCTime?
    /// Lock-outs in a row; each is twice as long as the one before.
    var lockouts = 0
  }

  private var records: [String: Record] = [:]
  private let limits: IdentityLimits

  /// Accounts and addresses remembered at a time; at the limit those that are not locked are forgotten, then all.
  package static let maximumRecords = 16_384

  package init(limits: IdentityLimits) {
    self.limits = limits
  }

  /// Until when this account or address is locked out; nil when it is not.
  package func lockedUntil(account: String, address: String, now: UTCTime) -> UTCTime? {
    [Self.key(account: account), Self.key(address: address)]
      .compactMap { records[$0]?.lockedUntil }.filter { $0 > now }.max()
  }

  /// Notes a failed try; until when it locks out, if it does.
  package mutating func noteFailure(account: String, address: String, now: UTCTime) -> UTCTime? {
    let byAccount = note(Self.key(account: account), limits.maximumAccountFailures, now)
    let byAddress = note(Self.key(address: address), limits.maximumAddressFailures, now)
    return [byAccount, byAddress].compactMap { $0 }.max()
  }

  /// A good sign-in clears its account, and leaves the address alone: it may be somebody else's cover.
  package mutating func noteSuccess(account: String) {
    records[Self.key(account: account)] = nil
  }

  private mutating func note(_ key: String, _ maximum: Int, _ now: UTCTime) -> UTCTime? {
    if records[key] == nil, records.count >= Self.maximumRecords { forget(now) }
    var record = records[key] ?? Record(windowStart: now)
    if now - record.windowStart > limits.failureWindow {
      record.failures = 0
      record.windowStart = now
    }
    record.failures += 1
    if record.failures >= maximum {
      record.failures = 0
      record.windowStart = now
      let factor = Int64(1) << Int64(min(record.lockouts, 5))
      record.lockouts += 1
      record.lockedUntil = now + limits.lockout * factor
    }
    records[key] = record
    return record.lockedUntil.flatMap { $0 > now ? $0 : nil }
  }

  private mutating func forget(_ now: UTCTime) {
    records = records.filter { ($0.value.lockedUntil ?? now) > now }
    if records.count >= Self.maximumRecords { records.removeAll() }
  }

  private static func key(account: String) -> String { "account \(account)" }
  private static func key(address: String) -> String { "address \(address)" }
}

/// Every bound of signing in that an agency may want to move.
package struct IdentityLimits: Sendable {
  /// Failures within the window that lock out.
  package var maximumAccountFailures = 10
  package var maximumAddressFailures = 50
  package var failureWindow = TimeInterval64.seconds(900)
  /// The first lock-out; the next are twice as long each, up to 32 times.
  package var lockout = TimeInterval64.seconds(900)
  /// A session that nothing was asked for this long is locked (CJIS: 30 minutes).
  package var idleLock = TimeInterval64.seconds(1_800)
  /// A session ends after this, whatever happens.
  package var sessionLifetime = TimeInterval64.seconds(43_200)
  /// How often `lastSeenAt` is stored.
  package var touchInterval = TimeInterval64.seconds(60)
  package var maximumSessionsPerAccount = 32
  package var maximumAccounts = 100_000
  package var maximumTokensPerAccount = 32

  package init() {}
}
