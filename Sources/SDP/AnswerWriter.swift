import Primitives

/// Writes the answer that the plans describe.
struct AnswerWriter {
  let offer: SessionDescription
  let local: SDPLocalParameters
  let dtlsRole: NegotiatedSession.DTLSRole

  func description(of plans: [MediaPlan], sessionID: UInt64) -> SessionDescription {
    var answer = SessionDescription(origin: "- \(sessionID) 1 IN IP4 127.0.0.1")
    if local.isICELite { answer.attributes.append(SDPAttribute("ice-lite")) }
    if let bundle = offer.bundle {
      let mids = plans.filter { !$0.isRejected }.compactMap(\.mid).filter(bundle.contains)
      answer.attributes.append(SDPAttribute("group", (["BUNDLE"] + mids).joined(separator: " ")))
    }
    if offer.offersTrickle { answer.attributes.append(SDPAttribute("ice-options", "trickle")) }
    // Candidates stand once, in the section that the bundle's transport belongs to (RFC 8843 §9.2).
    let tagged = plans.first { !$0.isRejected }?.index
    answer.media = plans.map { section(of: $0, withCandidates: $0.index == tagged) }
    return answer
  }

  private func section(of plan: MediaPlan, withCandidates: Bool) -> MediaSection {
    var section = MediaSection(
      media: plan.section.media, port: plan.isRejected ? 0 : 9, transport: plan.section.transport,
      formats: plan.section.formats)
    if let mid = plan.mid { section.attributes.append(SDPAttribute("mid", mid)) }
    guard !plan.isRejected else {
      if plan.section.kind != nil { section.attributes.append(SDPAttribute("inactive")) }
      return section
    }
    section.attributes += local.transportAttributes(setup: dtlsRole == .server ? .passive : .active)
    if withCandidates { section.attributes += local.candidateAttributes }
    if plan.isPlaceholder {
      section.attributes += placeholderAttributes(of: plan.section)
    } else if plan.dataChannel != nil {
      section.formats = ["webrtc-datachannel"]
      section.attributes += local.dataChannelAttributes
    } else {
      section.formats = plan.codecs.formats
      section.attributes += mediaAttributes(of: plan)
    }
    return section
  }

  /// An inactive line with the offer's own formats: nothing flows, but the line keeps the bundle's transport.
  private func placeholderAttributes(of offered: MediaSection) -> [SDPAttribute] {
    let kept = offered.attributes.filter { ["rtcp-mux", "rtpmap", "fmtp"].contains($0.name) }
    return [SDPAttribute(MediaDirection.inactive.rawValue)] + kept.map { SDPAttribute($0.name, $0.value) }
  }

  private func mediaAttributes(of plan: MediaPlan) -> [SDPAttribute] {
    var attributes = [SDPAttribute(plan.direction.rawValue)]
    for name in ["rtcp-mux", "rtcp-rsize"] where plan.section.has(name) { attributes.append(SDPAttribute(name)) }
    attributes += plan.codecs.attributes
    attributes += plan.extensions.map { SDPAttribute("extmap", $0.value) }
    for rid in plan.rids { attributes.append(SDPAttribute("rid", "\(rid) recv")) }
    if !plan.rids.isEmpty { attributes.append(SDPAttribute("simulcast", "recv \(plan.rids.joined(separator: ";"))")) }
    if let sending = plan.sending {
      attributes.append(SDPAttribute("msid", "\(plan.streamID) \(plan.streamID)-\(plan.section.media)"))
      attributes += AnnouncedSources(encodings: [sending], cname: local.cname).attributes
    }
    return attributes
  }
}

extension SessionDescription {
  /// Whether the writer knows trickle ICE, at either level (RFC 8840 §4.1).
  var offersTrickle: Bool {
    iceOptions.contains("trickle") || media.contains { $0.iceOptions.contains("trickle") }
  }
}

extension SDPLocalParameters {
  /// Credentials, fingerprint and DTLS role.
  ///
  /// Every accepted section repeats them: some stacks look only there.
  func transportAttributes(setup: DTLSSetup) -> [SDPAttribute] {
    [
      SDPAttribute("ice-ufrag", credentials.usernameFragment), SDPAttribute("ice-pwd", credentials.password),
      SDPAttribute("fingerprint", fingerprint.description), SDPAttribute("setup", setup.rawValue),
    ]
  }

  var candidateAttributes: [SDPAttribute] {
    let prefix = "candidate:"
    var attributes = candidates.map {
      SDPAttribute("candidate", $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0)
    }
    if hasAllCandidates, !candidates.isEmpty { attributes.append(SDPAttribute("end-of-candidates")) }
    return attributes
  }

  var dataChannelAttributes: [SDPAttribute] {
    [SDPAttribute("sctp-port", String(sctpPort)), SDPAttribute("max-message-size", String(maximumMessageSize))]
  }
}

extension AnnouncedSources {
  /// The `a=ssrc-group` and `a=ssrc` lines.
  ///
  /// Firefox repairs through RTX only when the FID group is there.
  var attributes: [SDPAttribute] {
    var result: [SDPAttribute] = []
    if encodings.count > 1 {
      result.append(SDPAttribute("ssrc-group", "SIM " + encodings.map(\.ssrc.description).joined(separator: " ")))
    }
    for encoding in encodings {
      guard let retransmission = encoding.retransmission else { continue }
      result.append(SDPAttribute("ssrc-group", "FID \(encoding.ssrc) \(retransmission)"))
    }
    for encoding in encodings {
      for ssrc in [encoding.ssrc] + (encoding.retransmission.map { [$0] } ?? []) {
        result.append(SDPAttribute("ssrc", cname.map { "\(ssrc) cname:\($0)" } ?? ssrc.description))
      }
    }
    return result
  }
}
