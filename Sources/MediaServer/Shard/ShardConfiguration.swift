import DTLS
import DataChannel
import Primitives
import Relay
import SRTP
import Sockets

/// What every media thread is started with.
struct ShardConfiguration {
  /// Processor to stay on; nil leaves it to the kernel.
  var core: Int?
  /// Whether the thread runs in real time, where the system allows it.
  var isRealtime: Bool
  /// Whether packets are marked by how urgent they are (RFC 8837).
  var marksPackets: Bool
  /// Nil takes the fastest that runs here.
  var srtpBackend: SRTPBackendKind?
  var identity: DTLSIdentity
  var sctp: SCTPStack
  var recording: (any RecordingSink)?
  /// What the node may send, bits per second; nil for no limit.
  var egressBitsPerSecond: Int?
  /// Shares it out among several shards; nil for a single one.
  var egress: EgressLedger?
  /// How long a TCP connection may stay without a valid connectivity check.
  var silentConnectionLimit: TimeInterval64
  /// The queues of all media threads, by their place.
  var queues: [CommandQueue<Shard>]
  /// The peers of this thread, those on their way included.
  var occupancy: Occupancy
}

/// What a shard counts.
///
/// All values only grow.
struct ShardCounters: Sendable {
  var turns: UInt64 = 0
  var datagramsReceived: UInt64 = 0
  var datagramsSent: UInt64 = 0
  var bytesSent: UInt64 = 0
  var datagramsWithoutPath: UInt64 = 0
  var unknownSender: UInt64 = 0
  var unknownProtocol: UInt64 = 0
  var foreignSTUN: UInt64 = 0
  var mediaBeforeKeys: UInt64 = 0
  var srtpRejected: UInt64 = 0
  var srtpReplayed: UInt64 = 0
  var handshakesDropped: UInt64 = 0
  var handshakesFailed: UInt64 = 0
  var handshakesDone: UInt64 = 0
  var tcpFramesDropped: UInt64 = 0
  var viewersReduced: UInt64 = 0
  var viewersRefused: UInt64 = 0
  /// Nanoseconds of processor time of the thread.
  var processorTime: UInt64 = 0
}
