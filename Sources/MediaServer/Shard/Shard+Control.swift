import Foundation
import ICE
import Primitives
import Relay

// What the control plane asks of a shard.

extension Shard {
  func peer(_ id: PeerID) -> Peer? {
    peersByID[id].flatMap { peers[Int($0.index)] }
  }

  func overview(of incident: IncidentID) -> IncidentMedia {
    guard let room = rooms[incident] else { return IncidentMedia(peers: [], sources: []) }
    let sources = room.sources.map { source in
      var source = source
      if let status = relay.status(of: source.handle) { source.status = status }
      var overview = source.overview
      overview.layers = layers(of: source)
      return overview
    }
    return IncidentMedia(peers: room.peers.compactMap { peers[Int($0.index)]?.overview }, sources: sources)
  }

  func listen(_ continuation: AsyncStream<MediaEvent>.Continuation, as id: UUID, to incident: IncidentID) {
    rooms[incident, default: Room()].listeners[id] = continuation
  }

  func stopListening(_ id: UUID, to incident: IncidentID) {
    guard var room = rooms[incident] else { return }
    room.listeners[id] = nil
    rooms[incident] = room.isEmpty ? nil : room
  }

  func sample() -> ShardSample {
    ShardSample(
      shard: counters, relay: relay.counters, sendsDropped: sendBatch.dropped, sendCalls: sendBatch.systemCalls,
      peers: peersByID.count, incidents: rooms.count, sources: rooms.values.reduce(0) { $0 + $1.sources.count },
      connections: connections.count)
  }
}

/// One shard's counters at one moment.
struct ShardSample: Sendable {
  var shard: ShardCounters
  var relay: RelayCounters
  var sendsDropped: UInt64
  var sendCalls: UInt64
  var peers: Int
  var incidents: Int
  var sources: Int
  var connections: Int
}
