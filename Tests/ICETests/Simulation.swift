import ICE
import Primitives
import STUN

/// Agents in memory, joined by a seeded link and driven by simulated time.
struct Simulation {
  /// How a link treats datagrams.
  struct Link {
    /// One-way delay.
    var delay = TimeInterval64.milliseconds(20)
    /// Added to the delay, uniformly from zero to this, so that datagrams overtake each other.
    var jitter = TimeInterval64.zero
    /// Share of datagrams lost, 0 to 1.
    var loss = 0.0
    /// Share of datagrams that arrive twice, 0 to 1.
    var duplication = 0.0
  }

  struct Datagram {
    var arrival: MonotonicTime
    var order: Int
    var bytes: [UInt8]
    var path: TransportPath
    var destination: Int
  }

  var now = MonotonicTime(nanoseconds: 5_000_000_000)
  var agents: [ICEAgent]
  /// Everything but datagrams that each agent put out, with its time.
  var events: [[(time: MonotonicTime, output: ICEAgent.Output)]]
  var link = Link()
  /// Source addresses that a NAT rewrites on the way: inside address to outside address.
  var nat: [TransportAddress: TransportAddress] = [:]
  /// Addresses whose datagrams vanish, from and to.
  var dead: Set<TransportAddress> = []
  var transmissions: [Int]
  private var inFlight: [Datagram] = []
  private var order = 0
  private var random: RandomSource

  /// Steps without the clock moving before the simulation calls it a livelock.
  static let livelockBound = 1_000

  init(_ agents: [ICEAgent], seed: UInt64) {
    self.agents = agents
    events = agents.map { _ in [] }
    transmissions = agents.map { _ in 0 }
    random = .seeded(seed)
  }

  /// Runs until `condition` holds; false when `limit` passes first.
  mutating func run(for limit: TimeInterval64, until condition: (Simulation) -> Bool = { _ in false }) -> Bool {
    let end = now + limit
    var steps = 0
    drain()
    while !condition(self) {
      guard let next = nextTime, next <= end else {
        now = end
        return condition(self)
      }
      steps = next > now ? 0 : steps + 1
      precondition(steps < Self.livelockBound, "livelock at \(now.nanoseconds): \(agents.map(\.deadline))")
      now = max(now, next)
      step()
      drain()
    }
    return true
  }

  /// Every output of one agent.
  func outputs(of agent: Int) -> [ICEAgent.Output] { events[agent].map(\.output) }

  func states(of agent: Int) -> [ICEState] {
    outputs(of: agent).compactMap { if case .stateChanged(let state) = $0 { state } else { nil } }
  }

  private var nextTime: MonotonicTime? {
    (inFlight.map(\.arrival) + agents.compactMap(\.deadline)).min()
  }

  private mutating func step() {
    if let index = inFlight.indices.filter({ inFlight[$0].arrival <= now })
      .min(by: { (inFlight[$0].arrival, inFlight[$0].order) < (inFlight[$1].arrival, inFlight[$1].order) })
    {
      let datagram = inFlight.remove(at: index)
      datagram.bytes.withUnsafeBytes {
        agents[datagram.destination].receive($0, on: datagram.path, now: now)
      }
      return
    }
    for index in agents.indices {
      if let deadline = agents[index].deadline, deadline <= now { agents[index].handleTimeout(now: now) }
    }
  }

  mutating func drain() {
    for index in agents.indices {
      while let output = agents[index].poll() {
        if case .transmit(let bytes, let path) = output {
          transmissions[index] += 1
          send(bytes, on: path)
        } else {
          events[index].append((now, output))
        }
      }
    }
  }

  private mutating func send(_ bytes: [UInt8], on path: TransportPath) {
    let seenFrom = nat[path.local] ?? path.local
    let inside = nat.first { $0.value == path.remote }?.key ?? path.remote
    guard !dead.contains(path.local), !dead.contains(inside), nat[path.remote] == nil,
      let destination = owners[inside], Double.random(in: 0..<1, using: &random) >= link.loss
    else { return }
    let copies = Double.random(in: 0..<1, using: &random) < link.duplication ? 2 : 1
    for _ in 0..<copies {
      let jitter = Int64.random(in: 0...max(0, link.jitter.nanoseconds), using: &random)
      order += 1
      inFlight.append(
        Datagram(
          arrival: now + link.delay + TimeInterval64(nanoseconds: jitter), order: order, bytes: bytes,
          path: TransportPath(transport: path.transport, local: inside, remote: seenFrom), destination: destination))
    }
  }

  /// Which agent a datagram to an address reaches.
  var owners: [TransportAddress: Int] = [:]
}

extension TransportAddress {
  /// `10.0.x.y`, port 5000: a test's address.
  static func test(_ network: UInt8, _ host: UInt8, port: UInt16 = 5_000) -> TransportAddress {
    TransportAddress(ip: IPAddress(v4: 0x0a00_0000 | UInt32(network) << 8 | UInt32(host)), port: port)
  }
}

/// What both ends of a test agree on.
enum Ends {
  static let server = TransportAddress.test(0, 1)
  static let client = TransportAddress.test(1, 2)
  static let clientSecond = TransportAddress.test(2, 2)

  static func credentials(_ name: String) -> ICECredentials {
    ICECredentials(usernameFragment: name, password: "password-of-\(name)-0123456789")
  }

  static func agent(
    _ mode: ICEMode, _ role: ICERole, _ name: String, seed: UInt64, stunServers: [TransportAddress] = []
  ) -> ICEAgent {
    ICEAgent(
      configuration: .init(mode: mode, role: role, stunServers: stunServers), localCredentials: credentials(name),
      random: .seeded(seed))
  }

  /// Agent 0 is the server, agent 1 the client, which has a second address; all is signalled but nothing has been sent.
  static func pair(
    _ server: (ICEMode, ICERole), _ client: (ICEMode, ICERole) = (.full, .controlling), seed: UInt64 = 1
  ) -> Simulation {
    var first = agent(server.0, server.1, "serv", seed: seed &* 2)
    var second = agent(client.0, client.1, "clie", seed: seed &* 2 &+ 1)
    first.addLocalCandidate(.host(Self.server))
    second.addLocalCandidate(.host(Self.client))
    first.setRemote(credentials: credentials("clie"))
    second.setRemote(credentials: credentials("serv"), isLite: server.0 == .lite)
    first.addRemoteCandidate(.host(Self.client))
    second.addRemoteCandidate(.host(Self.server))
    var simulation = Simulation([first, second], seed: seed)
    simulation.owners = [Self.server: 0, Self.client: 1, clientSecond: 1]
    return simulation
  }
}

extension Simulation {
  /// Both agents have a selected path, and it is the same one.
  var isAgreed: Bool {
    guard let first = agents[0].selectedPath, let second = agents[1].selectedPath else { return false }
    let outside = nat[second.local] ?? second.local
    return first.local == second.remote && first.remote == outside && agents.allSatisfy { $0.state == .connected }
  }

  var now0: MonotonicTime { MonotonicTime(nanoseconds: 5_000_000_000) }
  /// Simulated milliseconds since the start.
  var elapsed: Int64 { (now - now0).milliseconds }
}
