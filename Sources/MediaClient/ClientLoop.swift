import CSystemCalls
import DTLS
import DataChannel
import Foundation
import Primitives
import SRTP
import Sockets

/// The thread that drives our own client peers, as a shard drives the server's.
package final class ClientLoop {
  let queue: CommandQueue<ClientLoop>
  let poller: Poller
  package let engine: SRTPEngine
  /// Made for the first peer with data channels.
  private(set) lazy var sctp = SCTPStack()
  /// A peer's token is its place here plus one; places are not used again.
  private var peers: [(any ClientLoopPeer)?] = []
  private var nextScan = MonotonicTime.zero
  private var batch = ReceiveBatch()
  private var isStopping = false
  package private(set) var now: MonotonicTime

  /// What is due within this time is done together, so that many peers cost few wake-ups.
  private static let granularity = TimeInterval64.milliseconds(1)
  private static let longestWait = TimeInterval64.milliseconds(100)
  private static let queueToken: UInt64 = 0

  private init(queue: CommandQueue<ClientLoop>) throws {
    self.queue = queue
    poller = try Poller()
    engine = try SRTPEngine.fastest()
    now = MonotonicTime(nanoseconds: sl_monotonic_nanoseconds())
    try poller.add(queue.descriptor, token: Self.queueToken)
  }

  /// Starts a loop on a thread of its own.
  package static func start(name: String) throws -> ClientLoopHandle {
    let queue = try CommandQueue<ClientLoop>()
    let loop = try ClientLoop(queue: queue)
    let (ended, ending) = AsyncStream.makeStream(of: Never.self)
    // The loop is handed over to its thread here and is never touched from another one again.
    nonisolated(unsafe) let body = loop
    let thread = Thread {
      sl_name_thread(name)
      body.run()
      ending.finish()
    }
    thread.stackSize = 2 << 20
    thread.start()
    return ClientLoopHandle(queue: queue, ended: ended)
  }

  /// Nanoseconds of CPU time that this thread has used.
  package var cpuNanoseconds: UInt64 { sl_thread_cpu_nanoseconds() }

  package func add(_ peer: any ClientLoopPeer) throws {
    try poller.add(peer.socket.descriptor, token: UInt64(peers.count + 1))
    peers.append(peer)
    peer.start(now: now)
    nextScan = now
  }

  package func remove(_ peer: any ClientLoopPeer) {
    guard let place = peers.firstIndex(where: { $0 === peer }) else { return }
    forget(peer, at: place)
    peer.close(now: now)
  }

  private func forget(_ peer: any ClientLoopPeer, at place: Int) {
    poller.remove(peer.socket.descriptor)
    peers[place] = nil
  }

  package func stop() {
    isStopping = true
  }

  private func run() {
    while !isStopping {
      let ready = poller.wait(min(nextScan - now, Self.longestWait))
      readClock()
      for place in 0..<ready { serve(poller.token(of: place)) }
      if now >= nextScan { scan() }
    }
    for command in queue.close() { command(self) }
    for case let peer? in peers { peer.close(now: now) }
  }

  private func readClock() {
    now = MonotonicTime(nanoseconds: sl_monotonic_nanoseconds())
  }

  /// Lets every peer do what is due and finds out when the next one is.
  private func scan() {
    let wall = NTPTimestamp(unixNanoseconds: sl_realtime_nanoseconds())
    var earliest = now + Self.longestWait
    for (place, entry) in peers.enumerated() {
      guard let peer = entry else { continue }
      if peer.wakeAt <= now { peer.tick(now: now, wall: wall) }
      if peer.isClosed { forget(peer, at: place) }
      earliest = min(earliest, peer.wakeAt)
    }
    nextScan = max(earliest, now + Self.granularity)
    readClock()
  }

  private func serve(_ token: UInt64) {
    if token == Self.queueToken {
      for command in queue.take() { command(self) }
    } else if let peer = peers[Int(token) - 1] {
      receive(peer)
    }
  }

  private func receive(_ peer: any ClientLoopPeer) {
    let count = batch.receive(from: peer.socket.descriptor)
    // Each socket's own time: with many of them the first and the last are far apart.
    readClock()
    let wall = sl_realtime_nanoseconds()
    for place in 0..<count {
      guard let sender = batch.sender(of: place) else { continue }
      // What waited for this thread has arrived before.
      let waited = batch.arrival(of: place).map { wall > $0 ? wall - $0 : 0 } ?? 0
      let arrival = MonotonicTime(nanoseconds: now.nanoseconds - min(waited, now.nanoseconds))
      let bytes = batch.bytes(of: place)
      let size = batch.segmentSize(of: place)
      var offset = 0
      while offset < bytes.count {
        let end = min(offset + size, bytes.count)
        peer.receive(
          UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<end]), from: sender, arrival: arrival, now: now)
        offset = end
      }
    }
    peer.finishReceiving(now: now)
    nextScan = min(nextScan, max(peer.wakeAt, now + Self.granularity))
  }
}

/// A client loop as other threads see it.
package final class ClientLoopHandle: Sendable {
  private let queue: CommandQueue<ClientLoop>
  private let ended: AsyncStream<Never>

  init(queue: CommandQueue<ClientLoop>, ended: AsyncStream<Never>) {
    self.queue = queue
    self.ended = ended
  }

  /// Runs `body` on the loop's thread; nil when the loop has stopped.
  package func perform<Value: Sendable>(_ body: @escaping @Sendable (ClientLoop) -> Value) async -> Value? {
    await withCheckedContinuation { continuation in
      let accepted = queue.submit { continuation.resume(returning: body($0)) }
      if !accepted { continuation.resume(returning: nil) }
    }
  }

  /// Ends the thread; peers say goodbye.
  package func stop() async {
    _ = queue.submit(evenWhenFull: true) { $0.stop() }
    for await _ in ended {}
  }
}
