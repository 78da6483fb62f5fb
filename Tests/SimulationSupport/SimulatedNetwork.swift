import Primitives

/// Datagrams on their way between addresses, in simulated time, with faults that a seed decides.
///
/// No socket and no clock: ``send(_:from:to:now:)`` puts a datagram in, ``receive(now:)`` takes out what has arrived. The
/// core of the network is perfect; each address has an access link, whose two directions are impaired.
package struct SimulatedNetwork {
  /// One direction of an access link.
  package struct Quality: Sendable {
    package var delay = TimeInterval64.milliseconds(5)
    /// Up to this much is added to the delay, uniformly, so that datagrams overtake each other.
    package var jitter = TimeInterval64.zero
    /// Share of datagrams lost, 0 to 1.
    package var loss = 0.0
    /// Share of datagrams that arrive twice, 0 to 1.
    package var duplication = 0.0
    /// Share of datagrams held back by ``holdBack``, 0 to 1.
    package var reordering = 0.0
    package var holdBack = TimeInterval64.milliseconds(15)
    /// Share of datagrams of which a copy with a few damaged bytes arrives too, as an attacker on the way could send it.
    package var forgery = 0.0
    /// Bits per second; nil for no limit.
    package var rate: Int?
    /// What may wait for the link; more is dropped at the tail.
    package var queueLimit = TimeInterval64.milliseconds(200)
    package var isUp = true

    package init() {}

    package init(
      delay: TimeInterval64, jitter: TimeInterval64 = .zero, loss: Double = 0, duplication: Double = 0,
      reordering: Double = 0, rate: Int? = nil
    ) {
      self.delay = delay
      self.jitter = jitter
      self.loss = loss
      self.duplication = duplication
      self.reordering = reordering
      self.rate = rate
    }
  }

  package struct Arrival {
    package let time: MonotonicTime
    package let bytes: [UInt8]
    /// As the receiver sees it: its own address is local.
    package let path: TransportPath
    let order: Int
  }

  private struct AccessLink {
    var up = Quality()
    var down = Quality()
    var upBusyUntil = MonotonicTime.zero
    var downBusyUntil = MonotonicTime.zero
  }

  /// Sent, lost and delivered so far.
  package private(set) var sent = 0
  package private(set) var lost = 0
  private var links: [TransportAddress: AccessLink] = [:]
  /// Outside address by inside address.
  private var translations: [TransportAddress: TransportAddress] = [:]
  private var inFlight = ArrivalQueue()
  private var order = 0
  private var random: RandomSource

  package init(seed: UInt64) {
    random = .seeded(seed)
  }

  /// Impairs an address's link; nil leaves a direction as it is.
  package mutating func setLink(of address: TransportAddress, up: Quality? = nil, down: Quality? = nil) {
    if let up { links[address, default: AccessLink()].up = up }
    if let down { links[address, default: AccessLink()].down = down }
  }

  /// Cuts an address off, or gives it back its link.
  package mutating func setUp(_ isUp: Bool, _ address: TransportAddress) {
    links[address, default: AccessLink()].up.isUp = isUp
    links[address, default: AccessLink()].down.isUp = isUp
  }

  /// Puts a NAT before an address, or gives its binding another outside address; datagrams to the old one vanish.
  package mutating func translate(_ inside: TransportAddress, to outside: TransportAddress) {
    translations[inside] = outside
  }

  /// Puts a datagram on its way.
  package mutating func send(_ bytes: [UInt8], from: TransportAddress, to: TransportAddress, now: MonotonicTime) {
    sent += 1
    let source = translations[from] ?? from
    let destination = translations.first { $0.value == to }?.key ?? to
    guard translations[to] == nil else { return lost += 1 }  // An inside address means nothing outside.
    var sender = links[from] ?? AccessLink()
    let departure = pass(sender.up, &sender.upBusyUntil, bytes.count, at: now)
    links[from] = sender
    guard let departure else { return lost += 1 }
    var receiver = links[destination] ?? AccessLink()
    let copies = chance(receiver.down.duplication) || chance(sender.up.duplication) ? 2 : 1
    let isForged = chance(receiver.down.forgery) || chance(sender.up.forgery)
    for copy in 0..<(copies + (isForged ? 1 : 0)) {
      guard let time = pass(receiver.down, &receiver.downBusyUntil, bytes.count, at: departure) else {
        lost += 1
        continue
      }
      order += 1
      inFlight.insert(
        Arrival(
          time: time, bytes: copy < copies ? bytes : damaged(bytes),
          path: TransportPath(local: destination, remote: source), order: order))
    }
    links[destination] = receiver
  }

  /// When the next datagram arrives.
  package var nextArrival: MonotonicTime? { inFlight.first?.time }

  /// The next datagram that has arrived; nil when there is none.
  package mutating func receive(now: MonotonicTime) -> Arrival? {
    guard let first = inFlight.first, first.time <= now else { return nil }
    return inFlight.removeFirst()
  }

  /// When a datagram leaves the far end of a link direction; nil when it is lost there.
  private mutating func pass(
    _ quality: Quality, _ busyUntil: inout MonotonicTime, _ count: Int, at now: MonotonicTime
  ) -> MonotonicTime? {
    guard quality.isUp, !chance(quality.loss) else { return nil }
    var time = now
    if let rate = quality.rate {
      time = max(now, busyUntil)
      guard time - now <= quality.queueLimit else { return nil }
      time = time + TimeInterval64(nanoseconds: Int64(count) * 8 * 1_000_000_000 / Int64(rate))
      busyUntil = time
    }
    let jitter = quality.jitter.nanoseconds
    if jitter > 0 { time = time + TimeInterval64(nanoseconds: Int64(random.next() % UInt64(jitter))) }
    if chance(quality.reordering) { time = time + quality.holdBack }
    return time + quality.delay
  }

  private mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for _ in 0...(random.next() % 3) where !result.isEmpty {
      let place = Int(random.next() % UInt64(result.count))
      result[place] ^= UInt8(truncatingIfNeeded: random.next() | 1)
    }
    return random.next() % 4 == 0 ? Array(result.prefix(Int(random.next() % UInt64(result.count + 1)))) : result
  }

  private mutating func chance(_ probability: Double) -> Bool {
    guard probability > 0 else { return false }
    return Double(random.next() >> 11) * 0x1p-53 < probability
  }
}

/// Arrivals by time, then by order of sending: a binary heap.
private struct ArrivalQueue {
  private var heap: [SimulatedNetwork.Arrival] = []

  var first: SimulatedNetwork.Arrival? { heap.first }

  mutating func insert(_ arrival: SimulatedNetwork.Arrival) {
    heap.append(arrival)
    var place = heap.count - 1
    while place > 0, isBefore(place, (place - 1) / 2) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  mutating func removeFirst() -> SimulatedNetwork.Arrival {
    heap.swapAt(0, heap.count - 1)
    let result = heap.removeLast()
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isBefore(child, least) { least = child }
      guard least != place else { return result }
      heap.swapAt(place, least)
      place = least
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    (heap[left].time, heap[left].order) < (heap[right].time, heap[right].order)
  }
}
