/// Why a wish about an incident is refused.
package struct IncidentError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// The payload is not what the kind asks for.
    case badPayload
    /// Clients may not send this kind.
    case serverOnly
    /// Not possible in the state that the incident is in.
    case wrongState
    /// No such caller, unit, link, file or incident.
    case unknownSubject
    /// A named bound is reached.
    case full
    /// A time that cannot be right: in the future, or before the incident.
    case clockSkew
  }

  package let code: Code
  /// What to do next, in plain words.
  package let text: String

  package init(_ code: Code, _ text: String) {
    self.code = code
    self.text = String(text.prefix(300))
  }

  package var description: String { "\(code.rawValue): \(text)" }
}
