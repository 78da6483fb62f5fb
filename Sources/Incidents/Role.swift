/// What a person or a system is to the service (DOMAIN, "Roles").
package enum Role: String, Hashable, Sendable, CaseIterable, Codable {
  /// Came by a link sent to them; sees and is seen in one incident.
  case caller
  /// Takes calls.
  case `operator`
  case dispatcher
  /// Paramedic, police or fire, in the field.
  case responder
  /// Hospital or expert with a link that expires.
  case guest
  case supervisor
  /// Keeps the evidence.
  case custodian
  case auditor
  /// Sees exercises only.
  case trainer
  case admin
  /// A camera, drone or encoder that publishes by WHIP.
  case device
  /// Another system of the agency: location gateway, computer-aided dispatch, alerting.
  case integration
  /// The server itself, for what it observes and decides.
  case system
}
