import Foundation
import MediaServer
import Primitives

/// What a client says on a `sightline.v1` WebSocket; Gateway.docc/WebSocket.md describes each.
package enum ClientMessage: Hashable, Sendable {
  case hello(token: String, key: String?)
  /// The incident is for those who came by an account; a link names its own.
  case offer(sdp: String, incident: IncidentID?)
  case candidate(fragment: String)
  case restart(fragment: String)
  case select(slot: String, source: SourceID?)
  case resume(peer: PeerID)
  case bye
  case ping
}

/// A client's message in its envelope.
package struct ClientEnvelope: Hashable, Sendable {
  /// Echoed as `inReplyTo`.
  package var id: String?
  package var message: ClientMessage

  static let version = 1
  package static let maximumIDLength = 64
  package static let maximumSlotLength = 32
}

/// A message that cannot be understood; the answer refers to `id` if the message had a usable one.
package struct EnvelopeError: Error, Hashable, Sendable {
  package var id: String?
  package var reason: Reason

  /// What is wrong; texts say what to send instead.
  package enum Reason: Error, Hashable, Sendable {
    case malformed(String)
    case tooLarge(String)
    case unknownKind
    case unknownSession
  }
}

extension ClientEnvelope {
  /// Kinds of signalling; every other text is a message of the metadata channel, or wants to be.
  package static let kinds: Set<String> = [
    "hello", "offer", "candidate", "restart", "select", "resume", "bye", "ping",
  ]

  /// The envelope as it stands in the JSON, before its parts are held against their bounds.
  private struct Raw: Decodable {
    var v: Int
    var id: String?
    var kind: String
    var token: String?
    var key: String?
    var incident: String?
    var sdp: String?
    var fragment: String?
    var slot: String?
    var source: String?
    var peer: String?
  }

  /// Parses one text message; parts that are not known are ignored, so that newer clients are understood.
  package init(parsing text: String, limits: GatewayLimits) throws(EnvelopeError) {
    guard let raw = try? JSONDecoder().decode(Raw.self, from: Data(text.utf8)) else {
      throw EnvelopeError(
        reason: .malformed("A message is a JSON object with v: 1, a kind and the kind's own parts as text."))
    }
    guard (raw.id?.utf8.count ?? 0) <= Self.maximumIDLength else {
      throw EnvelopeError(reason: .malformed("An id has at most \(Self.maximumIDLength) bytes."))
    }
    guard raw.v == Self.version else {
      throw EnvelopeError(id: raw.id, reason: .malformed("This connection speaks version 1. Send v: 1."))
    }
    id = raw.id
    do {
      message = try Self.message(raw, limits)
    } catch {
      throw EnvelopeError(id: raw.id, reason: error)
    }
  }

  private static func message(_ raw: Raw, _ limits: GatewayLimits) throws(EnvelopeError.Reason) -> ClientMessage {
    switch raw.kind {
    case "hello":
      guard (raw.key?.utf8.count ?? 0) <= maximumIDLength else {
        throw .malformed("A key has at most \(maximumIDLength) bytes.")
      }
      return .hello(token: try part(raw.token, "token", upTo: CompactJWS.maximumLength), key: raw.key)
    case "offer":
      let incident = raw.incident.flatMap { IncidentID($0) }
      guard (raw.incident == nil) == (incident == nil) else {
        throw .malformed("An incident is named with 1 to 64 letters, digits, - and _.")
      }
      return .offer(sdp: try part(raw.sdp, "sdp", upTo: limits.maximumOfferBytes), incident: incident)
    case "candidate":
      return .candidate(fragment: try part(raw.fragment, "fragment", upTo: limits.maximumFragmentBytes))
    case "restart":
      return .restart(fragment: try part(raw.fragment, "fragment", upTo: limits.maximumFragmentBytes))
    case "select":
      let slot = try part(raw.slot, "slot", upTo: maximumSlotLength)
      guard let text = raw.source else { return .select(slot: slot, source: nil) }
      guard let source = SourceID(text) else { throw .malformed("A source looks like s12.") }
      return .select(slot: slot, source: source)
    case "resume":
      guard let peer = PeerID(try part(raw.peer, "peer", upTo: 32)) else { throw .unknownSession }
      return .resume(peer: peer)
    case "bye": return .bye
    case "ping": return .ping
    default:
      throw .unknownKind
    }
  }

  private static func part(_ value: String?, _ name: String, upTo limit: Int) throws(EnvelopeError.Reason) -> String {
    guard let value, !value.isEmpty else { throw .malformed("The message lacks its \(name).") }
    guard value.utf8.count <= limit else {
      throw .tooLarge("The message's \(name) is longer than the \(limit) bytes that are accepted.")
    }
    return value
  }
}

extension SourceID {
  /// Parses what ``description`` prints.
  init?(_ text: String) {
    guard text.hasPrefix("s"),
      text.utf8.dropFirst().allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let value = UInt32(text.dropFirst())
    else { return nil }
    self.init(value)
  }
}
