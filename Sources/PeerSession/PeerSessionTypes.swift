import DTLS
import DataChannel
import ICE
import Primitives
import SRTP

/// Everything that a ``PeerSession`` must know; it comes out of the offer and the answer.
package struct PeerSessionConfiguration {
  package var ice: ICEConfiguration
  package var localCredentials: ICECredentials
  package var localCandidates: [ICECandidate]
  /// Nil while we wait for the answer to our offer.
  package var remoteCredentials: ICECredentials?
  package var remoteCandidates: [ICECandidate]
  /// Whether the peer is ICE-lite: then we control (RFC 8445 §6.1.1).
  package var isRemoteLite: Bool
  package var identity: DTLSIdentity
  package var dtlsRole: DTLSRole
  package var expectedFingerprint: DTLSFingerprint
  package var engine: SRTPEngine
  package var dataChannels: DataChannelConfiguration?
  package var random: RandomSource

  package init(
    ice: ICEConfiguration, localCredentials: ICECredentials, localCandidates: [ICECandidate],
    remoteCredentials: ICECredentials?, remoteCandidates: [ICECandidate], isRemoteLite: Bool = false,
    identity: DTLSIdentity, dtlsRole: DTLSRole, expectedFingerprint: DTLSFingerprint, engine: SRTPEngine,
    dataChannels: DataChannelConfiguration?,
    random: RandomSource
  ) {
    self.ice = ice
    self.localCredentials = localCredentials
    self.localCandidates = localCandidates
    self.remoteCredentials = remoteCredentials
    self.remoteCandidates = remoteCandidates
    self.isRemoteLite = isRemoteLite
    self.identity = identity
    self.dtlsRole = dtlsRole
    self.expectedFingerprint = expectedFingerprint
    self.engine = engine
    self.dataChannels = dataChannels
    self.random = random
  }
}

/// How data channels run over a session (RFC 8841).
package struct DataChannelConfiguration {
  package var stack: SCTPStack
  package var localPort: UInt16
  package var remotePort: UInt16
  /// Bytes of the largest SCTP packet.
  package var maximumPacketSize: Int
  /// Bytes of the largest message that the peer accepts.
  package var peerMaximumMessageSize: Int

  package init(
    stack: SCTPStack, localPort: UInt16 = 5_000, remotePort: UInt16 = 5_000, maximumPacketSize: Int = 1_150,
    peerMaximumMessageSize: Int
  ) {
    self.stack = stack
    self.localPort = localPort
    self.remotePort = remotePort
    self.maximumPacketSize = maximumPacketSize
    self.peerMaximumMessageSize = peerMaximumMessageSize
  }
}

/// What became of a datagram.
package enum PeerSessionReceived: Equatable {
  /// The datagram's first `length` bytes are an RTP packet in the clear.
  case rtp(length: Int)
  /// The datagram's first `length` bytes are RTCP in the clear.
  case rtcp(length: Int)
  /// Dealt with; look at ``PeerSession/poll()``.
  case consumed
  case rejected(PeerSessionRejection)
}

/// Why a datagram was dropped.
package enum PeerSessionRejection: Equatable {
  /// The first byte is none that RFC 7983 assigns to us.
  case unknownProtocol
  /// Media before the handshake is done.
  case noKeys
  /// A STUN message that does not prove to be the peer's, or answers nothing that we asked.
  case foreignSTUN
  case srtp(SRTPRejection)
}

/// What a session wants done, or tells.
package enum PeerSessionOutput {
  /// Send these bytes as one datagram.
  case transmit([UInt8], on: TransportPath)
  case event(PeerEvent)
}

/// What happened to a session.
package enum PeerEvent {
  case iceStateChanged(ICEState)
  case pathChanged(TransportPath)
  /// Keys are known: media may flow both ways.
  case connected(SRTPOutbound)
  /// An address of ours that a STUN server told us; to be trickled.
  case candidateGathered(ICECandidate)
  case channelOpened(DataChannelID, DataChannelParameters)
  case channelMessage(DataChannelID, DataChannelMessage)
  /// A channel that refused a message with ``DataChannelError/bufferFull`` has room again.
  case channelWritable(DataChannelID)
  case channelClosed(DataChannelID)
  /// The last event.
  case closed(PeerCloseReason)
}

/// Why a session ended.
package enum PeerCloseReason: Hashable, CustomStringConvertible {
  /// We closed it.
  case local
  /// The peer said goodbye.
  case remote
  /// No path works any more.
  case pathLost
  case handshakeFailed(DTLSFailure)
  case keysUnusable(String)

  package var description: String {
    switch self {
    case .local: "closed here"
    case .remote: "closed by the peer"
    case .pathLost: "the network path is gone"
    case .handshakeFailed(let failure): failure.description
    case .keysUnusable(let reason): "the negotiated keys cannot be used: \(reason)"
    }
  }
}

/// What a session counts, beside what SRTP counts.
package struct PeerSessionCounters: Equatable {
  package var unknownDatagrams: UInt64 = 0
  package var mediaBeforeKeys: UInt64 = 0
  package var rejectedSTUN: UInt64 = 0
  package var outputsDropped: UInt64 = 0
}

/// What a datagram is, by its first byte (RFC 7983 §7).
package enum DatagramKind {
  case stun
  case dtls
  case media
  case other

  @inlinable
  package init(firstByte: UInt8) {
    switch firstByte {
    case 0...3: self = .stun
    case 20...63: self = .dtls
    case 128...191: self = .media
    default: self = .other
    }
  }

  /// Whether a datagram of media is RTCP: packet types 192 to 223 share the second byte with RTP's payload type
  /// (RFC 5761 §4).
  @inlinable
  package static func isRTCP(secondByte: UInt8) -> Bool {
    secondByte >= 192 && secondByte <= 223
  }
}
