import ControlRoom
import Identity
import Incidents
import JSON

/// Whom one can give work to: colleagues and units of one's agency.
enum PeopleRoutes {
  static var routes: [APIRoute] {
    [
      APIRoute(
        .get, "/api/v1/people", .account, tag: "people",
        "Colleagues of one's agency who work on incidents, and its units; whether they are connected now."
      ) { call in
        let agency = try call.principal().facts.agency
        let colleagues = call.room.accounts.all.filter {
          $0.agency == agency && $0.state == .active && roles.contains($0.role)
        }
        let present = call.room.presentActors
        return .json([
          "people": .array(colleagues.map { view($0, isHere: present.contains($0.id)) }),
          "units": .array(units(of: colleagues, present: present)),
        ])
      }
    ]
  }

  private static let roles: Set<Role> = [.operator, .dispatcher, .responder, .supervisor, .trainer]

  private static func view(_ account: Account, isHere: Bool) -> JSONValue {
    .members([
      "id": .string(account.id), "name": .string(account.displayName), "role": .string(account.role.rawValue),
      "desk": account.desk.map { .string($0) }, "unit": account.unit.map { .string($0) }, "here": .bool(isHere),
    ])
  }

  private static func units(of colleagues: [Account], present: Set<String>) -> [JSONValue] {
    let crews = Dictionary(grouping: colleagues.filter { $0.unit != nil }) { $0.unit ?? "" }
    return crews.sorted { $0.key < $1.key }.map { unit, crew in
      [
        "unit": .string(unit), "crew": .array(crew.map { .string($0.displayName) }),
        "here": .bool(crew.contains { present.contains($0.id) }),
      ]
    }
  }
}
