import Incidents
import Primitives

/// Why the control room does not do what it was asked to.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// What a program can tell apart; the same over HTTP, WebSocket and data channel.
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// The message is no envelope.
    case badEnvelope
    case wrongVersion
    case unknownKind
    case badPayload
    /// Only the server sends this kind.
    case serverOnly
    /// Nobody is signed in, or the session, token or link is none of ours.
    case signInRequired
    /// Name or password is wrong.
    case badCredentials
    /// The account has a second factor: send its code too.
    case codeRequired
    /// Nothing was done in this session for too long: send the password again.
    case sessionLocked
    /// The request lacks the session's `X-CSRF-Token`.
    case csrf
    /// Too many failures; ``Refusal/retryAfter`` says when to try again.
    case lockedOut
    case linkExpired
    /// Somebody else has opened the link.
    case linkUsed
    /// The call is over; a new link is needed.
    case linkEnded
    case linkRevoked
    case forbidden
    /// No such incident, or none that the asker may know of.
    case notFound
    case wrongState
    case unknownSubject
    /// The id was used for something else.
    case idReused
    case clockSkew
    case tooLarge
    /// More than the rate that is allowed; ``Refusal/retryAfter`` says when to go on.
    case tooFast
    case full
    /// The reader does not keep up.
    case slowReader
    /// What is kept is not what was written.
    case damaged
    /// The node cannot write; it is about to restart.
    case unavailable
  }

  package let code: Code
  /// What happened and what to do next, in plain words; at most ``maximumTextLength`` characters.
  package let text: String
  package let retryAfter: TimeInterval64?

  package static let maximumTextLength = 300

  package init(_ code: Code, _ text: String, retryAfter: TimeInterval64? = nil) {
    self.code = code
    self.text = String(text.prefix(Self.maximumTextLength))
    self.retryAfter = retryAfter
  }

  package var description: String { "\(code.rawValue): \(text)" }
}

extension Refusal {
  package static let forbidden = Refusal(
    .forbidden, "Your role does not allow this here. Ask a supervisor if you need it.")
  package static let unknownIncident = Refusal(.notFound, "There is no such incident. Check its number.")
  package static let unavailable = Refusal(
    .unavailable, "The server cannot store anything at the moment. Try again in a few seconds.",
    retryAfter: .seconds(2))

  package init(_ error: IncidentError) {
    let code: Code =
      switch error.code {
      case .badPayload: .badPayload
      case .serverOnly: .serverOnly
      case .wrongState: .wrongState
      case .unknownSubject: .unknownSubject
      case .full: .full
      case .clockSkew: .clockSkew
      }
    self.init(code, error.text)
  }
}
