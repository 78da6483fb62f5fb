/// How many things took how long, second by second; what took longer than the last bin is counted together.
package struct SecondsHistogram: Hashable, Sendable {
  /// Bins of one second each: the first holds 0 to 1 s, the second what is longer, up to 2 s.
  package static let binCount = 120

  /// The bins, and what was longer than all of them behind; empty until something is counted.
  private var counts: [UInt32] = []
  package private(set) var total = 0

  package init() {}

  /// Counts something that took so long; what is below nothing took no time.
  package mutating func add(_ seconds: Double) {
    if counts.isEmpty { counts = [UInt32](repeating: 0, count: Self.binCount + 1) }
    let bin = seconds >= Double(Self.binCount) + 1 ? Self.binCount : Int(max(1, seconds.rounded(.up))) - 1
    counts[min(bin, Self.binCount)] &+= 1
    total += 1
  }

  package mutating func add(_ other: SecondsHistogram) {
    guard !other.counts.isEmpty else { return }
    if counts.isEmpty { counts = [UInt32](repeating: 0, count: Self.binCount + 1) }
    for index in counts.indices { counts[index] &+= other.counts[index] }
    total += other.total
  }

  /// How many took `seconds` at most.
  package func count(within seconds: Int) -> Int {
    counts.prefix(max(0, min(seconds, Self.binCount))).reduce(0) { $0 + Int($1) }
  }

  /// How many took longer than all bins.
  package var beyond: Int { counts.last.map(Int.init) ?? 0 }

  /// The seconds within which `share` of all were done, rounded up; nil when there is none, or it is beyond the bins.
  package func percentile(_ share: Double) -> Int? {
    guard total > 0 else { return nil }
    let rank = max(1, Int((Double(total) * share).rounded(.up)))
    var seen = 0
    for (bin, count) in counts.prefix(Self.binCount).enumerated() {
      seen += Int(count)
      if seen >= rank { return bin + 1 }
    }
    return nil
  }

  /// Bins that hold something: the second that each ends with, and how many.
  package var bins: [(upTo: Int, count: Int)] {
    counts.prefix(Self.binCount).enumerated().compactMap { $1 == 0 ? nil : ($0 + 1, Int($1)) }
  }
}
