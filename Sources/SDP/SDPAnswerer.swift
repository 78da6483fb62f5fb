import Primitives

/// An answer and what it means.
package struct SDPAnswer: Hashable, Sendable {
  package var description: SessionDescription
  package var session: NegotiatedSession

  /// The answer as text, for `application/sdp`.
  package var text: String { description.serialize() }
}

/// Answers offers (RFC 3264, RFC 8829 §5.3.1): a pure function of the offer, the policy and the local parameters.
///
/// The peer's sending m-lines become sources and its receiving m-lines become slots (DESIGN decision 1). What the policy
/// does not permit becomes `inactive` and keeps its place, because browsers take that without further ado; an m-line that
/// we cannot carry at all is rejected with port 0, unless it leads the bundle. Everything runs over one transport: what is accepted must be in the
/// offer's first BUNDLE group, or be the only m-line.
package struct SDPAnswerer: Sendable {
  package var local: SDPLocalParameters
  package var policy: AnswerPolicy

  package init(local: SDPLocalParameters, policy: AnswerPolicy = AnswerPolicy()) {
    self.local = local
    self.policy = policy
  }

  /// Parses and answers an offer.
  package func answer(_ offer: String, random: inout RandomSource) throws(SDPError) -> SDPAnswer {
    try answer(SessionDescription(parsing: offer), random: &random)
  }

  /// Answers an offer.
  ///
  /// `random` gives the session id and the slots' SSRCs.
  package func answer(_ offer: SessionDescription, random: inout RandomSource) throws(SDPError) -> SDPAnswer {
    var plans = try AnswerPlanner(offer: offer, policy: policy).plans()
    guard plans.contains(where: \.isUseful) else { throw Self.nothingToServe(offer, plans) }
    let accepted = plans.filter { !$0.isRejected }.map(\.section)
    let remote = try RemoteTransport(offer, accepted: accepted)
    let role = try Self.dtlsRole(against: remote.setup, line: accepted.first?.attribute("setup"))
    Self.allocateSSRCs(&plans, random: &random)
    let writer = AnswerWriter(offer: offer, local: local, dtlsRole: role)
    return SDPAnswer(
      description: writer.description(of: plans, sessionID: random.next() >> 1),
      session: NegotiatedSession(plans, remote: remote, dtlsRole: role, local: local))
  }

  /// The offerer is asked for `actpass`; whatever it says, we are the server unless it insists to be one (RFC 8842 §5.3).
  private static func dtlsRole(
    against setup: DTLSSetup, line: SDPAttribute?
  ) throws(SDPError) -> NegotiatedSession.DTLSRole {
    switch setup {
    case .actpass, .active: return .server
    case .passive: return .client
    case .holdconn:
      throw SDPError(
        .unsupported, line: line?.line, text: line?.text ?? "", reason: "a connection on hold cannot be answered")
    }
  }

  private static func allocateSSRCs(_ plans: inout [MediaPlan], random: inout RandomSource) {
    var taken: Set<SSRC> = [SSRC(0)]
    for plan in plans {
      for encoding in plan.announced.encodings {
        taken.insert(encoding.ssrc)
        if let retransmission = encoding.retransmission { taken.insert(retransmission) }
      }
    }
    func allocate() -> SSRC {
      while true {
        let candidate = SSRC(UInt32(truncatingIfNeeded: random.next()))
        if taken.insert(candidate).inserted { return candidate }
      }
    }
    for index in plans.indices where plans[index].direction.sends {
      let hasRetransmission = plans[index].codecs.contains { $0.retransmission != nil }
      plans[index].sending = AnnouncedSources.Encoding(
        ssrc: allocate(), retransmission: hasRetransmission ? allocate() : nil)
    }
  }

  private static func nothingToServe(_ offer: SessionDescription, _ plans: [MediaPlan]) -> SDPError {
    if plans.contains(where: \.wasForbidden) {
      return SDPError(.notPermitted, reason: "the link permits none of what the offer wants to send or receive")
    }
    guard let first = plans.first(where: { $0.rejection != nil }), let reason = first.rejection else {
      return SDPError(.unsupported, reason: "the offer has no m-line that sends or receives anything")
    }
    return first.section.error(.unsupported, reason)
  }
}
