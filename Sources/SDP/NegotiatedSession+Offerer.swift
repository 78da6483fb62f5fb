import Primitives

extension NegotiatedSession {
  /// What an offer of ours and the peer's answer agree on (RFC 8829 §5.10).
  ///
  /// Sources are what the peer sends us, slots what we send, with the SSRCs that the offer announced.
  package init(offer: SessionDescription, answer: SessionDescription) throws(SDPError) {
    guard offer.media.count == answer.media.count else {
      throw SDPError(
        .malformed, reason: "the answer has \(answer.media.count) m-lines, the offer \(offer.media.count)")
    }
    let accepted = answer.media.filter { !$0.isRejected }
    guard !accepted.isEmpty else { throw SDPError(.unsupported, reason: "the answer rejects every m-line") }
    let remote = try RemoteTransport(answer, accepted: accepted)
    let role: DTLSRole
    switch remote.setup {
    case .passive: role = .client
    case .active: role = .server
    case .actpass, .holdconn:
      throw SDPError(.malformed, reason: "an answer says a=setup:active or a=setup:passive")
    }
    self.init(remote: remote, dtlsRole: role)
    for index in offer.media.indices {
      try add(AnsweredLine(index: index, offered: offer.media[index], answered: answer.media[index]), answer)
    }
  }

  private mutating func add(_ line: AnsweredLine, _ answer: SessionDescription) throws(SDPError) {
    let isRejected = line.answered.isRejected
    let direction = isRejected || line.answered.kind == nil ? .inactive : line.answered.direction(in: answer).reversed
    mediaLines.append(
      NegotiatedMediaLine(
        index: line.index, mid: try line.mid(), media: line.offered.media, direction: direction, isRejected: isRejected)
    )
    guard !isRejected else { return }
    guard line.answered.media == line.offered.media else {
      throw line.answered.error(.malformed, "the offer's m-line is \(line.offered.media)")
    }
    if line.answered.isDataChannel {
      dataChannel = NegotiatedDataChannel(
        mid: try line.mid(), mediaLineIndex: line.index, localPort: try line.offered.sctpPort(),
        remotePort: try line.answered.sctpPort(), remoteMaximumMessageSize: try line.answered.maximumMessageSize())
    }
    if direction.receives { sources.append(try line.source()) }
    if direction.sends { slots.append(try line.slot()) }
  }
}

/// One m-line of our offer beside its answer.
private struct AnsweredLine {
  let index: Int
  let offered: MediaSection
  let answered: MediaSection

  func mid() throws(SDPError) -> String {
    try offered.mid() ?? String(index)
  }

  func source() throws(SDPError) -> NegotiatedSource {
    NegotiatedSource(
      mid: try mid(), mediaLineIndex: index, kind: try kind(), codecs: try codecs(), extensionIDs: try extensionIDs(),
      announced: try answered.announcedSources(), streamID: answered.streamID,
      reducedSizeRTCP: answered.has("rtcp-rsize"))
  }

  func slot() throws(SDPError) -> NegotiatedSlot {
    let announced = try offered.announcedSources()
    guard let first = announced.encodings.first else {
      throw offered.error(.malformed, "our own offer announces no a=ssrc for what it sends")
    }
    let agreed = Set(try answered.restrictionIdentifiers().filter { $0.direction == .recvonly }.map(\.id))
    let layers = zip(try offered.simulcastSendRIDs(), announced.encodings).filter { agreed.contains($0.0) }
    return NegotiatedSlot(
      mid: try mid(), mediaLineIndex: index, kind: try kind(), codecs: try codecs(), extensionIDs: try extensionIDs(),
      ssrc: first.ssrc, retransmissionSSRC: first.retransmission,
      layers: layers.map { NegotiatedSlot.Layer(rid: $0.0, encoding: $0.1) }, streamID: offered.streamID,
      cname: announced.cname ?? "", reducedSizeRTCP: answered.has("rtcp-rsize"))
  }

  private func kind() throws(SDPError) -> SDPMediaKind {
    guard let kind = answered.kind else { throw answered.error(.unsupported, "the m-line carries no RTP") }
    return kind
  }

  /// The answer's codecs; a payload type that the offer does not have is left out (RFC 3264 §6.1).
  private func codecs() throws(SDPError) -> [NegotiatedCodec] {
    let codecs = try answered.carriedCodecs(feedback: AnswerPolicy.defaultFeedback)
      .filter { offered.formats.contains($0.payloadType.description) }
    guard !codecs.isEmpty else { throw answered.error(.unsupported, "the answer accepts none of the offered codecs") }
    return codecs
  }

  /// The answer's extensions that the offer has with the same id.
  private func extensionIDs() throws(SDPError) -> [String: UInt8] {
    let offeredIDs = try offered.headerExtensions().reduce(into: [:]) { $0[$1.uri] = $1.id }
    return try answered.headerExtensions().reduce(into: [:]) { result, answered in
      if offeredIDs[answered.uri] == answered.id { result[answered.uri] = answered.id }
    }
  }
}
