import Incidents

/// Our words as the registries of NENA have them.
package struct EIDOVocabulary: Hashable, Sendable {
  /// 0 to 10, where 10 is most urgent (NENA-STA-021.1 §2.9).
  package var priorityNumbers: [Priority: Int]
  /// The agency's types of incidents as codes of "EIDO-IncidentType-Common".
  package var incidentTypes: [String: String]
  /// Types of units by their service as words of "EIDO-EmergencyResourceType-Common".
  package var resourceTypes: [String: String]
  /// Words of "Agent Roles" (NENA-STA-010); NENA-STA-021.1 names the first two.
  package var agentRoles: [Role: String]
  /// Below `urn:emergency:service:responder.`, such as `psap`.
  package var agencyTypes: [String]

  package static let standard = EIDOVocabulary(
    priorityNumbers: [.p1: 9, .p2: 7, .p3: 4, .p4: 2], incidentTypes: [:],
    resourceTypes: ["ems": "GroundALSAmbulance", "police": "PatrolUnit", "fire": "FireTruckLadder"],
    agentRoles: [.operator: "Call Taking", .dispatcher: "Dispatching"], agencyTypes: ["psap"])

  package init(
    priorityNumbers: [Priority: Int], incidentTypes: [String: String], resourceTypes: [String: String],
    agentRoles: [Role: String], agencyTypes: [String]
  ) {
    self.priorityNumbers = priorityNumbers
    self.incidentTypes = incidentTypes
    self.resourceTypes = resourceTypes
    self.agentRoles = agentRoles
    self.agencyTypes = agencyTypes
  }

  /// What an agency's settings leave out has the standard's number.
  func priorityNumber(_ priority: Priority) -> Int {
    let number = priorityNumbers[priority] ?? Self.standard.priorityNumbers[priority] ?? 5
    return min(max(number, 0), 10)
  }

  /// The registry's "Unknown Type Trouble".
  private static let unknownIncidentType = "TROUBLE"

  /// A type that is written like a code of the registry counts as one.
  func incidentType(_ type: String?) -> String {
    guard let type else { return Self.unknownIncidentType }
    if let code = incidentTypes[type] { return code }
    let isCode = (2...10).contains(type.utf8.count) && type.utf8.allSatisfy { $0.isUpperOrDigit }
    return isCode ? type : Self.unknownIncidentType
  }

  func resourceType(_ service: String?) -> String {
    service.flatMap { resourceTypes[$0] } ?? "RapidResponseSpecialist"
  }

  func agentRole(_ role: Role) -> String { agentRoles[role] ?? role.rawValue }

  // MARK: - Registries that are the same for all

  /// "EIDO-CommonDispositionCode", which is APCO ANS 1.111.2.
  static func dispositionCode(_ outcome: Outcome) -> String {
    switch outcome {
    case .handled: "18"
    case .attached: "22"
    case .callerAdvised: "05"
    case .noEmergency, .hoax, .accidental: "13"
    case .abandoned: "14"
    }
  }

  /// "Call States" (NENA-STA-010).
  static func callState(_ stage: CallerStage) -> String {
    switch stage {
    case .requested, .linkSent, .opened, .locationOK, .cameraOK, .connecting: "callBegin"
    case .live, .paused: "callAnswered"
    case .ended, .declined, .expired, .failed: "callEnd"
    }
  }

  /// "EIDO-SecondaryUnitStatus-Common".
  static func unitStatuses(_ status: UnitStatus) -> [String] {
    switch status {
    case .assigned: ["Assigned"]
    case .acknowledged: ["Assigned", "AcknowledgedTransmission"]
    case .enroute: ["EnRoute"]
    case .onscene: ["OnScene"]
    case .transporting: ["Transporting", "Hospital"]
    case .atHospital: ["Arrived", "Hospital"]
    case .available: ["Cleared", "InService"]
    }
  }
}

extension UInt8 {
  fileprivate var isUpperOrDigit: Bool {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
  }
}
