import Primitives
import RTP

/// A packet on its way through the simulation.
struct SimulatedPacket {
  var flow: Int
  var sequence: UInt16
  var bytes: Int
  var sentAt: MonotonicTime
  /// Bottlenecks passed so far.
  var hop = 0
  /// Time spent in queues so far.
  var queued = TimeInterval64.zero
  var enteredAt = MonotonicTime.zero
  /// What the packet carries, when it goes the other way.
  var feedback: TransportFeedback?
}

/// A link with a rate, a queue that drops at its tail, and what else a way does to packets.
struct Bottleneck {
  /// Bits per second from a time on.
  var schedule: [(from: MonotonicTime, bitsPerSecond: Int)]
  /// What may wait, as time at the current rate.
  var queueLimit = TimeInterval64.milliseconds(300)
  /// Share of packets lost at random.
  var loss = 0.0
  /// Up to this much is added to a packet's way after the queue.
  var jitter = TimeInterval64.zero
  var keepsOrder = true

  private var waiting: [SimulatedPacket] = []
  private var head = 0
  private var waitingBytes = 0
  private var freeAt = MonotonicTime.zero
  private var lastLeft = MonotonicTime.zero
  private var random: RandomSource

  init(bitsPerSecond: Int, seed: UInt64) {
    schedule = [(.zero, bitsPerSecond)]
    random = .seeded(seed)
  }

  func rate(at time: MonotonicTime) -> Int {
    schedule.last { $0.from <= time }?.bitsPerSecond ?? 1
  }

  /// False when the packet is lost.
  mutating func enqueue(_ packet: SimulatedPacket, now: MonotonicTime) -> Bool {
    let wait = Double(waitingBytes * 8) / Double(rate(at: now))
    guard Double.random(in: 0..<1, using: &random) >= loss, wait <= queueLimit.seconds else {
      return false
    }
    var packet = packet
    packet.enteredAt = now
    waiting.append(packet)
    waitingBytes += packet.bytes
    return true
  }

  /// What leaves until `now`, each with its time.
  mutating func advance(to now: MonotonicTime) -> [(packet: SimulatedPacket, at: MonotonicTime)] {
    var leaving: [(packet: SimulatedPacket, at: MonotonicTime)] = []
    while head < waiting.count {
      var packet = waiting[head]
      let start = max(freeAt, packet.enteredAt)
      let finish = start + .seconds(Double(packet.bytes * 8) / Double(rate(at: now)))
      guard finish <= now else { break }
      head += 1
      waitingBytes -= packet.bytes
      freeAt = finish
      packet.queued = packet.queued + (finish - packet.enteredAt)
      packet.hop += 1
      let late = jitter == .zero ? 0 : Int64.random(in: 0...jitter.nanoseconds, using: &random)
      let left = finish + TimeInterval64(nanoseconds: late)
      lastLeft = keepsOrder ? max(lastLeft, left) : left
      leaving.append((packet, lastLeft))
    }
    if head > 1_000 {
      waiting.removeFirst(head)
      head = 0
    }
    return leaving
  }
}
