import Relay
import Synchronization

/// Shares what a node may send out among its media threads, the most urgent tier first (DESIGN decision 4).
///
/// Each thread writes down what its viewers could use, by tier, and reads what the others wrote: a tenth of a second old at
/// most, and without a lock.
package final class EgressLedger: Sendable {
  private let limit: Int
  private let shards: Int
  /// Bits per second, by shard and tier.
  ///
  /// The address never changes, and what stands there is atomic: an array cannot hold atomics.
  nonisolated(unsafe) private let cells: UnsafeMutablePointer<Atomic<Int>>

  package init(bitsPerSecond: Int, shards: Int) {
    limit = bitsPerSecond
    self.shards = shards
    cells = .allocate(capacity: shards * Tier.count)
    for place in 0..<(shards * Tier.count) { (cells + place).initialize(to: Atomic(0)) }
  }

  deinit {
    cells.deinitialize(count: shards * Tier.count)
    cells.deallocate()
  }

  /// Writes down what a shard's viewers could use, and returns what the shard may send, in bits per second.
  package func exchange(_ demands: [Int], shard: Int) -> Int {
    for tier in 0..<Tier.count {
      (cells + shard * Tier.count + tier).pointee.store(demands[tier], ordering: .relaxed)
    }
    let all = (0..<shards).map { shard in
      (0..<Tier.count).map { (cells + shard * Tier.count + $0).pointee.load(ordering: .relaxed) }
    }
    return Self.share(of: shard, of: limit, among: all)
  }

  /// A shard's part of `limit`: tier by tier all that its viewers could use, with the room that the allocator wants for
  /// raising; of a tier that does not fit, a part in proportion; of what is left over, an equal part.
  package static func share(of shard: Int, of limit: Int, among demands: [[Int]]) -> Int {
    var left = limit
    var own = 0
    for tier in 0..<Tier.count {
      let wanted = demands.map { $0[tier] + $0[tier] / Self.room }
      let total = wanted.reduce(0, +)
      guard total > left else {
        own += wanted[shard]
        left -= total
        continue
      }
      return own + Int(Double(left) * Double(wanted[shard]) / Double(total))
    }
    return own + left / demands.count
  }

  /// The allocator raises a rung only into a budget this part larger than what is used: a fifth and its reserve.
  private static let room = 4
}
