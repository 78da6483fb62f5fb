import DataChannel
import Primitives

/// Two transports in memory, joined by a link that delays, reorders and loses packets, in simulated time.
///
/// The SCTP library has one clock for the process: suites that use a link are nested in ``SCTPTests``, which is serialized.
final class SimulatedLink {
  /// How the link treats a packet.
  struct Quality {
    var loss = 0.0
    var delay = TimeInterval64.milliseconds(20)
    /// Random extra delay of up to this much: it reorders packets.
    var jitter = TimeInterval64.zero
  }

  enum Side: Int {
    case caller
    case server
    var other: Side { self == .caller ? .server : .caller }
  }

  /// Everything that a transport put out but its packets.
  typealias Log = [DataChannelTransport.Output]

  let stack: SCTPStack
  /// Nil once it has been let go of.
  private(set) var transports: [DataChannelTransport?]
  var quality = Quality()
  var logs: [Log] = [[], []]
  /// Sees every packet before the link does; its result is sent in the packet's place.
  var intercept: (Side, [UInt8]) -> [[UInt8]] = { [$1] }
  private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000) {
    didSet { SimulatedWallClock.now = now }
  }
  private(set) var largestPacket = 0
  private var inFlight: [(at: MonotonicTime, to: Side, packet: [UInt8])] = []
  private var random: RandomSource

  init(
    seed: UInt64 = 1, stack: SCTPStack = SCTPStack(), maximumPacketSize: Int = 1150,
    configure: (Side, SCTPStack) -> DataChannelTransport? = { _, _ in nil }
  ) {
    self.stack = stack
    random = .seeded(seed)
    SimulatedWallClock.now = now
    transports = [Side.caller, .server].map { side in
      configure(side, stack)
        ?? DataChannelTransport(
          stack: stack, role: side == .caller ? .dtlsClient : .dtlsServer, maximumPacketSize: maximumPacketSize)
    }
  }

  deinit {
    SimulatedWallClock.now = nil
  }

  var caller: DataChannelTransport { transport(.caller) }
  var server: DataChannelTransport { transport(.server) }

  func transport(_ side: Side) -> DataChannelTransport {
    guard let transport = transports[side.rawValue] else { preconditionFailure("\(side) was dropped") }
    return transport
  }

  /// Lets go of a transport, as when its peer's session ends without a word.
  func drop(_ side: Side) {
    transports[side.rawValue] = nil
  }

  func start() {
    caller.start(now: now)
    server.start(now: now)
  }

  /// Starts both and runs until both are connected; false when they are not in time.
  func connect() -> Bool {
    start()
    return run { self.caller.state == .connected && self.server.state == .connected }
  }

  /// Runs until `condition` holds; false when it does not within `limit` of simulated time.
  @discardableResult
  func run(within limit: TimeInterval64 = .seconds(60), until condition: () -> Bool = { false }) -> Bool {
    SimulatedWallClock.now = now
    let end = now + limit
    // Bounds the steps too: a peer that talks to itself for ever must not hang the test.
    for _ in 0..<200_000 {
      pump()
      if condition() { return true }
      guard let next = nextTime, next <= end else { break }
      now = max(now, next)
      step()
    }
    now = max(now, end)
    return condition()
  }

  func messages(_ side: Side) -> [DataChannelMessage] {
    logs[side.rawValue].compactMap { if case .message(_, let message) = $0 { message } else { nil } }
  }

  func opened(_ side: Side) -> [DataChannelID] {
    logs[side.rawValue].compactMap { if case .channelOpened(let id, _) = $0 { id } else { nil } }
  }

  func closed(_ side: Side) -> [DataChannelID] {
    logs[side.rawValue].compactMap { if case .channelClosed(let id) = $0 { id } else { nil } }
  }

  /// Opens a channel from the caller and runs until both sides have it; nil when they do not.
  func open(_ parameters: DataChannelParameters) throws -> DataChannelID? {
    let id = try caller.openChannel(parameters, now: now)
    return run { self.opened(.server).contains(id) && self.opened(.caller).contains(id) } ? id : nil
  }

  private var nextTime: MonotonicTime? {
    let deadlines = transports.compactMap { $0?.deadline }
    return (deadlines + inFlight.map(\.at)).min()
  }

  private func step() {
    for case let transport? in transports {
      if let deadline = transport.deadline, deadline <= now { transport.handleTimeout(now: now) }
    }
    let due = inFlight.filter { $0.at <= now }
    inFlight.removeAll { $0.at <= now }
    for (_, side, packet) in due {
      packet.withUnsafeBytes { transports[side.rawValue]?.receive($0, now: now) }
      pump()
    }
  }

  private func pump() {
    for side in [Side.caller, .server] {
      while let output = transports[side.rawValue]?.poll() {
        guard case .transmit(let packet) = output else {
          logs[side.rawValue].append(output)
          continue
        }
        largestPacket = max(largestPacket, packet.count)
        for packet in intercept(side, packet) { carry(packet, to: side.other) }
      }
    }
  }

  private func carry(_ packet: [UInt8], to side: Side) {
    guard Double.random(in: 0..<1, using: &random) >= quality.loss else { return }
    let extra = quality.jitter.nanoseconds > 0 ? Int64.random(in: 0...quality.jitter.nanoseconds, using: &random) : 0
    inFlight.append((now + quality.delay + TimeInterval64(nanoseconds: extra), side, packet))
  }
}
