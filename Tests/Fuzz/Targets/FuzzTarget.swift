/// A parser that strangers can reach, as the fuzzer and the regression tests drive it.
///
/// A target must survive any bytes. Beyond that it checks what has to hold whatever comes: what was parsed can be
/// written and parsed again, and what was protected opens again. A broken promise stops the process, which is how
/// libFuzzer learns of it.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// Addresses, identifiers, fingerprints and text encodings.
  case address
  /// Advanced Mobile Location by SMS, form and JSON, and what subscribers of incidents say.
  case aml
  /// ICE candidate attributes.
  case candidate
  /// Codec payload descriptors and the packetizers.
  case codecs
  /// Data channel establishment messages.
  case dcep
  /// DTLS datagrams before and during a handshake, in both roles.
  case dtls
  /// Messages of `sightline.v1`.
  case envelope
  /// Journal events as they are exported, and payloads of every kind as clients send them.
  case events
  /// RTP payloads of a recorded track, and its sender reports.
  case frames
  /// JSON texts.
  case json
  /// Manifests of archives, their envelopes and files of keys.
  case manifest
  case rtcp
  /// RTP headers, header extensions, dependency descriptors and retransmissions.
  case rtp
  /// SCTP packets: the validator and the library behind it, before and after an association is up.
  case sctp
  /// Session descriptions as offers to answer and as answers to our offer.
  case sdp
  /// SRTP and SRTCP from the network, for every profile and backend.
  case srtp
  case stun
  /// Access tokens, unsigned and signed.
  case token
  /// Trickle ICE fragments.
  case trickle

  /// Feeds one input.
  package func run(_ bytes: UnsafeRawBufferPointer) {
    switch self {
    case .address: fuzzAddress(bytes)
    case .aml: fuzzAML(bytes)
    case .candidate: fuzzCandidate(bytes)
    case .codecs: fuzzCodecs(bytes)
    case .dcep: fuzzDCEP(bytes)
    case .dtls: fuzzDTLS(bytes)
    case .envelope: fuzzEnvelope(bytes)
    case .events: fuzzEvents(bytes)
    case .frames: fuzzFrames(bytes)
    case .json: fuzzJSON(bytes)
    case .manifest: fuzzManifest(bytes)
    case .rtcp: fuzzRTCP(bytes)
    case .rtp: fuzzRTP(bytes)
    case .sctp: fuzzSCTP(bytes)
    case .sdp: fuzzSDP(bytes)
    case .srtp: fuzzSRTP(bytes)
    case .stun: fuzzSTUN(bytes)
    case .token: fuzzToken(bytes)
    case .trickle: fuzzTrickle(bytes)
    }
  }
}

/// Stops the process when something does not hold that always must.
func require(_ condition: Bool, _ text: @autoclosure () -> String) {
  guard condition else { preconditionFailure(text()) }
}

/// Lends a copy of exactly the bytes' size, so that a write behind its end is caught.
func withCopy(_ bytes: UnsafeRawBufferPointer, room: Int = 0, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count + room), alignment: 16)
  defer { copy.deallocate() }
  copy.copyMemory(from: bytes)
  body(UnsafeMutableRawBufferPointer(rebasing: copy[..<(bytes.count + room)]))
}

/// Cuts an input into parts, each after its length in two bytes, so that one input can be several datagrams.
struct Parts: Sequence, IteratorProtocol {
  private var rest: UnsafeRawBufferPointer.SubSequence

  init(_ bytes: UnsafeRawBufferPointer) {
    rest = bytes[...]
  }

  mutating func next() -> UnsafeRawBufferPointer? {
    guard rest.count >= 2 else { return nil }
    let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
    let part = rest.dropFirst(2).prefix(length)
    rest = rest[part.endIndex...]
    return UnsafeRawBufferPointer(rebasing: part)
  }
}
