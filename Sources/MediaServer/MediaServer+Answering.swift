import DTLS
import DataChannel
import ICE
import Primitives
import Sockets
import RTP
import Relay
import SDP

// From an offer to what a shard needs.

extension MediaServer {
  /// Parses and answers an offer; nothing of the server changes yet.
  func answer(
    _ request: PeerRequest, on shard: ShardHandle
  ) throws(MediaError) -> (admission: PeerAdmission, answer: String) {
    var random = RandomSource.system
    let credentials = ICECredentials.random(using: &random)
    let candidates = shard.candidates
    let canonicalName = random.iceString(length: 16)
    let local = SDPLocalParameters(
      credentials: SDPICECredentials(usernameFragment: credentials.usernameFragment, password: credentials.password),
      isICELite: true, candidates: candidates.map(\.attribute), fingerprint: sdpFingerprint, cname: canonicalName,
      maximumMessageSize: UInt64(DataChannelLimits.defaultMaximumMessageSize))
    let answer: SDPAnswer
    do {
      answer = try SDPAnswerer(local: local, policy: policy(for: request.permissions))
        .answer(request.offer, random: &random)
    } catch {
      throw MediaError(error)
    }
    let session = answer.session
    let admission = PeerAdmission(
      id: newPeerID(on: shard, using: &random), incident: request.incident, home: home(of: request.incident).index,
      name: String(request.name.prefix(PeerRequest.maximumNameLength)), actor: request.actor, part: request.part,
      priority: request.priority, permissions: request.permissions,
      localCredentials: credentials, localCandidates: candidates,
      remoteCredentials: ICECredentials(
        usernameFragment: session.remote.credentials.usernameFragment,
        password: session.remote.credentials.password),
      remoteCandidates: session.remote.candidates.compactMap { try? ICECandidate(parsing: $0) },
      dtlsRole: session.dtlsRole == .server ? .server : .client,
      expectedFingerprint: try expectedFingerprint(of: session),
      dataChannels: session.dataChannel.map { dataChannels($0) },
      sources: session.sources.map(sourceParameters), slots: session.slots.map(slotParameters),
      canonicalName: canonicalName)
    return (admission, answer.text)
  }

  private func policy(for permissions: MediaPermissions) -> AnswerPolicy {
    AnswerPolicy(
      mayPublish: permissions.contains(.publish), maySubscribe: permissions.contains(.subscribe),
      sourceCodecPreference: [.red, .opus], slotExtensions: [HeaderExtensionURI.transportWideCC])
  }

  private var sdpFingerprint: SDPFingerprint {
    let fingerprint = identity.fingerprint(.sha256)
    return SDPFingerprint(hash: fingerprint.algorithm.rawValue, bytes: fingerprint.bytes)
  }

  private func expectedFingerprint(of session: NegotiatedSession) throws(MediaError) -> DTLSFingerprint {
    for fingerprint in session.remote.fingerprints {
      if let algorithm = DTLSFingerprint.Algorithm(rawValue: fingerprint.hash),
        let parsed = DTLSFingerprint(algorithm: algorithm, bytes: fingerprint.bytes)
      {
        return parsed
      }
    }
    throw MediaError(.badDescription, "The offer has no a=fingerprint with sha-256, sha-384 or sha-512.")
  }

  private func dataChannels(
    _ channel: NegotiatedDataChannel
  ) -> (localPort: UInt16, remotePort: UInt16, maximumMessageSize: Int) {
    // 0 stands for any size (RFC 8841 §6.1).
    let limit = UInt64(DataChannelLimits.defaultMaximumMessageSize)
    let size = channel.remoteMaximumMessageSize == 0 ? limit : min(limit, channel.remoteMaximumMessageSize)
    return (channel.localPort, channel.remotePort, Int(size))
  }

  private func sourceParameters(_ source: NegotiatedSource) -> SourceParameters {
    var extensions = RTPExtensionMap()
    for (uri, id) in source.extensionIDs {
      if let kind = RTPHeaderExtensionKind(uri: uri) { extensions[kind] = id }
    }
    return SourceParameters(
      peer: PeerHandle(0), kind: source.kind == .audio ? .audio : .video, mid: source.mid,
      formats: source.codecs.compactMap(\.relayedFormat), extensions: extensions,
      announced: source.announced.encodings.map { (media: $0.ssrc, retransmission: $0.retransmission) },
      acceptsNACK: source.codecs.contains { $0.supports(.nack) }, redundancy: source.codecs.redundancy)
  }

  private func slotParameters(_ slot: NegotiatedSlot) -> (mid: String, parameters: SlotParameters) {
    let parameters = SlotParameters(
      peer: PeerHandle(0), kind: slot.kind == .audio ? .audio : .video, ssrc: slot.ssrc,
      retransmissionSSRC: slot.retransmissionSSRC ?? SSRC(0), formats: slot.codecs.compactMap(\.relayedFormat),
      transportExtension: transportExtension(of: slot), canonicalName: slot.cname, redundancy: slot.codecs.redundancy)
    return (slot.mid, parameters)
  }
}

extension MediaServer {
  /// The id under which a slot's packets are numbered; 0 for none, as where the viewer would not tell what became of them.
  ///
  /// Larger ids need the two-byte form (RFC 8285 §4.3), which no browser asks for here.
  private func transportExtension(of slot: NegotiatedSlot) -> UInt8 {
    guard slot.codecs.contains(where: { $0.supports(.transportCC) }) else { return 0 }
    let id = slot.extensionIDs[HeaderExtensionURI.transportWideCC] ?? 0
    return id <= 14 ? id : 0
  }
}

extension [NegotiatedCodec] {
  /// The payload type of redundant sound (RFC 2198), if negotiated.
  package var redundancy: PayloadType? { first { $0.codec == .red }?.payloadType }
}

extension NegotiatedCodec {
  /// What the relay must know of a codec; nil for one that it does not forward.
  package var relayedFormat: RelayedFormat? {
    let format: MediaFormat
    switch codec {
    case .opus: format = .opus
    case .vp8: format = .vp8
    case .vp9: format = .vp9(profile: UInt8(clamping: profile))
    case .av1: format = .av1(profile: UInt8(clamping: profile))
    case .h264: format = .h264(profile: profileBits)
    case .red: return nil
    }
    return RelayedFormat(payloadType: payloadType, format: format, retransmission: retransmission)
  }

  /// The first two bytes of profile-level-id; constrained baseline by default (RFC 6184 §8.1).
  private var profileBits: UInt16 {
    guard let bytes = Hex.decode(parameters?["profile-level-id"] ?? "42e01f"), bytes.count == 3 else { return 0x42e0 }
    return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
  }
}

extension MediaError {
  /// Says which line of the offer is wrong and why.
  init(_ error: SDPError) {
    self.init(error.code == .notPermitted ? .notPermitted : .badDescription, error.description)
  }
}
