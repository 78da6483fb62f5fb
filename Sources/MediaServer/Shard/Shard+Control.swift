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
    return IncidentMedia(
      peers: room.peers.compactMap { peers[Int($0.index)]?.overview } + room.distantPeers, sources: sources)
  }

  func listen(_ continuation: AsyncStream<MediaEvent>.Continuation, as id: UUID, to incident: IncidentID) {
    rooms[incident, default: Room()].listeners[id] = continuation
  }

  func stopListening(_ id: UUID, to incident: IncidentID) {
    rooms[incident]?.listeners[id] = nil
    closeIfEmpty(incident)
  }

  func sample() -> ShardSample {
    let homes = rooms.values.filter { $0.home == nil }
    return ShardSample(
      shard: counters, relay: relay.counters, sendsDropped: sendBatch.dropped, sendCalls: sendBatch.systemCalls,
      peers: peersByID.count, incidents: homes.count, sources: homes.reduce(0) { $0 + $1.sources.count },
      mirrors: mirrored.count, connections: connections.count, realtime: isRealtime ? 1 : 0)
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
  var mirrors: Int
  var connections: Int
  var realtime: Int
}
