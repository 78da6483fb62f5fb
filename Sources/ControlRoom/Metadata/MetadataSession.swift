import Incidents
import JSON
import Primitives

/// One client on one carrier: reads its messages, keeps its subscriptions.
///
/// WebSockets and data channels run the same; a client that holds both gets everything over each and keeps what is newer.
/// Calls come one after the other.
package actor MetadataSession {
  private let room: ControlRoom
  private let principal: Principal
  private let sink: any MetadataSink
  private var subscriptions: [IncidentID: Subscription] = [:]
  private var feed: IncidentFeed?
  private var hasEnded = false

  package init(room: ControlRoom, principal: Principal, sink: any MetadataSink) {
    self.room = room
    self.principal = principal
    self.sink = sink
    room.connections.add(sink, of: principal)
  }

  /// Handles one message; every failure is answered, none ends the session.
  package func receive(_ text: String) async {
    let message: ClientMetadata
    do throws(ClientMetadata.Misunderstanding) {
      message = try ClientMetadata(parsing: text, limit: room.limits.maximumMessageBytes)
    } catch {
      return refuse(error.refusal, error.id)
    }
    do throws(Refusal) {
      try await handle(message)
    } catch {
      refuse(error, message.id)
    }
  }

  /// Ends all subscriptions; the session is of no use afterwards.
  package func end() {
    hasEnded = true
    for subscription in subscriptions.values { room.end(subscription, of: principal) }
    subscriptions = [:]
    if let feed { room.feeds.remove(feed) }
    feed = nil
    room.connections.remove(sink)
  }

  private func handle(_ message: ClientMetadata) async throws(Refusal) {
    switch message.request {
    case .subscribe(let incident, let after):
      try await subscribe(incident, after: after, message.id)
    case .unsubscribe(let incident):
      if let subscription = subscriptions.removeValue(forKey: incident) { room.end(subscription, of: principal) }
      send(ServerMetadata.unsubscribed(incident, because: nil, inReplyTo: message.id))
    case .list(let scope):
      try list(scope, message.id)
    case .submit(let kind, let incident, let payload):
      let (sink, counters, id) = (sink, room.counters, message.id)
      await room.submitInTurn(Wish(kind, payload, in: incident, by: principal, clientID: id)) { result in
        switch result {
        case .success(let receipt):
          sink.send(ServerMetadata.accepted(receipt, incident: incident, inReplyTo: id), taken: { _ in })
        case .failure(let refusal):
          counters.noteRefusal(refusal.code)
          sink.send(ServerMetadata.error(refusal, inReplyTo: id), taken: { _ in })
        }
      }
    }
  }

  private func subscribe(_ incident: IncidentID, after: Int?, _ id: String?) async throws(Refusal) {
    if let former = subscriptions.removeValue(forKey: incident) { room.end(former, of: principal) }
    guard subscriptions.count < room.limits.maximumSubscriptions else {
      throw Refusal(
        .full, "One connection follows at most \(room.limits.maximumSubscriptions) incidents. Leave one first.")
    }
    let (sink, facts) = (sink, principal.facts)
    let subscription = try await room.subscribe(
      incident, after: after, as: principal, through: sink
    ) { now, start in
      let snapshot = now.snapshot(for: Audience(facts.role), viewer: facts.actorID)
      sink.send(ServerMetadata.subscribed(snapshot, incident: incident, after: start, inReplyTo: id), taken: { _ in })
    }
    // While this waited, the session may have ended, or a list may have subscribed to the same incident.
    guard !hasEnded else { return room.end(subscription, of: principal) }
    if let other = subscriptions.updateValue(subscription, forKey: incident) { room.end(other, of: principal) }
  }

  // MARK: - Lists

  private func list(_ scope: FeedScope?, _ id: String?) throws(Refusal) {
    let mine = principal.facts.unit
    if case .unit(let unit) = scope, principal.role == .responder, unit != mine {
      throw Refusal(.forbidden, "You belong to \(mine.map { "unit \($0)" } ?? "no unit"). Follow that one.")
    }
    if let feed { room.feeds.remove(feed) }
    feed = nil
    send(ServerMetadata.listing(inReplyTo: id))
    guard let scope, !hasEnded else { return }
    let feed = IncidentFeed(scope, principal: principal, sink: sink) { [weak self] incident in
      Task { await self?.enter(incident, scope) }
    }
    self.feed = feed
    room.feeds.add(feed)
    for incident in room.openIncidents(for: principal) { feed.take(IncidentStanding(incident)) }
    feed.finishListing()
  }

  /// An incident has come into a unit's or an area's list: its reader follows it from now on.
  private func enter(_ incident: IncidentID, _ scope: FeedScope) async {
    guard scope != .agency, subscriptions[incident] == nil else { return }
    do throws(Refusal) {
      if case .area = scope, principal.role == .responder { try await room.join(incident, principal) }
      try await subscribe(incident, after: nil, nil)
    } catch {
      refuse(error, nil)
    }
  }

  private func refuse(_ refusal: Refusal, _ id: String?) {
    room.counters.noteRefusal(refusal.code)
    send(ServerMetadata.error(refusal, inReplyTo: id))
  }

  private func send(_ text: String) {
    sink.send(text, taken: { _ in })
  }
}
