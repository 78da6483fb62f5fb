import JSON

/// What a subscriber says over the WebSocket (NENA-STA-024.1 §2.1.5 and §2.1.6).
package enum EIDORequest: Hashable, Sendable {
  case subscribe(Subscribe)
  /// Keeps a subscription alive.
  case renew(Renew)
  case unsubscribe(Unsubscribe)
  case eventResponse(Response)
  case terminateResponse(Response)

  /// Longest message, in bytes of UTF-8.
  package static let maximumBytes = 16_384
  /// Longest identifier, in bytes of UTF-8.
  package static let maximumIDBytes = 256

  /// A new subscription.
  package struct Subscribe: Hashable, Sendable {
    package let requestID: String
    package let scope: Scope
    /// Seconds, as the subscriber wishes.
    package let expires: Int?
    /// Seconds after which a notification is sent even if nothing changed.
    package let minimumRate: Int?
    /// Seconds that lie at least between two notifications.
    package let maximumRate: Int?
  }

  package enum Scope: Hashable, Sendable {
    /// One incident, by its identifier as the subscriber wrote it; see ``EIDO/incidentID(_:context:)``.
    case single(String)
    /// All incidents from now on.
    case new
  }

  package struct Renew: Hashable, Sendable {
    package let requestID: String
    package let subscriptionID: String
    /// Seconds, as the subscriber wishes.
    package let expires: Int?
  }

  package struct Unsubscribe: Hashable, Sendable {
    package let requestID: String
    package let subscriptionID: String
  }

  /// The answer to an event, by its transaction, or to the end of a subscription, by its request.
  package struct Response: Hashable, Sendable {
    package let id: String
    package let status: Int
    package let text: String
  }
}

/// A message that is refused.
package struct EIDORequestError: Error, Hashable, Sendable, CustomStringConvertible {
  package let status: EIDOStatus
  /// Says what is wrong and what to do.
  package let text: String
  /// What the answer goes under; nil when not even that can be told.
  package let kind: Kind?
  package let requestID: String?

  package enum Kind: String, Hashable, Sendable {
    case subscribe
    case unsubscribe
  }

  package var description: String { "\(status.rawValue) \(text)" }

  /// The answer; nil for what is itself an answer or cannot be told from noise, where the connection is closed instead.
  package var reply: JSONValue? {
    guard let kind, let requestID else { return nil }
    let body: JSONValue = [
      "requestId": .string(requestID), "statusCode": .integer(status.rawValue), "statusText": .string(text),
    ]
    return switch kind {
    case .subscribe: ["subscribeResponse": body]
    case .unsubscribe: ["unsubscribeResponse": body]
    }
  }
}

/// Status codes of responses (NENA-STA-024.1 §2.1.5.1.2.1).
package enum EIDOStatus: Int, Hashable, Sendable {
  case ok = 200
  case badRequest = 400
  case forbidden = 403
  case notFound = 404
  case notAcceptable = 406
  case payloadTooLarge = 413
  case subscriptionDoesNotExist = 481
  case internalServerError = 500
  case serviceUnavailable = 503

  /// Short words for responses that say nothing more.
  package var text: String {
    switch self {
    case .ok: "OK"
    case .badRequest: "Bad Request"
    case .forbidden: "Forbidden"
    case .notFound: "Not Found"
    case .notAcceptable: "Unacceptable"
    case .payloadTooLarge: "Payload Too Large"
    case .subscriptionDoesNotExist: "Subscription Does Not Exist"
    case .internalServerError: "Internal Server Error"
    case .serviceUnavailable: "Service Unavailable"
    }
  }
}
