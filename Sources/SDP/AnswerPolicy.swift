/// What the writer of a description contributes itself: the answerer or the offer builder.
package struct SDPLocalParameters: Hashable, Sendable {
  package var credentials: SDPICECredentials
  package var isICELite: Bool
  /// Values of our candidates, with or without `candidate:` in front.
  package var candidates: [String]
  /// Whether these are all the candidates that there will be.
  package var hasAllCandidates: Bool
  package var fingerprint: SDPFingerprint
  /// Names us in `a=ssrc` and RTCP (RFC 7022); everything with one cname shares a clock.
  package var cname: String
  package var sctpPort: UInt16
  /// Largest data channel message that we take, in bytes.
  package var maximumMessageSize: UInt64

  package init(
    credentials: SDPICECredentials, isICELite: Bool = false, candidates: [String] = [], hasAllCandidates: Bool = true,
    fingerprint: SDPFingerprint, cname: String = "sightline", sctpPort: UInt16 = 5000,
    maximumMessageSize: UInt64 = 65_536
  ) {
    self.credentials = credentials
    self.isICELite = isICELite
    self.candidates = candidates
    self.hasAllCandidates = hasAllCandidates
    self.fingerprint = fingerprint
    self.cname = cname
    self.sctpPort = sctpPort
    self.maximumMessageSize = maximumMessageSize
  }
}

/// What an answer may agree to.
package struct AnswerPolicy: Hashable, Sendable {
  /// Whether the peer's sending m-lines become sources.
  package var mayPublish: Bool
  /// Whether the peer's receiving m-lines become slots.
  package var maySubscribe: Bool
  package var acceptsDataChannel: Bool
  /// Most sources; further sending m-lines become inactive.
  package var maximumSources: Int
  /// Most slots; further receiving m-lines become inactive.
  package var maximumSlots: Int
  /// Most simulcast layers of a source; the ones after them are not accepted.
  package var maximumLayers: Int
  /// Codecs that a source should prefer, best first; the others follow in the offer's order.
  package var sourceCodecPreference: [MediaCodec]
  /// Header extensions that a source may carry.
  package var sourceExtensions: Set<String>
  /// Header extensions on slots.
  ///
  /// The relay forwards payloads as they are: without video orientation in
  /// ``sourceExtensions`` the senders turn their pictures themselves, and no slot needs it.
  package var slotExtensions: Set<String>
  /// Feedback that is agreed to when the offer has it.
  package var feedback: Set<RTCPFeedback>

  package init(
    mayPublish: Bool = true, maySubscribe: Bool = true, acceptsDataChannel: Bool = true, maximumSources: Int = 8,
    maximumSlots: Int = 48, maximumLayers: Int = 4, sourceCodecPreference: [MediaCodec] = [],
    sourceExtensions: Set<String> = defaultSourceExtensions, slotExtensions: Set<String> = defaultSlotExtensions,
    feedback: Set<RTCPFeedback> = defaultFeedback
  ) {
    self.mayPublish = mayPublish
    self.maySubscribe = maySubscribe
    self.acceptsDataChannel = acceptsDataChannel
    self.maximumSources = maximumSources
    self.maximumSlots = maximumSlots
    self.maximumLayers = maximumLayers
    self.sourceCodecPreference = sourceCodecPreference
    self.sourceExtensions = sourceExtensions
    self.slotExtensions = slotExtensions
    self.feedback = feedback
  }

  package static let defaultSourceExtensions: Set<String> = [
    HeaderExtensionURI.mid, HeaderExtensionURI.rid, HeaderExtensionURI.repairedRID, HeaderExtensionURI.absoluteSendTime,
    HeaderExtensionURI.transportWideCC, HeaderExtensionURI.audioLevel, HeaderExtensionURI.dependencyDescriptor,
  ]

  package static let defaultSlotExtensions: Set<String> = [
    HeaderExtensionURI.mid, HeaderExtensionURI.absoluteSendTime, HeaderExtensionURI.transportWideCC,
    HeaderExtensionURI.audioLevel, HeaderExtensionURI.dependencyDescriptor,
  ]

  package static let defaultFeedback: Set<RTCPFeedback> = [.nack, .nackPLI, .ccmFIR, .transportCC, .googREMB]
}
