import Cryptography
import DTLS
import Gateway
import ICE
import Primitives
import SDP

func fuzzAddress(_ bytes: UnsafeRawBufferPointer) {
  let text = String(decoding: bytes, as: UTF8.self)
  if let address = IPAddress(text) {
    require(IPAddress(address.description) == address, "\(address) does not read back")
  }
  if let decoded = Hex.decode(text) { require(Hex.decode(Hex.encode(decoded)) == decoded, "hexadecimal changed") }
  if let decoded = Base64URL.decode(text) {
    require(Base64URL.decode(Base64URL.encode(decoded)) == decoded, "base64url changed")
  }
  _ = try? DTLSFingerprint(parsing: text)
  _ = SDPFingerprint(text)
  _ = IncidentID(text)
  _ = PeerID(text)
}

func fuzzCandidate(_ bytes: UnsafeRawBufferPointer) {
  let text = String(decoding: bytes, as: UTF8.self)
  guard let candidate = try? ICECandidate(parsing: text) else { return }
  let again = try? ICECandidate(parsing: candidate.attribute)
  require(again == candidate, "\(candidate.attribute) does not read back")
}

func fuzzTrickle(_ bytes: UnsafeRawBufferPointer) {
  guard let fragment = try? TrickleFragment(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
  _ = fragment.anyCredentials
  for candidate in fragment.candidates { _ = try? ICECandidate(parsing: candidate) }
  require((try? TrickleFragment(parsing: fragment.serialize())) != nil, "a fragment of ours is refused")
}

func fuzzSDP(_ bytes: UnsafeRawBufferPointer) {
  let text = String(decoding: bytes, as: UTF8.self)
  var random = RandomSource.seeded(1)
  let local = localParameters
  if let answer = try? SDPAnswerer(local: local).answer(text, random: &random) {
    require((try? SessionDescription(parsing: answer.text)) != nil, "an answer of ours is refused")
  }
  guard let description = try? SessionDescription(parsing: text) else { return }
  let again = try? SessionDescription(parsing: description.serialize())
  require(again?.serialize() == description.serialize(), "a description does not read back")
  let offer = SDPOfferBuilder.caller(local: local).offer(random: &random)
  _ = try? NegotiatedSession(offer: offer, answer: description)
}

private let localParameters = SDPLocalParameters(
  credentials: SDPICECredentials(usernameFragment: "abcdefgh", password: "abcdefghijklmnopqrstuvwx"), isICELite: true,
  candidates: ["1 1 udp 2130706431 192.0.2.1 5000 typ host"],
  fingerprint: SDPFingerprint(hash: "sha-256", bytes: Array(repeating: 7, count: 32)))

/// The first byte decides whether the rest is a whole token, or claims or a header that a known key signs.
func fuzzToken(_ bytes: UnsafeRawBufferPointer) {
  guard let first = bytes.first, let key = Ed25519PrivateKey(seed: Array(repeating: 9, count: 32)) else { return }
  let rest = Array(bytes.dropFirst())
  let header = Array(#"{"alg":"EdDSA","kid":"\#(key.publicKey.thumbprint)","typ":"JWT"}"#.utf8)
  let text =
    switch first % 3 {
    case 0: String(decoding: rest, as: UTF8.self)
    case 1: CompactJWS.sign(header: header, payload: rest, by: key)
    default: CompactJWS.sign(header: rest, payload: Array("{}".utf8), by: key)
    }
  let authority = TokenAuthority(signingKey: key)
  guard let token = try? authority.verify(text, at: UnixTime(seconds: 1_800_000_000)) else { return }
  let again = try? authority.verify(authority.sign(token), at: UnixTime(seconds: 1_800_000_000))
  require(again == token, "a token does not read back")
}

func fuzzEnvelope(_ bytes: UnsafeRawBufferPointer) {
  let limits = GatewayLimits()
  guard let envelope = try? ClientEnvelope(parsing: String(decoding: bytes, as: UTF8.self), limits: limits) else {
    return
  }
  require((envelope.id?.utf8.count ?? 0) <= ClientEnvelope.maximumIDLength, "an id beyond its bound")
  switch envelope.message {
  case .offer(let text, _): require(text.utf8.count <= limits.maximumOfferBytes, "an offer beyond its bound")
  case .candidate(let text), .restart(let text):
    require(text.utf8.count <= limits.maximumFragmentBytes, "a fragment beyond its bound")
  case .select(let slot, _): require(slot.utf8.count <= ClientEnvelope.maximumSlotLength, "a slot beyond its bound")
  case .hello, .resume, .bye, .ping: break
  }
}
