import Primitives

/// One RTP m-line of an offer of ours.
package struct OfferedMedia: Hashable, Sendable {
  package var kind: SDPMediaKind
  package var direction: MediaDirection
  package var codecs: [NegotiatedCodec]
  /// Header extension ids by URI; ids must mean the same on every m-line (RFC 8843 §9.1).
  package var extensionIDs: [String: UInt8]
  /// Simulcast layers to send, best first; empty for a single encoding.
  package var rids: [String]
  /// Names the stream of what we send.
  package var streamID: String

  package init(
    _ kind: SDPMediaKind, _ direction: MediaDirection, codecs: [NegotiatedCodec]? = nil,
    extensionIDs: [String: UInt8] = defaultExtensionIDs, rids: [String] = [], streamID: String = "sightline"
  ) {
    self.kind = kind
    self.direction = direction
    self.codecs = codecs ?? NegotiatedCodec.usual(kind)
    self.extensionIDs = extensionIDs
    self.rids = rids
    self.streamID = streamID
  }

  package static let defaultExtensionIDs: [String: UInt8] = [
    HeaderExtensionURI.audioLevel: 1, HeaderExtensionURI.absoluteSendTime: 2, HeaderExtensionURI.transportWideCC: 3,
    HeaderExtensionURI.mid: 4, HeaderExtensionURI.rid: 10, HeaderExtensionURI.repairedRID: 11,
    HeaderExtensionURI.dependencyDescriptor: 12,
  ]
}

/// Writes offers for peers of our own: the demo caller, the load generator's viewers, links between nodes
/// (RFC 8829 §5.2.1).
///
/// Everything is bundled on one transport; mids count from 0.
package struct SDPOfferBuilder: Sendable {
  package var local: SDPLocalParameters
  package var media: [OfferedMedia]
  /// Whether an m-line for data channels follows the media.
  package var hasDataChannel: Bool

  package init(local: SDPLocalParameters, media: [OfferedMedia] = [], hasDataChannel: Bool = false) {
    self.local = local
    self.media = media
    self.hasDataChannel = hasDataChannel
  }

  /// A caller: sound and picture out, a data channel beside them.
  package static func caller(
    local: SDPLocalParameters, videoCodecs: [NegotiatedCodec]? = nil, rids: [String] = []
  ) -> SDPOfferBuilder {
    let media = [OfferedMedia(.audio, .sendonly), OfferedMedia(.video, .sendonly, codecs: videoCodecs, rids: rids)]
    return SDPOfferBuilder(local: local, media: media, hasDataChannel: true)
  }

  /// A viewer with `slots` pairs of an audio and a video slot.
  package static func viewer(local: SDPLocalParameters, slots: Int, hasDataChannel: Bool = false) -> SDPOfferBuilder {
    let pair = [OfferedMedia(.audio, .recvonly), OfferedMedia(.video, .recvonly)]
    let media = (0..<max(0, slots)).flatMap { _ in pair }
    return SDPOfferBuilder(local: local, media: media, hasDataChannel: hasDataChannel)
  }

  /// The offer.
  ///
  /// `random` gives the session id and the SSRCs of what is sent.
  package func offer(random: inout RandomSource) -> SessionDescription {
    var offer = SessionDescription(origin: "- \(random.next() >> 1) 1 IN IP4 127.0.0.1")
    let count = media.count + (hasDataChannel ? 1 : 0)
    let mids = (0..<count).map(String.init)
    if local.isICELite { offer.attributes.append(SDPAttribute("ice-lite")) }
    offer.attributes.append(SDPAttribute("group", (["BUNDLE"] + mids).joined(separator: " ")))
    offer.attributes.append(SDPAttribute("ice-options", "trickle"))
    var taken: Set<SSRC> = [SSRC(0)]
    for (index, media) in media.enumerated() {
      offer.media.append(section(of: media, mid: mids[index], taken: &taken, random: &random))
    }
    if hasDataChannel {
      var section = MediaSection(
        media: "application", transport: "UDP/DTLS/SCTP", formats: ["webrtc-datachannel"],
        attributes: opening(mid: mids[count - 1]))
      section.attributes += local.dataChannelAttributes
      offer.media.append(section)
    }
    return offer
  }

  private func opening(mid: String) -> [SDPAttribute] {
    let candidates = mid == "0" ? local.candidateAttributes : []
    return [SDPAttribute("mid", mid)] + local.transportAttributes(setup: .actpass) + candidates
  }

  private func section(
    of media: OfferedMedia, mid: String, taken: inout Set<SSRC>, random: inout RandomSource
  ) -> MediaSection {
    var section = MediaSection(
      media: media.kind.rawValue, transport: "UDP/TLS/RTP/SAVPF", formats: media.codecs.formats,
      attributes: opening(mid: mid))
    section.attributes += [
      SDPAttribute(media.direction.rawValue), SDPAttribute("rtcp-mux"), SDPAttribute("rtcp-rsize"),
    ]
    section.attributes += media.codecs.attributes
    for (uri, id) in media.extensionIDs.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
      section.attributes.append(SDPAttribute("extmap", "\(id) \(uri)"))
    }
    guard media.direction.sends else { return section }
    section.attributes.append(SDPAttribute("msid", "\(media.streamID) \(media.streamID)-\(mid)"))
    for rid in media.rids { section.attributes.append(SDPAttribute("rid", "\(rid) send")) }
    if !media.rids.isEmpty {
      section.attributes.append(SDPAttribute("simulcast", "send \(media.rids.joined(separator: ";"))"))
    }
    func allocate() -> SSRC {
      while true {
        let candidate = SSRC(UInt32(truncatingIfNeeded: random.next()))
        if taken.insert(candidate).inserted { return candidate }
      }
    }
    let hasRetransmission = media.codecs.contains { $0.retransmission != nil }
    let encodings = (0..<max(1, media.rids.count)).map { _ in
      AnnouncedSources.Encoding(ssrc: allocate(), retransmission: hasRetransmission ? allocate() : nil)
    }
    section.attributes += AnnouncedSources(encodings: encodings, cname: local.cname).attributes
    return section
  }
}

extension NegotiatedCodec {
  /// The codecs that a peer of ours offers, with the payload types that Chromium gives them.
  package static func usual(_ kind: SDPMediaKind) -> [NegotiatedCodec] {
    switch kind {
    case .audio: [.usualOpus]
    case .video: [.usualVP8, .usualVP9, .usualH264, .usualAV1]
    }
  }

  package static let usualOpus = NegotiatedCodec(
    payloadType: PayloadType(111), codec: .opus, clockRate: 48_000, channels: 2,
    parameters: FormatParameters("minptime=10;useinbandfec=1"), feedback: [.transportCC])
  package static let usualVP8 = usualVideo(.vp8, 96)
  package static let usualVP9 = usualVideo(.vp9, 98, "profile-id=0")
  package static let usualH264 = usualVideo(
    .h264, 102, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
  package static let usualAV1 = usualVideo(.av1, 45, "level-idx=5;profile=0;tier=0")

  /// The retransmissions get the next payload type.
  private static func usualVideo(_ codec: MediaCodec, _ payloadType: UInt8, _ parameters: String? = nil) -> Self {
    NegotiatedCodec(
      payloadType: PayloadType(payloadType), codec: codec, clockRate: 90_000,
      parameters: parameters.map(FormatParameters.init), retransmission: PayloadType(payloadType &+ 1),
      feedback: [.googREMB, .transportCC, .ccmFIR, .nack, .nackPLI])
  }
}
