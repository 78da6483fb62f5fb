import DTLS
import DataChannel
import ICE
import PeerSession
import Primitives
import SDP
import SRTP
import Sockets

/// Our end of a session before the other end is known: a socket, ICE credentials and a certificate.
package struct ClientEndpoint: Sendable {
  let socket: UDPSocket
  private let credentials: ICECredentials
  private let candidate: ICECandidate
  private let identity: DTLSIdentity
  private let canonicalName: String
  /// Feedback that our receivers send.
  ///
  /// A server that was promised more would wait for it: without transport feedback its bandwidth estimate would starve.
  private let feedback: Set<RTCPFeedback>

  /// Binds a socket on `address`.
  ///
  /// - Parameters:
  ///   - notesArrival: whether packets count as received when the kernel has them, not when they are looked at.
  ///   - givesTransportFeedback: whether the receiver tells when each packet came, as browsers do.
  package init(
    on address: IPAddress, identity: DTLSIdentity, notesArrival: Bool = false, givesTransportFeedback: Bool = false
  ) throws {
    let repairs: Set<RTCPFeedback> = [.nack, .nackPLI, .ccmFIR]
    feedback = givesTransportFeedback ? repairs.union([.transportCC]) : repairs
    var random = RandomSource.system
    socket = try UDPSocket(TransportAddress(ip: address, port: 0), notesArrival: notesArrival)
    credentials = .random(using: &random)
    candidate = .host(socket.address)
    canonicalName = random.iceString(length: 16)
    self.identity = identity
  }

  private var local: SDPLocalParameters {
    let fingerprint = identity.fingerprint(.sha256)
    return SDPLocalParameters(
      credentials: SDPICECredentials(usernameFragment: credentials.usernameFragment, password: credentials.password),
      candidates: [candidate.attribute],
      fingerprint: SDPFingerprint(hash: fingerprint.algorithm.rawValue, bytes: fingerprint.bytes),
      cname: canonicalName)
  }

  /// Writes an offer.
  package func offer(_ purpose: ClientOffer.Purpose, hasDataChannels: Bool = false) -> SessionDescription {
    var random = RandomSource.system
    return SDPOfferBuilder(local: local, media: media(purpose), hasDataChannel: hasDataChannels)
      .offer(random: &random)
  }

  /// Answers a server that offers what it sends, as some servers do with their viewers.
  package func answer(_ offer: String) throws(SDPError) -> SDPAnswer {
    var random = RandomSource.system
    let policy = AnswerPolicy(
      mayPublish: true, maySubscribe: false, acceptsDataChannel: false, sourceExtensions: Set(receivedExtensions.keys),
      feedback: feedback)
    return try SDPAnswerer(local: local, policy: policy).answer(offer, random: &random)
  }

  /// Header extensions that our receivers read, with their ids.
  private var receivedExtensions: [String: UInt8] {
    guard feedback.contains(.transportCC) else { return [:] }
    return OfferedMedia.defaultExtensionIDs.filter { $0.key == HeaderExtensionURI.transportWideCC }
  }

  private func media(_ purpose: ClientOffer.Purpose) -> [OfferedMedia] {
    switch purpose {
    case .publish(let codec):
      let video = NegotiatedCodec.usual(.video).filter { $0.codec == codec }
      return [
        OfferedMedia(.audio, .sendonly, extensionIDs: [:]),
        OfferedMedia(.video, .sendonly, codecs: video, extensionIDs: [:]),
      ]
    case .watch(let slots):
      let pair = [SDPMediaKind.audio, .video].map { kind in
        OfferedMedia(
          kind, .recvonly, codecs: NegotiatedCodec.usual(kind).map(withOurFeedback), extensionIDs: receivedExtensions)
      }
      return (0..<max(0, slots)).flatMap { _ in pair }
    }
  }

  private func withOurFeedback(_ codec: NegotiatedCodec) -> NegotiatedCodec {
    var codec = codec
    codec.feedback.removeAll { !feedback.contains($0) }
    return codec
  }

  func configuration(
    _ session: NegotiatedSession, role: ICERole, engine: SRTPEngine, sctp: @autoclosure () -> SCTPStack
  ) throws -> PeerSessionConfiguration {
    guard let first = session.remote.fingerprints.first,
      let algorithm = DTLSFingerprint.Algorithm(rawValue: first.hash),
      let fingerprint = DTLSFingerprint(algorithm: algorithm, bytes: first.bytes)
    else { throw ClientError("The server's description has no usable fingerprint.") }
    let remote = session.remote.credentials
    return PeerSessionConfiguration(
      ice: ICEConfiguration(mode: .full, role: role), localCredentials: credentials,
      localCandidates: [candidate],
      remoteCredentials: ICECredentials(usernameFragment: remote.usernameFragment, password: remote.password),
      remoteCandidates: session.remote.candidates.compactMap { try? ICECandidate(parsing: $0) }
        .filter { $0.transport == .udp && $0.address.ip.family == socket.address.ip.family },
      isRemoteLite: session.remote.isICELite, identity: identity,
      dtlsRole: session.dtlsRole == .server ? .server : .client, expectedFingerprint: fingerprint, engine: engine,
      dataChannels: session.dataChannel.map {
        DataChannelConfiguration(
          stack: sctp(), localPort: $0.localPort, remotePort: $0.remotePort,
          peerMaximumMessageSize: Int(clamping: $0.remoteMaximumMessageSize))
      }, random: .system)
  }
}

/// Why our client cannot go on; the text says what to do.
package struct ClientError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}
