import Primitives

import DTLS

/// What a simulated link does to datagrams.
struct Impairment {
  var loss = 0.0
  var duplication = 0.0
  /// Up to this much is added to ``delay``, at random, so that datagrams overtake one another.
  var jitter = TimeInterval64.zero
  var delay = TimeInterval64.milliseconds(20)

  static let none = Impairment()
}

/// A client and a server in memory, on simulated time, over a link that a seed makes unreliable.
final class SimulatedPair {
  let client: DTLSTransport
  let server: DTLSTransport
  private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000)
  /// Datagrams handed to the link so far.
  private(set) var sentCount = 0
  var impairment: Impairment
  /// Changes what travels; nil drops it.
  var tamper: (_ datagram: [UInt8], _ destination: DTLSRole) -> [UInt8]? = { datagram, _ in datagram }

  private struct InFlight {
    let arrival: MonotonicTime
    let destination: DTLSRole
    let bytes: [UInt8]
  }

  /// A pair that has not come to rest by then is a defect of its own.
  private static let maximumSteps = 20_000
  private var inFlight: [InFlight] = []
  private var random: RandomSource

  init(
    impairment: Impairment = .none, seed: UInt64 = 1, datagramSize: Int = 1200,
    clientProfiles: [DTLSSRTPProfile] = DTLSSRTPProfile.preferred,
    serverProfiles: [DTLSSRTPProfile] = DTLSSRTPProfile.preferred,
    expectedByClient: DTLSFingerprint? = nil, expectedByServer: DTLSFingerprint? = nil
  ) throws {
    let (clientIdentity, serverIdentity) = (try DTLSIdentity(), try DTLSIdentity())
    client = DTLSTransport(
      identity: clientIdentity, role: .client,
      expectedPeer: expectedByClient ?? serverIdentity.fingerprint(.sha256),
      maximumDatagramSize: datagramSize, srtpProfiles: clientProfiles)
    server = DTLSTransport(
      identity: serverIdentity, role: .server,
      expectedPeer: expectedByServer ?? clientIdentity.fingerprint(.sha256),
      maximumDatagramSize: datagramSize, srtpProfiles: serverProfiles)
    self.impairment = impairment
    random = .seeded(seed)
  }

  /// Starts the client and runs until nothing travels and no timer waits.
  func handshake() {
    client.start(now: now)
    run()
  }

  /// Runs until `isDone`, or until nothing travels and no timer waits.
  func run(until isDone: () -> Bool = { false }) {
    for _ in 0..<Self.maximumSteps {
      collect()
      guard !isDone(), let next = nextEvent() else { return }
      now = max(now, next)
      deliver()
      for transport in [client, server] {
        if let deadline = transport.deadline, deadline <= now { transport.handleTimeout(now: now) }
      }
    }
    preconditionFailure("no rest after \(Self.maximumSteps) steps: \(client.state), \(server.state)")
  }

  var parameters: (client: DTLSSRTPParameters, server: DTLSSRTPParameters)? {
    guard case .connected(let atClient) = client.state, case .connected(let atServer) = server.state else { return nil }
    return (atClient, atServer)
  }

  private func nextEvent() -> MonotonicTime? {
    (inFlight.map(\.arrival) + [client.deadline, server.deadline].compactMap { $0 }).min()
  }

  private func collect() {
    while let datagram = client.nextDatagram() { send(datagram, to: .server) }
    while let datagram = server.nextDatagram() { send(datagram, to: .client) }
  }

  private func send(_ datagram: [UInt8], to destination: DTLSRole) {
    sentCount += 1
    guard let datagram = tamper(datagram, destination) else { return }
    let copies = chance(impairment.duplication) ? 2 : 1
    for _ in 0..<copies where !chance(impairment.loss) {
      let jitter = impairment.jitter.nanoseconds
      let extra = jitter > 0 ? Int64.random(in: 0...jitter, using: &random) : 0
      let arrival = now + impairment.delay + TimeInterval64(nanoseconds: extra)
      inFlight.append(InFlight(arrival: arrival, destination: destination, bytes: datagram))
    }
  }

  private func deliver() {
    let due = inFlight.filter { $0.arrival <= now }.sorted { $0.arrival < $1.arrival }
    inFlight.removeAll { $0.arrival <= now }
    for datagram in due {
      (datagram.destination == .client ? client : server).receive(datagram.bytes, now: now)
    }
  }

  private func chance(_ probability: Double) -> Bool {
    probability > 0 && Double.random(in: 0..<1, using: &random) < probability
  }
}

extension DTLSTransport {
  func receive(_ datagram: [UInt8], now: MonotonicTime) {
    datagram.withUnsafeBytes { receive($0, now: now) }
  }

  func drainDatagrams() -> [[UInt8]] {
    var datagrams: [[UInt8]] = []
    while let datagram = nextDatagram() { datagrams.append(datagram) }
    return datagrams
  }

  func drainMessages() -> [[UInt8]] {
    var messages: [[UInt8]] = []
    while let message = nextApplicationData() { messages.append(message) }
    return messages
  }
}
