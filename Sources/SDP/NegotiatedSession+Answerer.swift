import Primitives

extension NegotiatedSession {
  /// What the plans of an answer agree on.
  init(_ plans: [MediaPlan], remote: RemoteTransport, dtlsRole: DTLSRole, local: SDPLocalParameters) {
    self.init(remote: remote, dtlsRole: dtlsRole)
    for plan in plans {
      mediaLines.append(
        NegotiatedMediaLine(
          index: plan.index, mid: plan.effectiveMID, media: plan.section.media,
          direction: plan.isRejected ? .inactive : plan.direction, isRejected: plan.isRejected))
      guard !plan.isRejected else { continue }
      if plan.direction.receives, let source = NegotiatedSource(plan) { sources.append(source) }
      if plan.direction.sends, let slot = NegotiatedSlot(plan, cname: local.cname) { slots.append(slot) }
      if let offered = plan.dataChannel {
        dataChannel = NegotiatedDataChannel(
          mid: plan.effectiveMID, mediaLineIndex: plan.index, localPort: local.sctpPort, remotePort: offered.port,
          remoteMaximumMessageSize: offered.maximumMessageSize)
      }
    }
  }
}

extension NegotiatedSource {
  fileprivate init?(_ plan: MediaPlan) {
    guard let kind = plan.kind else { return nil }
    self.init(
      mid: plan.effectiveMID, mediaLineIndex: plan.index, kind: kind, codecs: plan.codecs,
      extensionIDs: plan.sourceExtensionIDs, announced: plan.announced, rids: plan.rids,
      streamID: plan.section.streamID, reducedSizeRTCP: plan.section.has("rtcp-rsize"))
  }
}

extension NegotiatedSlot {
  fileprivate init?(_ plan: MediaPlan, cname: String) {
    guard let kind = plan.kind, let sending = plan.sending else { return nil }
    self.init(
      mid: plan.effectiveMID, mediaLineIndex: plan.index, kind: kind, codecs: plan.codecs,
      extensionIDs: plan.slotExtensionIDs, ssrc: sending.ssrc, retransmissionSSRC: sending.retransmission,
      streamID: plan.streamID, cname: cname, reducedSizeRTCP: plan.section.has("rtcp-rsize"))
  }
}

extension MediaSection {
  /// The stream of `a=msid` (RFC 8830 §2), or of the older `a=ssrc:… msid:`; nil for none (`-`).
  var streamID: String? {
    let stream =
      attribute("msid")?.value?.words.first
      ?? attributes("ssrc").lazy.compactMap { attribute -> Substring? in
        guard let words = attribute.value?.words, words.count > 1, words[1].hasPrefix("msid:") else { return nil }
        return words[1].dropFirst(5)
      }.first
    return stream.flatMap { $0 == "-" || $0.isEmpty ? nil : String($0) }
  }
}

extension RemoteTransport {
  /// The transport of a description, out of its accepted sections: the first that says something counts, then the
  /// session level.
  init(_ description: SessionDescription, accepted: [MediaSection]) throws(SDPError) {
    var credentials: SDPICECredentials?
    var fingerprints: [SDPFingerprint] = []
    var setup: DTLSSetup?
    let holders: [any SDPAttributeHolder] = accepted + [description]
    for holder in holders {
      if credentials == nil { credentials = try holder.iceCredentials() }
      if fingerprints.isEmpty { fingerprints = try holder.fingerprints() }
      if setup == nil { setup = try holder.setup() }
    }
    guard let credentials else {
      throw SDPError(.malformed, reason: "the description has no a=ice-ufrag and a=ice-pwd")
    }
    guard !fingerprints.isEmpty else { throw SDPError(.malformed, reason: "the description has no a=fingerprint") }
    let strength = { SDPFingerprint.digestLengths[$0.hash] ?? 0 } as (SDPFingerprint) -> Int
    let usable = fingerprints.filter { strength($0) > 0 }.sorted { strength($0) > strength($1) }
    guard !usable.isEmpty else {
      throw SDPError(.unsupported, reason: "the certificate's fingerprint must be sha-256, sha-384 or sha-512")
    }
    var candidates: [String] = []
    for candidate in holders.flatMap(\.candidates) where !candidates.contains(candidate) {
      guard candidates.count < SDPLimits.maximumCandidates else { break }
      candidates.append(candidate)
    }
    self.init(
      credentials: credentials, isICELite: description.isICELite, trickles: description.offersTrickle,
      candidates: candidates, hasAllCandidates: holders.contains { $0.has("end-of-candidates") },
      fingerprints: usable, setup: setup ?? .active)
  }
}
