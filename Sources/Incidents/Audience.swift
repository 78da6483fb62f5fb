/// Who gets to see an event.
package struct Audience: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  package static let caller = Audience(rawValue: 1)
  package static let guest = Audience(rawValue: 2)
  package static let responder = Audience(rawValue: 4)
  /// Operators, dispatchers, supervisors and trainers.
  package static let staff = Audience(rawValue: 8)
  /// Custodians and auditors, who look on and look back.
  package static let oversight = Audience(rawValue: 16)

  package static let everyone: Audience = [.caller, .guest, .responder, .staff, .oversight]
  /// Everyone but the public: callers and guests.
  package static let team: Audience = [.responder, .staff, .oversight]
  package static let control: Audience = [.staff, .oversight]

  /// The audience that a role belongs to.
  package init(_ role: Role) {
    switch role {
    case .caller, .device: self = .caller
    case .guest: self = .guest
    case .responder: self = .responder
    case .operator, .dispatcher, .supervisor, .trainer, .system: self = .staff
    case .custodian, .auditor: self = .oversight
    case .admin, .integration: self = []
    }
  }
}
