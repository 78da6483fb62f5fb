/// Packets that left one after the other, and how fast they left and arrived.
///
/// Times are nanoseconds, each on its own clock.
package struct PacketTrain {
  /// Bytes of all packets.
  private(set) var bytes: Int
  private(set) var packets = 1
  private(set) var firstSent: Int64
  private(set) var lastSent: Int64
  private(set) var firstArrival: Int64
  private(set) var lastArrival: Int64
  /// Of the packets that left last, and of those that arrived first, each at one instant.
  private var bytesSentLast: Int
  private var bytesArrivedFirst: Int
  /// The longest time between two arrivals, and what came at its end.
  private var longestGap: Int64 = 0
  private var bytesAfterGap = 0

  init(bytes: Int, sent: Int64, arrival: Int64) {
    self.bytes = bytes
    (firstSent, lastSent) = (sent, sent)
    (firstArrival, lastArrival) = (arrival, arrival)
    (bytesSentLast, bytesArrivedFirst) = (bytes, bytes)
  }

  /// - Parameter others: Bytes of what went before it, behind the last one.
  mutating func add(bytes length: Int, others: Int = 0, sent: Int64, arrival: Int64) {
    bytes += length + others
    packets += 1
    firstSent = min(firstSent, sent)
    if sent >= lastSent {
      bytesSentLast = sent == lastSent ? bytesSentLast + length : length
      lastSent = sent
    }
    if arrival &- lastArrival > longestGap {
      longestGap = arrival &- lastArrival
      bytesAfterGap = length + others
    }
    lastArrival = max(lastArrival, arrival)
    if arrival <= firstArrival {
      bytesArrivedFirst = arrival == firstArrival ? bytesArrivedFirst + length : length
      firstArrival = arrival
    }
  }

  /// Bits per second between the first and the last instant, in which all went but what went at one end; nil when all was
  /// at one instant.
  var sentRate: Double? {
    lastSent > firstSent ? Double(bytes - bytesSentLast) * 8e9 / Double(lastSent &- firstSent) : nil
  }

  /// As ``sentRate``, of the arrivals.
  var arrivedRate: Double? {
    lastArrival > firstArrival ? Double(bytes - bytesArrivedFirst) * 8e9 / Double(lastArrival &- firstArrival) : nil
  }
}

extension PacketTrain {
  /// Whether no pause between two arrivals is much longer than the others.
  var isEven: Bool {
    longestGap > 0 && Double(longestGap) * Double(packets - 1) <= 3 * Double(lastArrival &- firstArrival)
  }

  /// As ``arrivedRate``, without the longest pause.
  ///
  /// A link spaces packets evenly, but a receiver that was busy for a moment does not. Infinite when the rest came at one
  /// instant.
  var evenRate: Double {
    let time = lastArrival &- firstArrival &- longestGap
    return time > 0 ? Double(bytes - bytesArrivedFirst - bytesAfterGap) * 8e9 / Double(time) : .infinity
  }
}

/// A train, and what of it came after its first bytes: a token bucket that was full lets those pass at once, however slow
/// the link behind it.
package struct MeasuredTrain {
  /// Packets that must be left.
  static let fewest = 3

  private(set) var whole: PacketTrain
  private var rest: PacketTrain?
  private let front: Int

  /// - Parameter front: Bytes at the front that tell nothing when enough packets follow.
  init(front: Int, bytes: Int, sent: Int64, arrival: Int64) {
    self.front = front
    whole = PacketTrain(bytes: bytes, sent: sent, arrival: arrival)
  }

  /// - Parameter others: Bytes of what went before it, behind the last one.
  mutating func add(bytes: Int, others: Int = 0, sent: Int64, arrival: Int64) {
    if rest != nil {
      rest?.add(bytes: bytes, others: others, sent: sent, arrival: arrival)
    } else if whole.bytes + others + bytes > front {
      rest = PacketTrain(bytes: bytes, sent: sent, arrival: arrival)
    }
    whole.add(bytes: bytes, others: others, sent: sent, arrival: arrival)
  }

  /// The rest, if it is enough to tell something.
  var steady: PacketTrain? {
    guard let rest, rest.packets >= Self.fewest else { return nil }
    return rest
  }
}
