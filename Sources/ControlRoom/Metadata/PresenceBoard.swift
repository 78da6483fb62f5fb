import Incidents
import JSON
import Primitives
import Synchronization

/// Who is in each incident now, over whatever carriers, and who watches; everybody in it is told of changes.
final class PresenceBoard: Sendable {
  private struct Person {
    let actor: Actor
    /// Subscriptions over all carriers.
    var subscriptions = 0
    /// Peers that receive media.
    var watching = 0
  }

  private let people = Mutex<[IncidentID: [String: Person]]>([:])
  private let desk: IncidentDesk

  init(desk: IncidentDesk) {
    self.desk = desk
  }

  func add(_ principal: Principal, to incident: IncidentID) {
    change(principal.actor, in: incident) { $0.subscriptions += 1 }
  }

  func remove(_ actor: Actor, from incident: IncidentID) {
    change(actor, in: incident) { $0.subscriptions -= 1 }
  }

  /// Notes one more or one less peer that receives media; whether they began or ceased to watch by that.
  func noteWatching(_ actor: Actor, in incident: IncidentID, _ difference: Int) -> Bool {
    var isTurn = false
    change(actor, in: incident) { person in
      let before = person.watching
      person.watching = max(0, before + difference)
      isTurn = (before == 0) != (person.watching == 0)
    }
    return isTurn
  }

  /// The payload of a `presence` message.
  func overview(of incident: IncidentID) -> JSONValue {
    Self.payload(people.withLock { $0[incident] ?? [:] })
  }

  private func change(_ actor: Actor, in incident: IncidentID, _ body: (inout Person) -> Void) {
    let payload = people.withLock { people -> JSONValue? in
      let before = Self.payload(people[incident] ?? [:])
      var person = people[incident]?[actor.id] ?? Person(actor: actor)
      body(&person)
      people[incident, default: [:]][actor.id] = person.subscriptions > 0 || person.watching > 0 ? person : nil
      if people[incident]?.isEmpty == true { people[incident] = nil }
      let after = Self.payload(people[incident] ?? [:])
      return before == after ? nil : after
    }
    guard let payload else { return }
    Task { [desk] in
      _ = try? await desk.submit(Wish(.presence, payload, in: incident, by: .system, isServer: true))
    }
  }

  private static func payload(_ people: [String: Person]) -> JSONValue {
    let rows = people.values.sorted { $0.actor.id < $1.actor.id }.prefix(maximumPeople).map { person -> JSONValue in
      [
        "id": .string(person.actor.id), "role": .string(person.actor.role.rawValue),
        "name": .string(person.actor.name), "watching": .bool(person.watching > 0),
      ]
    }
    return ["people": .array(Array(rows))]
  }

  /// People told in one message.
  private static let maximumPeople = 1_000
}
