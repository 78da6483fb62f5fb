import Primitives

/// What the floors above ask of the media plane.
///
/// The real one is ``MediaServer``.
///
/// All calls are made from the control plane; none of them is on the packet path.
package protocol MediaPlane: Sendable {
  /// Answers one offer: the only negotiation a peer ever has (DESIGN decision 1).
  func connect(_ request: PeerRequest) async throws(MediaError) -> PeerAnswer

  /// Adds remote candidates to a session; `fragment` is `application/trickle-ice-sdpfrag` (RFC 8840 §9).
  func trickle(_ peer: PeerID, fragment: String) async throws(MediaError)

  /// Restarts ICE make-before-break: the old path works until the new one is proven (RFC 8445 §2.4, RFC 9725 §4.3.3).
  func restart(_ peer: PeerID, fragment: String) async throws(MediaError) -> RestartAnswer

  /// Puts `source` on the receive slot with the given mid, or follows the incident's default when nil.
  func select(_ source: SourceID?, on slot: String, of peer: PeerID) async throws(MediaError)

  /// What is on each of a peer's receive slots now, by mid; empty slots are left out.
  func slots(of peer: PeerID) async -> [String: SlotView]

  /// Limits what a slot shows: a small picture on a wall needs no more than the smallest layer. Nil lifts the limit.
  func limit(_ slot: String, of peer: PeerID, toHeight height: Int?) async throws(MediaError)

  /// How urgent an incident is from now on, 1 (most) to 4: its viewers come before those of less urgent ones.
  func setPriority(_ priority: Int, of incident: IncidentID) async

  /// Ends a session; its sources disappear from the incident.
  func disconnect(_ peer: PeerID, reason: String) async

  /// The incident's peers and sources now.
  func overview(of incident: IncidentID) async -> IncidentMedia

  /// What happens to the incident's media from now on; a reader that falls behind loses the oldest events.
  func events(of incident: IncidentID) async -> AsyncStream<MediaEvent>

  /// Has `handler` told of everything on all peers' data channels: every text message once and in order.
  ///
  /// It is called on a media thread, which waits for it: it must hand over and return. Set it before the first peer
  /// comes; what happened before is not told again.
  func setChannelHandler(_ handler: @escaping @Sendable (ChannelEvent) -> Void)

  /// Sends texts on a peer's data channel, as many as fit, in order.
  ///
  /// Calls for one peer are served in their order. `done` is called once, mostly on a media thread, and must not block. It
  /// gets the number of texts taken; when that is less than all, ``ChannelEvent/Kind/writable`` follows as soon as there
  /// is room for more. A text that can never be sent is refused when it is the first one.
  ///
  /// - Parameter stream: Which of several channels with that label; the newest if nil.
  func enqueue(
    _ texts: [String], on channel: String, stream: UInt16?, of peer: PeerID,
    done: @escaping @Sendable (Result<Int, ChannelSendError>) -> Void)

  /// Closes one of a peer's data channels; it is told as closed like any other.
  func closeChannel(_ stream: UInt16, of peer: PeerID)

  /// Counters since the start.
  func statistics() async -> MediaStatistics
}

/// What a peer may do with media in its incident; it comes from the token, never from the offer.
package struct MediaPermissions: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Its sending m-lines become sources.
  package static let publish = MediaPermissions(rawValue: 1)
  /// Its receiving m-lines become slots.
  package static let subscribe = MediaPermissions(rawValue: 2)
}

/// One peer asks to join an incident.
package struct PeerRequest: Sendable {
  package var incident: IncidentID
  package var permissions: MediaPermissions
  /// Shown to the others, for example `caller` or `paramedic 7`; at most ``maximumNameLength`` characters are kept.
  package var name: String
  /// Who it is in the incident's journal; empty for nobody in particular.
  package var actor: String
  package var part: PeerPart
  /// The incident's priority, 1 (most urgent) to 4.
  package var priority: Int
  /// The SDP offer as it came.
  package var offer: String

  package static let maximumNameLength = 64

  /// - Parameter part: By what the peer may do if not given: who sends is a caller, who only receives looks on.
  package init(
    incident: IncidentID, permissions: MediaPermissions, name: String, actor: String = "", part: PeerPart? = nil,
    priority: Int = 3, offer: String
  ) {
    self.incident = incident
    self.permissions = permissions
    self.name = name
    self.actor = actor
    self.part = part ?? (permissions.contains(.publish) ? .caller : .onlooker)
    self.priority = priority
    self.offer = offer
  }
}

/// The answer to a ``PeerRequest``.
package struct PeerAnswer: Sendable {
  package var peer: PeerID
  /// The SDP answer.
  package var sdp: String
  /// Names the ICE session, for WHIP's ETag (RFC 9725 §4.3.1).
  package var iceSession: String

  package init(peer: PeerID, sdp: String, iceSession: String) {
    self.peer = peer
    self.sdp = sdp
    self.iceSession = iceSession
  }
}

/// The answer to an ICE restart.
package struct RestartAnswer: Sendable {
  /// `application/trickle-ice-sdpfrag` with the new credentials and candidates.
  package var fragment: String
  package var iceSession: String

  package init(fragment: String, iceSession: String) {
    self.fragment = fragment
    self.iceSession = iceSession
  }
}

/// Names one audio or video source within its incident.
package struct SourceID: Hashable, Sendable, CustomStringConvertible {
  package let value: UInt32

  package init(_ value: UInt32) {
    self.value = value
  }

  package var description: String { "s\(value)" }
}

package enum MediaKind: String, Hashable, Sendable {
  case audio
  case video
}

/// Where a source's media stands.
package enum SourceState: String, Hashable, Sendable {
  /// Negotiated, nothing received yet.
  case waiting
  /// Packets arrive.
  case live
  /// Nothing has arrived for a while; the peer may be reconnecting.
  case stalled
}

package struct SourceOverview: Hashable, Sendable {
  package var id: SourceID
  package var peer: PeerID
  package var kind: MediaKind
  package var state: SourceState
  /// Encoding name of the codec in use, for example `H264`; nil before the first packet.
  package var codec: String?
  /// Received in the last second, bits per second.
  package var bitrate: Int
  /// What can be shown of it, poorest first; empty for sound and before the first packet.
  package var layers: [LayerOverview]
  /// Whether somebody speaks there now; false for a picture, and for sound whose sender tells no loudness (RFC 6464).
  package var isSpeaking: Bool

  package init(
    id: SourceID, peer: PeerID, kind: MediaKind, state: SourceState, codec: String?, bitrate: Int,
    layers: [LayerOverview] = [], isSpeaking: Bool = false
  ) {
    self.id = id
    self.peer = peer
    self.kind = kind
    self.state = state
    self.codec = codec
    self.bitrate = bitrate
    self.layers = layers
    self.isSpeaking = isSpeaking
  }
}

/// Where a peer's connection stands.
package enum PeerState: Hashable, Sendable {
  case connecting
  case connected
  /// Consent is getting old or the path is gone; the session is kept for a restart.
  case interrupted
  case closed(reason: String)
}

/// What a viewer's slot shows of its source.
package struct SlotView: Hashable, Sendable {
  package var source: SourceID
  package var kind: MediaKind
  package var shows: Shown
  /// Why it is less than the source offers; nil when it is all of it.
  package var reason: Reason?
  /// What the link to this viewer bears, bits per second; nil while nothing is known.
  package var linkBitsPerSecond: Int?

  /// From nothing to everything.
  package enum Shown: Hashable, Sendable {
    /// No picture: sound and location go on.
    case audioOnly
    /// A picture every few seconds.
    case stills
    /// The layer at this place of ``SourceOverview/layers``.
    case layer(Int)
    /// Sound, or a picture that has not been decided on yet.
    case all
  }

  /// Why a picture is reduced.
  package enum Reason: String, Hashable, Sendable {
    /// The viewer's own link bears no more.
    case link
    /// The node is full and more urgent calls come first.
    case overload
    /// The viewer asked for less.
    case wanted
  }

  package init(source: SourceID, kind: MediaKind, shows: Shown, reason: Reason?, linkBitsPerSecond: Int?) {
    self.source = source
    self.kind = kind
    self.shows = shows
    self.reason = reason
    self.linkBitsPerSecond = linkBitsPerSecond
  }
}

/// One of the layers that a source sends.
package struct LayerOverview: Hashable, Sendable {
  /// Simulcast encoding, if any (RFC 8851).
  package var rid: String?
  package var spatial: Int
  package var temporal: Int
  /// As measured.
  package var bitrate: Int
  /// Pixels; nil while unknown.
  package var width: Int?
  package var height: Int?

  package init(rid: String?, spatial: Int, temporal: Int, bitrate: Int, width: Int?, height: Int?) {
    self.rid = rid
    self.spatial = spatial
    self.temporal = temporal
    self.bitrate = bitrate
    self.width = width
    self.height = height
  }
}

package struct PeerOverview: Hashable, Sendable {
  package var id: PeerID
  package var name: String
  /// As in ``PeerRequest``.
  package var actor: String
  package var part: PeerPart
  package var permissions: MediaPermissions
  package var state: PeerState

  package init(
    id: PeerID, name: String, actor: String = "", part: PeerPart = .onlooker, permissions: MediaPermissions,
    state: PeerState
  ) {
    self.id = id
    self.name = name
    self.actor = actor
    self.part = part
    self.permissions = permissions
    self.state = state
  }
}

package struct IncidentMedia: Hashable, Sendable {
  package var peers: [PeerOverview]
  package var sources: [SourceOverview]

  package init(peers: [PeerOverview], sources: [SourceOverview]) {
    self.peers = peers
    self.sources = sources
  }
}

/// Something happened to an incident's media.
package enum MediaEvent: Hashable, Sendable {
  case peerChanged(PeerOverview)
  case sourceChanged(SourceOverview)
  case sourceRemoved(SourceID)
  /// A viewer's slot shows more or less of its source than before.
  case viewChanged(of: PeerID, slot: String, view: SlotView)
  /// A message on a peer's data channel, other than real-time text and ``ChannelEvent/metadataChannel``.
  case message(from: PeerID, channel: String, text: String)
}

/// A request that the media plane refuses.
package struct MediaError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable {
    /// The SDP cannot be used; the text names the line.
    case badDescription
    /// The offer asks for something that its permissions do not allow.
    case notPermitted
    /// No such session, or no longer.
    case unknownPeer
    /// No such slot or source.
    case unknownSlot
    /// A named limit is reached; try again later.
    case full
    /// The server is stopping.
    case unavailable
  }

  package let code: Code
  /// What to do next, in plain words; at most ``maximumTextLength`` characters.
  package let text: String

  package static let maximumTextLength = 300

  package init(_ code: Code, _ text: String) {
    self.code = code
    self.text = String(text.prefix(Self.maximumTextLength))
  }

  package var description: String { "\(code.rawValue): \(text)" }
}

/// Counters of the whole media plane since the start.
package struct MediaStatistics: Sendable {
  /// One row a counter: its Prometheus name, its help text and its value, summed over the shards.
  package struct Row: Hashable, Sendable {
    package var name: String
    package var help: String
    package var value: UInt64

    package init(name: String, help: String, value: UInt64) {
      self.name = name
      self.help = help
      self.value = value
    }
  }

  package var counters: [Row]
  package var gauges: [Row]

  package init(counters: [Row], gauges: [Row]) {
    self.counters = counters
    self.gauges = gauges
  }

  /// A gauge by its name; 0 when there is none.
  package func gauge(_ name: String) -> UInt64 { gauges.first { $0.name == name }?.value ?? 0 }
}
