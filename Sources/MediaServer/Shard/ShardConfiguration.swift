import DTLS
import DataChannel
import Primitives
import Relay
import SRTP

/// What every media thread is started with.
struct ShardConfiguration {
  /// Processor to stay on; nil leaves it to the kernel.
  var core: Int?
  /// Nil takes the fastest that runs here.
  var srtpBackend: SRTPBackendKind?
  var identity: DTLSIdentity
  var sctp: SCTPStack
  var recording: (any RecordingSink)?
  /// This shard's part of what the node may send, bits per second; nil for no limit.
  var egressBitsPerSecond: Int?
  /// How long a TCP connection may stay without a valid connectivity check.
  var silentConnectionLimit: TimeInterval64
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
}
