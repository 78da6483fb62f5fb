import JSON

/// What a notifier says over the WebSocket (NENA-STA-024.1 §2.1.5 and §2.1.6).
package enum EIDOMessage {
  /// Seconds that a subscription lives if the subscriber wishes nothing.
  package static let defaultExpiry = 3_600
  /// Longest life of a subscription without renewal, in seconds.
  package static let maximumExpiry = 86_400

  /// Seconds that are granted: never more than was asked for.
  package static func grantedExpiry(_ wished: Int?) -> Int { min(max(wished ?? defaultExpiry, 1), maximumExpiry) }

  /// Accepts a new subscription under a name of ours.
  package static func accepted(_ request: EIDORequest.Subscribe, subscriptionID: String) -> JSONValue {
    [
      "subscribeResponse": .members([
        "requestId": .string(request.requestID), "subscriptionId": .string(subscriptionID),
        "expires": .integer(grantedExpiry(request.expires)), "minRate": request.minimumRate.map { .integer($0) },
        "maxRate": request.maximumRate.map { .integer($0) }, "statusCode": .integer(EIDOStatus.ok.rawValue),
        "statusText": .string(EIDOStatus.ok.text),
      ])
    ]
  }

  package static func accepted(_ request: EIDORequest.Renew) -> JSONValue {
    [
      "subscribeResponse": [
        "requestId": .string(request.requestID), "subscriptionId": .string(request.subscriptionID),
        "expires": .integer(grantedExpiry(request.expires)), "statusCode": .integer(EIDOStatus.ok.rawValue),
        "statusText": .string(EIDOStatus.ok.text),
      ]
    ]
  }

  /// Refuses a subscription or its renewal.
  ///
  /// - Parameter text: What is wrong and what to do; the status's words if not given.
  package static func refusedSubscription(
    requestID: String, _ status: EIDOStatus, _ text: String? = nil
  ) -> JSONValue {
    [
      "subscribeResponse": [
        "requestId": .string(requestID), "statusCode": .integer(status.rawValue),
        "statusText": .string(text ?? status.text),
      ]
    ]
  }

  /// Answers the wish to end a subscription.
  package static func unsubscribed(
    _ request: EIDORequest.Unsubscribe, _ status: EIDOStatus = .ok
  ) -> JSONValue {
    [
      "unsubscribeResponse": [
        "requestId": .string(request.requestID), "subscriptionId": .string(request.subscriptionID),
        "statusCode": .integer(status.rawValue), "statusText": .string(status.text),
      ]
    ]
  }

  /// Tells a subscriber of incidents; it answers with the transaction.
  package static func event(
    subscriptionID: String, transactionID: String, documents: [JSONValue]
  ) -> JSONValue {
    [
      "event": [
        "subscriptionId": .string(subscriptionID), "transactionId": .string(transactionID),
        "notification": .array(documents),
      ]
    ]
  }

  /// Ends a subscription from our side; the subscriber answers with the request.
  package static func terminate(requestID: String, subscriptionID: String) -> JSONValue {
    ["terminate": ["requestId": .string(requestID), "subscriptionId": .string(subscriptionID)]]
  }
}
