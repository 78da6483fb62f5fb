import JSON

/// Who did something, as the journal keeps it.
package struct Actor: Hashable, Sendable {
  /// Unique and never given again: an account's, link's or device's identifier; at most ``maximumLength`` characters.
  package let id: String
  package let role: Role
  /// As others see it; at most ``maximumLength`` characters.
  package let name: String

  package static let maximumLength = 64

  /// Texts are cut to their length.
  package init(id: String, role: Role, name: String) {
    self.id = String(id.prefix(Self.maximumLength))
    self.role = role
    self.name = String(name.prefix(Self.maximumLength))
  }

  /// The server itself.
  package static let system = Actor(id: "system", role: .system, name: "Sightline")

  package var json: JSONValue { ["id": .string(id), "role": .string(role.rawValue), "name": .string(name)] }

  package init?(json: JSONValue) {
    guard let id = json["id"]?.string, let name = json["name"]?.string,
      let role = json["role"]?.string.flatMap(Role.init)
    else { return nil }
    self.init(id: id, role: role, name: name)
  }
}
