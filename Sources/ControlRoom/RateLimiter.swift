import Incidents
import Primitives
import Synchronization

/// Holds everybody to a number of messages a second, by person and not by connection; sans-IO.
final class RateLimiter: Sendable {
  private struct Key: Hashable {
    let actor: String
    let isDurable: Bool
  }

  /// A token bucket: `level` tokens at `time`.
  private struct Bucket {
    var level: Double
    var time: MonotonicTime
  }

  private let buckets = Mutex<[Key: Bucket]>([:])
  private let limits: ControlRoomLimits

  /// People remembered at a time; at the limit all whose bucket has filled up again are forgotten, and if none has, all.
  static let maximumPeople = 16_384

  init(limits: ControlRoomLimits) {
    self.limits = limits
  }

  /// Nil when the wish may go on, else how long to wait.
  func delay(for wish: Wish, now: MonotonicTime) -> TimeInterval64? {
    let isDurable = wish.kind.traits.durability == .durable
    let rate = isDurable ? limits.durableRate : limits.ephemeralRate
    let burst = isDurable ? limits.durableBurst : limits.ephemeralBurst
    let key = Key(actor: wish.principal.actor.id, isDurable: isDurable)
    return buckets.withLock { buckets in
      if buckets[key] == nil, buckets.count >= Self.maximumPeople { forget(&buckets, now) }
      var bucket = buckets[key] ?? Bucket(level: burst, time: now)
      bucket.level = min(burst, bucket.level + max(0, (now - bucket.time).seconds) * rate)
      bucket.time = now
      let isAllowed = bucket.level >= 1
      if isAllowed { bucket.level -= 1 }
      buckets[key] = bucket
      return isAllowed ? nil : .seconds(min(3_600, max(0.001, (1 - bucket.level) / rate)))
    }
  }

  private func forget(_ buckets: inout [Key: Bucket], _ now: MonotonicTime) {
    let longest = max(limits.durableBurst / limits.durableRate, limits.ephemeralBurst / limits.ephemeralRate)
    buckets = buckets.filter { (now - $0.value.time).seconds < longest }
    if buckets.count >= Self.maximumPeople { buckets.removeAll() }
  }
}
