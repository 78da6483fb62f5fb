import DTLS
import DataChannel
import ICE
import PeerSession
import Primitives
import SDP
import SRTP
import Sockets

/// An offer of ours with everything that its session will need once the answer is there.
package struct ClientOffer {
  /// What the client wants.
  package enum Purpose: Sendable {
    /// Sends one audio and one video stream.
    case publish(MediaCodec)
    /// Receives that many pairs of audio and video.
    case watch(slots: Int)
  }

  package let description: SessionDescription
  let socket: UDPSocket
  private let credentials: ICECredentials
  private let candidate: ICECandidate
  private let identity: DTLSIdentity

  /// Binds a socket on `address` and writes the offer.
  package init(_ purpose: Purpose, on address: IPAddress, identity: DTLSIdentity) throws {
    var random = RandomSource.system
    socket = try UDPSocket(TransportAddress(ip: address, port: 0))
    credentials = .random(using: &random)
    candidate = .host(socket.address)
    self.identity = identity
    let fingerprint = identity.fingerprint(.sha256)
    let local = SDPLocalParameters(
      credentials: SDPICECredentials(usernameFragment: credentials.usernameFragment, password: credentials.password),
      candidates: [candidate.attribute],
      fingerprint: SDPFingerprint(hash: fingerprint.algorithm.rawValue, bytes: fingerprint.bytes),
      cname: random.iceString(length: 16))
    switch purpose {
    case .publish(let codec):
      let builder = SDPOfferBuilder(
        local: local,
        media: [
          OfferedMedia(.audio, .sendonly, extensionIDs: [:]),
          OfferedMedia(
            .video, .sendonly, codecs: NegotiatedCodec.usual(.video).filter { $0.codec == codec }, extensionIDs: [:]),
        ])
      description = builder.offer(random: &random)
    case .watch(let slots):
      description = SDPOfferBuilder.viewer(local: local, slots: slots).offer(random: &random)
    }
  }

  func configuration(_ session: NegotiatedSession, loop: ClientLoop) throws -> PeerSessionConfiguration {
    guard let first = session.remote.fingerprints.first, let algorithm = DTLSFingerprint.Algorithm(rawValue: first.hash),
      let fingerprint = DTLSFingerprint(algorithm: algorithm, bytes: first.bytes)
    else { throw ClipError("The server's answer has no usable fingerprint.") }
    let remote = session.remote.credentials
    return PeerSessionConfiguration(
      ice: ICEConfiguration(mode: .full, role: .controlling), localCredentials: credentials,
      localCandidates: [candidate],
      remoteCredentials: ICECredentials(usernameFragment: remote.usernameFragment, password: remote.password),
      remoteCandidates: session.remote.candidates.compactMap { try? ICECandidate(parsing: $0) }
        .filter { $0.transport == .udp && $0.address.ip.family == socket.address.ip.family },
      isRemoteLite: session.remote.isICELite, identity: identity,
      dtlsRole: session.dtlsRole == .server ? .server : .client, expectedFingerprint: fingerprint, engine: loop.engine,
      dataChannels: nil, random: .system)
  }
}
