/// Bits per second over the last half second of some clock, from packets in about the order of that clock.
package struct RateWindow {
  /// Nanoseconds in a bucket; 20 buckets are the window.
  package static let bucket: Int64 = 25_000_000
  package static let buckets: Int64 = 20
  /// Less time than this gives no rate.
  package static let shortest: Int64 = 6

  private var bytes = InlineArray<20, Int>(repeating: 0)
  private var newest: Int64?
  private var oldest: Int64 = 0
  private var sum = 0

  package init() {}

  /// - Parameter time: Nanoseconds, not negative.
  package mutating func add(_ length: Int, at time: Int64) {
    let index = time / Self.bucket
    guard let newest else {
      restart(at: index, length)
      return
    }
    if index > newest {
      guard index - newest < Self.buckets else { return restart(at: index, length) }
      for number in (newest + 1)...index {
        sum -= bytes[place(number)]
        bytes[place(number)] = 0
      }
      self.newest = index
    } else if index <= newest - Self.buckets {
      return
    }
    bytes[place(index)] += length
    sum += length
  }

  /// Nil while too little is known.
  package var bitsPerSecond: Double? {
    guard let newest else { return nil }
    let length = min(newest - oldest, Self.buckets - 1)
    guard length >= Self.shortest else { return nil }
    // The newest bucket is still filling.
    let settled = sum - bytes[place(newest)]
    return Double(settled) * 8 / (Double(length) * Double(Self.bucket) / 1e9)
  }

  /// The same over the last 150 ms; nil while too little is known.
  package var latestBitsPerSecond: Double? {
    guard let newest, newest - oldest >= Self.shortest else { return nil }
    let settled = (1...Self.shortest).reduce(0) { $0 + bytes[place(newest - $1)] }
    return Double(settled) * 8 / (Double(Self.shortest) * Double(Self.bucket) / 1e9)
  }

  private mutating func restart(at index: Int64, _ length: Int) {
    bytes = InlineArray(repeating: 0)
    newest = index
    oldest = index
    sum = length
    bytes[place(index)] = length
  }

  private func place(_ index: Int64) -> Int { Int(((index % Self.buckets) + Self.buckets) % Self.buckets) }
}
