import Primitives

/// What is to be answered to one m-line.
struct MediaPlan {
  var index: Int
  var section: MediaSection
  /// The offer's mid, if it has one.
  var mid: String?
  /// Why the m-line cannot be served; nil when it is.
  var rejection: String?
  /// Whether a line that cannot be served is kept, inactive, because the bundle's transport belongs to it.
  var isPlaceholder = false
  /// Our direction.
  var direction = MediaDirection.inactive
  /// Whether the policy took something away.
  var wasForbidden = false
  var kind: SDPMediaKind?
  var codecs: [NegotiatedCodec] = []
  /// What the answer says, with our directions.
  var extensions: [HeaderExtension] = []
  var sourceExtensionIDs: [String: UInt8] = [:]
  var slotExtensionIDs: [String: UInt8] = [:]
  var rids: [String] = []
  var announced = AnnouncedSources()
  /// The SSRCs of the slot.
  var sending: AnnouncedSources.Encoding?
  /// Number of the slot within its kind.
  var slotNumber = 0
  var dataChannel: (port: UInt16, maximumMessageSize: UInt64)?

  /// Whether the answer gives it port 0.
  var isRejected: Bool { rejection != nil && !isPlaceholder }

  var isUseful: Bool { !isRejected && (direction != .inactive || dataChannel != nil) }

  var effectiveMID: String { mid ?? String(index) }

  /// The k-th audio and the k-th video slot share a stream, so that a browser plays a caller's sound and picture in sync.
  var streamID: String { "slot-\(slotNumber)" }

  init(index: Int, section: MediaSection, mid: String?) {
    self.index = index
    self.section = section
    self.mid = mid
  }
}

/// Decides what to answer to each m-line.
struct AnswerPlanner {
  let offer: SessionDescription
  let policy: AnswerPolicy

  func plans() throws(SDPError) -> [MediaPlan] {
    var plans = try identify()
    try checkBundle(&plans)
    var sources = 0
    var slots: [SDPMediaKind: Int] = [:]
    for index in plans.indices where !plans[index].isRejected {
      if plans[index].section.isDataChannel {
        try planDataChannel(&plans[index], isFirst: !plans.contains { $0.dataChannel != nil })
      } else {
        try planMedia(&plans[index], sources: &sources, slots: &slots)
      }
    }
    return plans
  }

  /// One plan an m-line, with its mid; what the offerer itself rejected is rejected back.
  private func identify() throws(SDPError) -> [MediaPlan] {
    var plans: [MediaPlan] = []
    var mids: Set<String> = []
    for (index, section) in offer.media.enumerated() {
      let mid = try section.mid()
      if let mid, !mids.insert(mid).inserted {
        throw section.error(.malformed, "the mid \"\(mid.prefix(32))\" is used by two m-lines")
      }
      var plan = MediaPlan(index: index, section: section, mid: mid)
      if section.isRejected {
        plan.rejection = "the offer itself rejects the m-line"
      } else if section.kind == nil, !section.isDataChannel {
        plan.rejection = "only audio and video over UDP/TLS/RTP/SAVPF and data channels over UDP/DTLS/SCTP are served"
      }
      plans.append(plan)
    }
    return plans
  }

  /// There is one transport: m-lines outside the first BUNDLE group are rejected (RFC 8843 §7.3.3), and without a group
  /// there must be only one m-line.
  private func checkBundle(_ plans: inout [MediaPlan]) throws(SDPError) {
    let open = plans.indices.filter { !plans[$0].isRejected }
    guard open.count > 1 else { return }
    guard let bundle = offer.bundle else {
      throw plans[open[1]].section.error(
        .unsupported, "several m-lines need a=group:BUNDLE: everything runs over one transport")
    }
    for index in open {
      let section = plans[index].section
      if !bundle.contains(plans[index].mid ?? "") {
        plans[index].rejection = "the m-line is not in the first BUNDLE group"
      } else if section.kind != nil, !section.has("rtcp-mux") {
        plans[index].rejection = "the m-line lacks a=rtcp-mux"
      }
    }
  }

  private func planDataChannel(_ plan: inout MediaPlan, isFirst: Bool) throws(SDPError) {
    guard isFirst else {
      plan.rejection = "one m-line for data channels is enough"
      return
    }
    guard policy.acceptsDataChannel else {
      plan.rejection = "data channels are switched off"
      plan.wasForbidden = true
      return
    }
    plan.dataChannel = (try plan.section.sctpPort(), try plan.section.maximumMessageSize())
  }

  private func planMedia(
    _ plan: inout MediaPlan, sources: inout Int, slots: inout [SDPMediaKind: Int]
  ) throws(SDPError) {
    let section = plan.section
    guard let kind = section.kind else { return }
    let offered = section.direction(in: offer)
    plan.kind = kind
    plan.codecs = try section.carriedCodecs(feedback: policy.feedback)
    guard !plan.codecs.isEmpty else {
      plan.rejection = "no codec in common: \(Self.codecAdvice(kind))"
      // Chromium 156 with max-bundle cannot apply an answer that rejects the first line of the bundle ("Failed to setup
      // RTCP mux").
      plan.isPlaceholder = plan.mid != nil && plan.mid == offer.bundle?.first
      return
    }
    let receives = offered.sends && policy.mayPublish && sources < policy.maximumSources
    let sends = offered.receives && policy.maySubscribe && slots.values.reduce(0, +) < policy.maximumSlots
    plan.direction = MediaDirection(sends: sends, receives: receives)
    plan.wasForbidden = offered.reversed != plan.direction
    try planExtensions(&plan)
    if receives {
      sources += 1
      plan.codecs = plan.codecs.ordered(by: policy.sourceCodecPreference)
      plan.announced = try section.announcedSources()
      let rids = try section.simulcastSendRIDs().prefix(policy.maximumLayers)
      // Without the rid extension nothing tells the layers apart.
      if plan.sourceExtensionIDs[HeaderExtensionURI.rid] != nil { plan.rids = Array(rids) }
    }
    if sends {
      plan.slotNumber = slots[kind, default: 0]
      slots[kind, default: 0] += 1
    }
  }

  private func planExtensions(_ plan: inout MediaPlan) throws(SDPError) {
    for offered in try plan.section.headerExtensions() where offered.id <= HeaderExtensionURI.maximumID {
      let receives = plan.direction.receives && offered.direction.sends && policy.sourceExtensions.contains(offered.uri)
      let sends = plan.direction.sends && offered.direction.receives && policy.slotExtensions.contains(offered.uri)
      guard receives || sends else { continue }
      if receives { plan.sourceExtensionIDs[offered.uri] = offered.id }
      if sends { plan.slotExtensionIDs[offered.uri] = offered.id }
      plan.extensions.append(
        HeaderExtension(id: offered.id, uri: offered.uri, direction: offered.direction.reversed))
    }
  }

  private static func codecAdvice(_ kind: SDPMediaKind) -> String {
    switch kind {
    case .audio: "offer opus/48000/2"
    case .video: "offer VP8, VP9, AV1 or H264 with packetization-mode=1"
    }
  }
}
