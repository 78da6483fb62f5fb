import Primitives

/// What one offer and one answer agreed on, seen from our side: plain values that a peer session is built from.
///
/// Sources and slots stand in the order of the m-lines. A `sendrecv` m-line gives one of each, with the same mid.
package struct NegotiatedSession: Hashable, Sendable {
  package var remote: RemoteTransport
  /// Our DTLS role.
  package var dtlsRole: DTLSRole
  /// Every m-line of the offer, rejected ones included.
  package var mediaLines: [NegotiatedMediaLine]
  /// What the peer sends to us.
  package var sources: [NegotiatedSource]
  /// What we send to the peer.
  package var slots: [NegotiatedSlot]
  package var dataChannel: NegotiatedDataChannel?

  package init(
    remote: RemoteTransport, dtlsRole: DTLSRole, mediaLines: [NegotiatedMediaLine] = [],
    sources: [NegotiatedSource] = [], slots: [NegotiatedSlot] = [], dataChannel: NegotiatedDataChannel? = nil
  ) {
    self.remote = remote
    self.dtlsRole = dtlsRole
    self.mediaLines = mediaLines
    self.sources = sources
    self.slots = slots
    self.dataChannel = dataChannel
  }

  /// Our side of the DTLS handshake.
  package enum DTLSRole: String, Hashable, Sendable {
    case client
    case server
  }
}

/// The peer's end of the one transport that everything is bundled on.
package struct RemoteTransport: Hashable, Sendable {
  package var credentials: SDPICECredentials
  package var isICELite: Bool
  /// Whether it sends further candidates later (RFC 8840 §4.1).
  package var trickles: Bool
  /// Values of its `a=candidate` lines, without `candidate:`.
  package var candidates: [String]
  package var hasAllCandidates: Bool
  /// Certificate fingerprints of a hash that we verify, strongest first; never empty.
  ///
  /// The peer's certificate must match
  /// the first (RFC 8122 §5 lets a verifier choose the strongest hash).
  package var fingerprints: [SDPFingerprint]
  /// The peer's own wish.
  package var setup: DTLSSetup

  package init(
    credentials: SDPICECredentials, isICELite: Bool = false, trickles: Bool = false, candidates: [String] = [],
    hasAllCandidates: Bool = false, fingerprints: [SDPFingerprint], setup: DTLSSetup
  ) {
    self.credentials = credentials
    self.isICELite = isICELite
    self.trickles = trickles
    self.candidates = candidates
    self.hasAllCandidates = hasAllCandidates
    self.fingerprints = fingerprints
    self.setup = setup
  }
}

/// What became of one m-line.
package struct NegotiatedMediaLine: Hashable, Sendable {
  /// Position in the description, from 0.
  package var index: Int
  /// The `a=mid`, or the index as text when the offer has none.
  package var mid: String
  /// `audio`, `video`, `application`, or something that was rejected.
  package var media: String
  /// Our direction; `inactive` for a rejected line.
  package var direction: MediaDirection
  package var isRejected: Bool

  package init(index: Int, mid: String, media: String, direction: MediaDirection, isRejected: Bool) {
    self.index = index
    self.mid = mid
    self.media = media
    self.direction = direction
    self.isRejected = isRejected
  }
}

/// Media that the peer sends.
package struct NegotiatedSource: Hashable, Sendable {
  package var mid: String
  package var mediaLineIndex: Int
  package var kind: SDPMediaKind
  /// In the order of the answer: the peer sends the first that it can.
  package var codecs: [NegotiatedCodec]
  /// Header extension ids by URI (``HeaderExtensionURI``).
  package var extensionIDs: [String: UInt8]
  /// The SSRCs that it announced; empty when they are learnt from mid and rid.
  package var announced: AnnouncedSources
  /// Simulcast layers, as ordered by the peer; empty without simulcast.
  package var rids: [String]
  /// The peer's stream and track (`a=msid`, RFC 8830); nil when it says nothing.
  package var streamID: String?
  package var reducedSizeRTCP: Bool

  package init(
    mid: String, mediaLineIndex: Int, kind: SDPMediaKind, codecs: [NegotiatedCodec],
    extensionIDs: [String: UInt8] = [:],
    announced: AnnouncedSources = AnnouncedSources(), rids: [String] = [], streamID: String? = nil,
    reducedSizeRTCP: Bool = false
  ) {
    self.mid = mid
    self.mediaLineIndex = mediaLineIndex
    self.kind = kind
    self.codecs = codecs
    self.extensionIDs = extensionIDs
    self.announced = announced
    self.rids = rids
    self.streamID = streamID
    self.reducedSizeRTCP = reducedSizeRTCP
  }
}

/// A place at the peer that we can send any source to.
package struct NegotiatedSlot: Hashable, Sendable {
  package var mid: String
  package var mediaLineIndex: Int
  package var kind: SDPMediaKind
  /// In the order of the answer; every one may be sent at any time.
  package var codecs: [NegotiatedCodec]
  /// Header extension ids by URI (``HeaderExtensionURI``).
  package var extensionIDs: [String: UInt8]
  package var ssrc: SSRC
  /// Nil when no codec has retransmissions.
  package var retransmissionSSRC: SSRC?
  /// Simulcast layers that we send when we are the client; empty otherwise.
  package var layers: [Layer]
  /// The stream that we named: slots of one stream are played in sync.
  package var streamID: String?
  package var cname: String
  package var reducedSizeRTCP: Bool

  /// One simulcast layer of ours.
  package struct Layer: Hashable, Sendable {
    package var rid: String
    package var encoding: AnnouncedSources.Encoding

    package init(rid: String, encoding: AnnouncedSources.Encoding) {
      self.rid = rid
      self.encoding = encoding
    }
  }

  package init(
    mid: String, mediaLineIndex: Int, kind: SDPMediaKind, codecs: [NegotiatedCodec],
    extensionIDs: [String: UInt8] = [:],
    ssrc: SSRC, retransmissionSSRC: SSRC? = nil, layers: [Layer] = [], streamID: String? = nil, cname: String,
    reducedSizeRTCP: Bool = false
  ) {
    self.mid = mid
    self.mediaLineIndex = mediaLineIndex
    self.kind = kind
    self.codecs = codecs
    self.extensionIDs = extensionIDs
    self.ssrc = ssrc
    self.retransmissionSSRC = retransmissionSSRC
    self.layers = layers
    self.streamID = streamID
    self.cname = cname
    self.reducedSizeRTCP = reducedSizeRTCP
  }
}

/// The SCTP association for data channels (RFC 8841).
package struct NegotiatedDataChannel: Hashable, Sendable {
  package var mid: String
  package var mediaLineIndex: Int
  package var localPort: UInt16
  package var remotePort: UInt16
  /// Largest message that the peer takes, in bytes; 0 means any size.
  package var remoteMaximumMessageSize: UInt64

  package init(
    mid: String, mediaLineIndex: Int, localPort: UInt16, remotePort: UInt16, remoteMaximumMessageSize: UInt64
  ) {
    self.mid = mid
    self.mediaLineIndex = mediaLineIndex
    self.localPort = localPort
    self.remotePort = remotePort
    self.remoteMaximumMessageSize = remoteMaximumMessageSize
  }
}
