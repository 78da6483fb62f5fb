import CSystemCalls
import Foundation
import ICE
import Primitives
import Sockets
import Synchronization

/// A running shard as other threads see it: its command queue and its addresses.
final class ShardHandle: Sendable {
  let index: Int
  let addresses: [TransportAddress]
  /// What peers are told to connect to.
  let candidates: [ICECandidate]
  let occupancy: Occupancy
  private let queue: CommandQueue<Shard>
  private let stopped: AsyncStream<Never>

  /// Binds the sockets, then starts the thread.
  init(index: Int, settings: ShardConfiguration, addresses: [IPAddress], advertised: [IPAddress], port: UInt16) throws {
    self.index = index
    queue = settings.queues[index]
    occupancy = settings.occupancy
    let (sockets, listeners) = try Self.bind(
      addresses, port: port, codePoint: settings.marksPackets ? .lesserVideo : .standard)
    self.addresses = sockets.map(\.address)
    candidates = MediaServer.candidates(for: sockets.map(\.address), advertised: advertised)
    let shard = try Shard(
      index: index, configuration: settings, queue: queue, sockets: sockets, listeners: listeners,
      localCandidates: candidates)
    let (stopped, stopping) = AsyncStream.makeStream(of: Never.self)
    self.stopped = stopped
    // The shard is handed over to its thread here and is never touched from another one again.
    nonisolated(unsafe) let body = shard
    let thread = Thread {
      body.run()
      stopping.finish()
    }
    thread.stackSize = Self.stackSize
    thread.start()
  }

  /// Bytes of a media thread's stack: receive paths keep everything large on the heap.
  private static let stackSize = 2 << 20

  /// Adds a command without waiting; false when the shard is overloaded or has stopped.
  func submit(evenWhenFull: Bool = false, _ command: @escaping CommandQueue<Shard>.Command) -> Bool {
    queue.submit(evenWhenFull: evenWhenFull, command)
  }

  /// Runs `body` on the shard's thread and waits for its result.
  func perform<Value: Sendable>(
    evenWhenFull: Bool = false, _ body: @escaping @Sendable (Shard) throws(MediaError) -> Value
  ) async throws(MediaError) -> Value {
    let result: Result<Value, MediaError> = await withCheckedContinuation { continuation in
      let accepted = queue.submit(evenWhenFull: evenWhenFull) { shard in
        do throws(MediaError) {
          continuation.resume(returning: .success(try body(shard)))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      if !accepted {
        continuation.resume(
          returning: .failure(MediaError(.unavailable, "The server is busy or stopping. Try again in a moment.")))
      }
    }
    return try result.get()
  }

  /// Has the shard take in a peer.
  func take(_ admission: PeerAdmission) async throws(MediaError) {
    occupancy.enter()
    do throws(MediaError) {
      try await perform { (shard) throws(MediaError) in try shard.admit(admission) }
    } catch {
      occupancy.leave()
      throw error
    }
  }

  func stop() async {
    _ = queue.submit(evenWhenFull: true) { $0.isStopping = true }
    for await _ in stopped {}
  }

  /// One UDP and one TCP socket for each address, all on one port number.
  ///
  /// With port 0 the kernel chooses for the first; should another address have that port taken, it is tried again.
  private static func bind(
    _ addresses: [IPAddress], port: UInt16, codePoint: DSCP
  ) throws -> ([UDPSocket], [TCPListener]) {
    var failure: (any Error)?
    for _ in 0..<(port == 0 ? maximumBindAttempts : 1) {
      let result = Result { try bindOnce(addresses, port: port, codePoint) }
      switch result {
      case .success(let bound): return bound
      case .failure(let error): failure = error
      }
    }
    throw failure ?? SystemError("find a free media port", number: EADDRINUSE)
  }

  private static func bindOnce(
    _ addresses: [IPAddress], port: UInt16, _ codePoint: DSCP
  ) throws -> ([UDPSocket], [TCPListener]) {
    var sockets: [UDPSocket] = []
    var listeners: [TCPListener] = []
    var chosen = port
    for ip in addresses {
      let socket = try UDPSocket(TransportAddress(ip: ip, port: chosen), codePoint: codePoint)
      chosen = socket.address.port
      sockets.append(socket)
      listeners.append(try TCPListener(TransportAddress(ip: ip, port: chosen)))
    }
    return (sockets, listeners)
  }

  private static let maximumBindAttempts = 8
}
