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
  package let sctp: SCTPStack
  private var peers: [Int: ClientPeer] = [:]
  private var nextKey = 1
  private var batch = ReceiveBatch()
  private var isStopping = false
  package private(set) var now: MonotonicTime

  /// How often peers get to send what is due.
  private static let tick = TimeInterval64.milliseconds(2)
  private static let idleTick = TimeInterval64.milliseconds(100)
  private static let queueToken: UInt64 = 0

  private init(queue: CommandQueue<ClientLoop>) throws {
    self.queue = queue
    poller = try Poller()
    engine = try SRTPEngine.fastest()
    sctp = SCTPStack()
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

  package func add(_ peer: ClientPeer) throws {
    let key = nextKey
    nextKey += 1
    try poller.add(peer.socket.descriptor, token: UInt64(key))
    peers[key] = peer
    peer.start(now: now)
  }

  package func remove(_ peer: ClientPeer) {
    guard let key = peers.first(where: { $0.value === peer })?.key else { return }
    poller.remove(peer.socket.descriptor)
    peers[key] = nil
    peer.close(now: now)
  }

  package func stop() {
    isStopping = true
  }

  private func run() {
    while !isStopping {
      let ready = poller.wait(peers.isEmpty ? Self.idleTick : Self.tick)
      now = MonotonicTime(nanoseconds: sl_monotonic_nanoseconds())
      for place in 0..<ready { serve(poller.token(of: place)) }
      let wall = NTPTimestamp(unixNanoseconds: sl_realtime_nanoseconds())
      for peer in peers.values { peer.tick(now: now, wall: wall) }
      sctp.advance(to: now)
    }
    for command in queue.close() { command(self) }
    for peer in peers.values { peer.close(now: now) }
  }

  private func serve(_ token: UInt64) {
    if token == Self.queueToken {
      for command in queue.take() { command(self) }
    } else if let peer = peers[Int(token)] {
      receive(peer)
    }
  }

  private func receive(_ peer: ClientPeer) {
    let count = batch.receive(from: peer.socket.descriptor)
    for place in 0..<count {
      guard let sender = batch.sender(of: place) else { continue }
      let bytes = batch.bytes(of: place)
      let size = batch.segmentSize(of: place)
      var offset = 0
      while offset < bytes.count {
        let end = min(offset + size, bytes.count)
        peer.receive(UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<end]), from: sender, now: now)
        offset = end
      }
    }
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
    _ = queue.submit { $0.stop() }
    for await _ in ended {}
  }
}
