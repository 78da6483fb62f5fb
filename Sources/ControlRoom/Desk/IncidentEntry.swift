import Incidents
import JSON
import Primitives

/// One incident in memory: what has been accepted, what has been made known, and who listens.
struct IncidentEntry {
  /// With every accepted event, durable or about to be.
  var incident: Incident
  /// The incident as far as it is durable and was made known: what may be shown; nil before its opening is.
  var shown: Incident?
  /// The newest events that were made known, in order; at most ``ControlRoomLimits/recentEvents``.
  var recent: RecentEvents
  /// Events by the names that clients gave them: a retry never doubles.
  var accepted: [ClientKey: AcceptedEvent] = [:]
  var subscriptions: [ObjectIdentifier: Subscription] = [:]
  /// The summary that lists show, as it was stored last.
  var savedSummary: JSONValue?
  /// Counts what is passed on without being stored.
  var ephemeralSerial = 0
  var usedAt: MonotonicTime

  /// Number of the last event that is durable and was made known.
  var published: Int { shown?.number ?? 0 }
}

/// A client's name for an event is unique for its actor.
struct ClientKey: Hashable {
  let actor: String
  let clientID: String
}

/// What became of a named event.
struct AcceptedEvent {
  let number: Int
  let kind: String
  /// SHA-256 of the payload as the client sent it, 32 bytes, which tells a retry from a reuse; nil where it is not known.
  let request: [UInt8]?
}

/// The newest events of an incident, rendered once for all who read them.
struct RecentEvents {
  private var events: [RenderedEvent] = []
  let limit: Int

  init(limit: Int) {
    self.limit = limit
  }

  mutating func append(_ event: RenderedEvent) {
    events.append(event)
    // Cut in halves, so that the cost of moving is paid seldom.
    if events.count > 2 * limit { events.removeFirst(events.count - limit) }
  }

  /// The events after `number`, if all of them are at hand.
  func events(after number: Int, limit: Int) -> [RenderedEvent]? {
    guard let first = events.first else { return nil }
    guard first.event.number <= number + 1 else { return nil }
    let start = number + 1 - first.event.number
    guard start < events.count else { return [] }
    return Array(events[start..<min(start + limit, events.count)])
  }
}

/// An event with the text that subscribers get.
final class RenderedEvent: Sendable {
  let event: JournalEvent
  /// The whole message, JSON.
  private let text: String
  /// The message for callers and guests, where it differs.
  private let publicText: String?

  init(_ event: JournalEvent) {
    self.event = event
    text = ServerMetadata.event(event.json)
    let isRedacted = EventKind(rawValue: event.kind)?.redacted(event.payload) != nil
    publicText = isRedacted ? ServerMetadata.event(event.json(for: .caller)) : nil
  }

  func text(for audience: Audience) -> String {
    guard let publicText, audience.isDisjoint(with: .team) else { return text }
    return publicText
  }
}
