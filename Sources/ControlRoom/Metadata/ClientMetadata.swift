import Incidents
import JSON
import Primitives

/// What a client says in the metadata envelope: `{"v": 1, "id": "…", "kind": "…", "incident": "…", "payload": {…}}`.
package struct ClientMetadata: Sendable {
  package enum Request: Sendable {
    /// Follow an incident from after an event's number; from the beginning when there is none.
    case subscribe(IncidentID, after: Int?)
    case unsubscribe(IncidentID)
    /// Keep a list of incidents up to date; nil ends it.
    case list(FeedScope?)
    /// Have something happen.
    case submit(EventKind, IncidentID, JSONValue)
  }

  /// The client's name for it; comes back as `inReplyTo`, and makes retries of durable kinds harmless.
  package let id: String?
  package let request: Request

  /// Longest id, in characters.
  package static let maximumIDLength = JournalEvent.maximumClientIDLength

  /// A message that cannot be understood; the answer refers to `id` if there was a usable one.
  package struct Misunderstanding: Error, Sendable {
    package let id: String?
    package let refusal: Refusal
  }

  /// Whether a kind belongs to the metadata envelope rather than to signalling.
  package static func isKind(_ kind: String) -> Bool {
    requestKinds.contains(kind) || EventKind(rawValue: kind) != nil
  }

  /// What a text is about, as far as it takes to know who handles it; ``init(parsing:limit:)`` reads it.
  package struct Glance: Sendable {
    /// Nil when the text is no message at all.
    package let kind: String?
    package let incident: IncidentID?

    package init(_ text: String) {
      let value = try? JSONValue(parsing: text)
      kind = value?["kind"]?.string
      incident = value?["incident"]?.string.flatMap { IncidentID($0) }
    }
  }

  /// Kinds that are no events.
  package static let requestKinds: Set<String> = ["subscribe", "unsubscribe", "list"]

  /// Parses one message.
  package init(parsing text: String, limit: Int) throws(Misunderstanding) {
    guard text.utf8.count <= limit else {
      throw Misunderstanding(id: nil, refusal: Refusal(.tooLarge, "A message has at most \(limit) bytes."))
    }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: text)
    } catch {
      throw Misunderstanding(
        id: nil, refusal: Refusal(.badEnvelope, "A message is one JSON object. Here \(error.description)."))
    }
    let id = value["id"]?.string
    do {
      self.id = try Self.usable(value["id"])
      request = try Self.request(value)
    } catch {
      throw Misunderstanding(id: id.flatMap { $0.count <= Self.maximumIDLength ? $0 : nil }, refusal: error)
    }
  }

  private static func usable(_ id: JSONValue?) throws(Refusal) -> String? {
    guard let id else { return nil }
    guard let text = id.string, !text.isEmpty, text.unicodeScalars.count <= maximumIDLength else {
      throw Refusal(.badEnvelope, "An id is a text of 1 to \(maximumIDLength) characters.")
    }
    return text
  }

  private static func request(_ value: JSONValue) throws(Refusal) -> Request {
    guard let kind = value["kind"]?.string else {
      throw Refusal(.badEnvelope, "A message is a JSON object with v: 1, kind, id, incident and payload.")
    }
    guard value["v"]?.integer == ServerMetadata.version else {
      throw Refusal(.wrongVersion, "This server speaks version 1. Send v: 1, or update the client.")
    }
    guard isKind(kind) else {
      throw Refusal(.unknownKind, "This server does not know messages of this kind.")
    }
    if kind == "list" { return .list(try scope(value["scope"])) }
    guard let incident = value["incident"]?.string.flatMap({ IncidentID($0) }) else {
      throw Refusal(.badEnvelope, "The message names no incident: 1 to 64 letters, digits, - and _.")
    }
    switch kind {
    case "subscribe": return .subscribe(incident, after: try after(value["after"]))
    case "unsubscribe": return .unsubscribe(incident)
    default:
      guard let event = EventKind(rawValue: kind) else {
        throw Refusal(.unknownKind, "This server does not know messages of this kind.")
      }
      return .submit(event, incident, value["payload"] ?? [:])
    }
  }

  /// `"agency"`, `{"unit": "…"}`, `{"area": {"lat", "lon", "radius"}}`, or `"none"`.
  private static func scope(_ value: JSONValue?) throws(Refusal) -> FeedScope? {
    if value == "none" { return nil }
    if value == nil || value == "agency" { return .agency }
    if let unit = value?["unit"]?.string, !unit.isEmpty, unit.count <= 64 { return .unit(unit) }
    if let area = value?["area"], let latitude = area["lat"]?.double, let longitude = area["lon"]?.double,
      let radius = area["radius"]?.double, abs(latitude) <= 90, abs(longitude) <= 180,
      (1...FeedScope.maximumRadius).contains(radius)
    {
      return .area(latitude: latitude, longitude: longitude, radius: radius)
    }
    throw Refusal(
      .badEnvelope, "scope is \"agency\", {\"unit\": …}, {\"area\": {lat, lon, radius in metres}} or \"none\".")
  }

  private static func after(_ value: JSONValue?) throws(Refusal) -> Int? {
    guard let value else { return nil }
    guard let number = value.integer, number >= 0 else {
      throw Refusal(.badEnvelope, "after is the number of the last event that you saw.")
    }
    return number
  }
}
