import DTLS
import DataChannel
import Foundation
import ICE
import Primitives
import Relay
import SDP
import SRTP
import Sockets
import Synchronization

/// The media plane of one node: a shard per core behind an asynchronous face.
///
/// Everything here runs on the control plane. Offers are parsed and answered on the caller's task; a shard only ever sees
/// finished values.
package final class MediaServer: MediaPlane {
  package struct Configuration: Sendable {
    /// Addresses to listen on; each gets a UDP and a TCP socket per shard.
    package var addresses: [IPAddress]
    /// First UDP and TCP port; shard `n` listens on `port + n`.
    ///
    /// 0 lets the kernel choose.
    package var port: UInt16
    /// Addresses to tell peers instead of the bound ones, for servers behind 1:1 NAT.
    package var advertisedAddresses: [IPAddress]
    package var shards: Int
    /// Whether each shard stays on a processor of its own.
    package var pinsThreads: Bool
    /// Whether media threads run before all else on the machine, where the system allows it.
    package var isRealtime: Bool
    /// Whether packets are marked by how urgent they are (RFC 8837), for networks that heed it.
    package var marksPackets: Bool
    /// Nil takes the fastest that runs here.
    package var srtpBackend: SRTPBackendKind?
    /// Who records all sources; nil records nothing.
    package var recording: (any RecordingSink)?
    /// How long a TCP connection may stay without a valid connectivity check.
    package var silentConnectionLimit: TimeInterval64
    /// Most that the node may send, bits per second over all threads; nil leaves it to the links.
    ///
    /// When it is full, the least urgent pictures give way first (DESIGN decision 4).
    package var egressBitsPerSecond: Int?

    package init(
      addresses: [IPAddress], port: UInt16 = 0, advertisedAddresses: [IPAddress] = [], shards: Int = 1,
      pinsThreads: Bool = false, isRealtime: Bool = false, marksPackets: Bool = false,
      srtpBackend: SRTPBackendKind? = nil,
      recording: (any RecordingSink)? = nil,
      silentConnectionLimit: TimeInterval64 = .milliseconds(10_000), egressBitsPerSecond: Int? = nil
    ) {
      self.addresses = addresses
      self.port = port
      self.advertisedAddresses = advertisedAddresses
      self.shards = shards
      self.pinsThreads = pinsThreads
      self.isRealtime = isRealtime
      self.marksPackets = marksPackets
      self.srtpBackend = srtpBackend
      self.recording = recording
      self.silentConnectionLimit = silentConnectionLimit
      self.egressBitsPerSecond = egressBitsPerSecond
    }
  }

  let identity: DTLSIdentity
  let shards: [ShardHandle]

  /// Binds every socket and starts the threads; throws when a port is taken or the cryptography is missing.
  package init(_ configuration: Configuration) throws {
    let shardCount = max(1, configuration.shards)
    guard shardCount <= Relay.maximumThreads else {
      throw SystemError("start \(shardCount) media threads; at most \(Relay.maximumThreads) work", number: ERANGE)
    }
    guard configuration.port == 0 || shardCount - 1 <= Int(UInt16.max - configuration.port) else {
      throw SystemError("listen on \(shardCount) media ports from \(configuration.port) on", number: ERANGE)
    }
    identity = try DTLSIdentity()
    let sctp = SCTPStack()
    let ledger = configuration.egressBitsPerSecond.flatMap {
      shardCount > 1 ? EgressLedger(bitsPerSecond: $0, shards: shardCount) : nil
    }
    let queues = try (0..<shardCount).map { _ in try CommandQueue<Shard>() }
    var shards: [ShardHandle] = []
    for index in 0..<shardCount {
      let settings = ShardConfiguration(
        core: configuration.pinsThreads ? index : nil, isRealtime: configuration.isRealtime,
        marksPackets: configuration.marksPackets,
        srtpBackend: configuration.srtpBackend, identity: identity, sctp: sctp, recording: configuration.recording,
        egressBitsPerSecond: configuration.egressBitsPerSecond, egress: ledger,
        silentConnectionLimit: configuration.silentConnectionLimit, queues: queues, occupancy: Occupancy())
      let port = configuration.port == 0 ? 0 : configuration.port + UInt16(index)
      shards.append(
        try ShardHandle(
          index: index, settings: settings, addresses: configuration.addresses,
          advertised: configuration.advertisedAddresses, port: port))
    }
    self.shards = shards
  }

  /// Stops all threads: peers get a goodbye, sockets close.
  ///
  /// Returns when they have ended.
  package func stop() async {
    for shard in shards { await shard.stop() }
  }

  /// Where shards listen, by shard: for `doctor` and for people.
  package var listeningAddresses: [[TransportAddress]] { shards.map(\.addresses) }

  package func connect(_ request: PeerRequest) async throws(MediaError) -> PeerAnswer {
    var shard = home(of: request.incident)
    var (admission, answer) = try answer(request, on: shard)
    if admission.sources.isEmpty, let other = await annex(of: request.incident) {
      shard = other
      (admission, answer) = try self.answer(request, on: shard)
    }
    let session = (id: admission.id, ice: admission.localCredentials.usernameFragment)
    try await shard.take(admission)
    return PeerAnswer(peer: session.id, sdp: answer, iceSession: session.ice)
  }

  /// Another media thread for a viewer of an incident whose own has far more to do, if it is worth while.
  private func annex(of incident: IncidentID) async -> ShardHandle? {
    let home = home(of: incident)
    let place = Placement.thread(home: home.index, peers: shards.map(\.occupancy.count))
    guard place != home.index,
      let crowd = try? await home.perform({ (shard) throws(MediaError) in shard.rooms[incident]?.peers.count ?? 0 }),
      crowd >= Placement.crowd
    else { return nil }
    return shards[place]
  }

  package func disconnect(_ peer: PeerID, reason: String) async {
    // A stopped shard has no peers any more; a full one must hear of it all the same.
    try? await shard(of: peer).perform(evenWhenFull: true) { (shard) throws(MediaError) in
      if let found = shard.peer(peer) { shard.close(found, reason: reason) }
    }
  }

  package func select(_ source: SourceID?, on slot: String, of peer: PeerID) async throws(MediaError) {
    try await onShard(of: peer) { (shard, peer) throws(MediaError) in
      try shard.select(source, on: slot, of: peer)
    }
  }

  package func limit(_ slot: String, of peer: PeerID, toHeight height: Int?) async throws(MediaError) {
    try await onShard(of: peer) { (shard, peer) throws(MediaError) in
      try shard.limit(slot, of: peer, toHeight: height)
    }
  }

  package func setPriority(_ priority: Int, of incident: IncidentID) async {
    try? await home(of: incident).perform { (shard) throws(MediaError) in
      shard.setPriority(priority, of: incident)
    }
  }

  package func slots(of peer: PeerID) async -> [String: SlotView] {
    let slots = try? await onShard(of: peer) { (shard, peer) throws(MediaError) in
      peer.slots.compactMap { slot in shard.view(of: slot, of: peer).map { (slot.mid, $0) } }
    }
    return Dictionary(slots ?? []) { first, _ in first }
  }

  package func overview(of incident: IncidentID) async -> IncidentMedia {
    let media = try? await home(of: incident).perform { (shard) throws(MediaError) in shard.overview(of: incident) }
    return media ?? IncidentMedia(peers: [], sources: [])
  }

  package func events(of incident: IncidentID) async -> AsyncStream<MediaEvent> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: MediaEvent.self, bufferingPolicy: .bufferingNewest(Room.maximumPendingEvents))
    let shard = home(of: incident)
    let id = UUID()
    continuation.onTermination = { _ in
      _ = shard.submit(evenWhenFull: true) { $0.stopListening(id, to: incident) }
    }
    if !shard.submit({ $0.listen(continuation, as: id, to: incident) }) { continuation.finish() }
    return stream
  }

  package func statistics() async -> MediaStatistics {
    var samples: [ShardSample] = []
    for shard in shards {
      if let sample = try? await shard.perform({ (shard) throws(MediaError) in shard.sample() }) {
        samples.append(sample)
      }
    }
    return MediaStatistics(samples)
  }

  /// All who send meet on one shard, and their viewers with them as long as they are no crowd: few packets change threads.
  func home(of incident: IncidentID) -> ShardHandle {
    // FNV-1a: stable over restarts, unlike Swift's own hashing.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in incident.value.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return shards[Int(hash % UInt64(shards.count))]
  }

  /// A peer's identifier tells its shard: commands for one peer take one queue, in order, and no table is needed.
  func shard(of peer: PeerID) -> ShardHandle {
    shards[Int(UInt(bitPattern: peer.hashValue) % UInt(shards.count))]
  }

  /// An identifier that ``shard(of:)`` leads to `shard`; on average it takes as many tries as there are shards.
  func newPeerID(on shard: ShardHandle, using random: inout RandomSource) -> PeerID {
    while true {
      let id = PeerID(using: &random)
      if self.shard(of: id) === shard { return id }
    }
  }

  func onShard<Value: Sendable>(
    of peer: PeerID, _ body: @escaping @Sendable (Shard, Peer) throws(MediaError) -> Value
  ) async throws(MediaError) -> Value {
    try await shard(of: peer).perform { (shard) throws(MediaError) -> Value in
      guard let found = shard.peer(peer) else {
        throw MediaError(.unknownPeer, "This session does not exist any more. Connect again with a new offer.")
      }
      return try body(shard, found)
    }
  }

  /// Candidates that a shard's peers are told: UDP first, then TCP for networks without UDP (RFC 6544).
  static func candidates(for bound: [TransportAddress], advertised: [IPAddress]) -> [ICECandidate] {
    let addresses = bound.flatMap { bound in
      guard !advertised.isEmpty, !bound.ip.isLoopback else { return [bound] }
      return advertised.filter { $0.family == bound.ip.family }.map { TransportAddress(ip: $0, port: bound.port) }
    }
    var preference = UInt16.max
    var udp: [ICECandidate] = []
    var tcp: [ICECandidate] = []
    // Loopback last: it only ever helps a peer on this machine.
    for address in addresses.filter({ !$0.ip.isLoopback }) + addresses.filter(\.ip.isLoopback) {
      udp.append(.host(address, localPreference: preference))
      tcp.append(.host(address, localPreference: preference, tcpType: .passive))
      preference -= 1
    }
    return udp + tcp
  }
}
