import JSON
import Primitives

extension SMSProvider {
  /// The request that hands `message` to the provider.
  package func request(for message: SMSMessage) throws(OutgoingError) -> OutgoingRequest {
    switch kind {
    case .twilio: try twilioRequest(message)
    case .vonage: try vonageRequest(message)
    case .messagebird: try messageBirdRequest(message)
    case .sinch: try sinchRequest(message)
    case .generic: try genericRequest(message)
    }
  }

  /// The provider's name for the message, as receipts will call it; nil when it gives none.
  ///
  /// Throws `refused` with the provider's error code. Its text is left out, because it may repeat the number.
  package func reference(in response: OutgoingResponse) throws(OutgoingError) -> String? {
    let json = try? JSONValue(parsing: response.body, limit: Self.maximumAnswerLength)
    guard response.isSuccess else {
      let code = ["code", "error_code", "errors.0.code"].lazy
        .compactMap { json?.text(at: $0.split(separator: ".").map(String.init)) }.first
      throw refusal(status: response.status, code: code)
    }
    switch kind {
    case .twilio: return try reference(json, at: "sid")
    case .messagebird, .sinch: return try reference(json, at: "id")
    case .vonage:
      // Vonage answers 200 whatever happens; a status of 0 is success.
      let status = json?.text(at: ["messages", "0", "status"])
      guard status == "0" else { throw refusal(status: response.status, code: status) }
      return try reference(json, at: "messages.0.message-id")
    case .generic:
      guard let path = template?.referencePath, !path.isEmpty else { return nil }
      return try reference(json, at: path.joined(separator: "."))
    }
  }

  /// Bytes of a provider's answer or receipt that are looked at.
  static let maximumAnswerLength = 65_536
  /// Longest reference of a provider, in bytes.
  static let maximumProviderReferenceLength = 200

  private func refusal(status: Int, code: String?) -> OutgoingError {
    let code = code.map { ", error \($0.prefix(20))" } ?? ""
    let advice =
      status == 401 || status == 403 ? "Check the account and secret." : "Its documentation says what the code means."
    return OutgoingError(.refused, "\(kind.rawValue) refused the message with status \(status)\(code). \(advice)")
  }

  private func reference(_ json: JSONValue?, at path: String) throws(OutgoingError) -> String {
    guard let text = json?.text(at: path.split(separator: ".").map(String.init)),
      (1...Self.maximumProviderReferenceLength).contains(text.utf8.count)
    else { throw OutgoingError(.badAnswer, "\(kind.rawValue) took the message, but its answer has no \(path).") }
    return text
  }

  // MARK: - Requests

  /// Twilio Programmable Messaging, `POST /2010-04-01/Accounts/{sid}/Messages.json`.
  private func twilioRequest(_ message: SMSMessage) throws(OutgoingError) -> OutgoingRequest {
    // A sender that starts with MG is a messaging service, which chooses the number.
    let isService = from.hasPrefix("MG") && from.utf8.count == 34
    let body = FormEncoding.encode([
      "To": message.to, "From": isService ? nil : from, "MessagingServiceSid": isService ? from : nil,
      "Body": message.text, "StatusCallback": message.receiptURL,
    ])
    return try OutgoingRequest(
      url: "\(url)/2010-04-01/Accounts/\(FormEncoding.percentEncoded(account))/Messages.json",
      headers: [
        .init("Authorization", "Basic \(Base64.encode(Array("\(account):\(secret)".utf8)))"), Self.form,
        Self.acceptJSON,
      ], body: body)
  }

  /// Vonage SMS API, `POST /sms/json`; numbers go without the plus sign.
  private func vonageRequest(_ message: SMSMessage) throws(OutgoingError) -> OutgoingRequest {
    let body = FormEncoding.encode([
      "api_key": account, "api_secret": secret, "from": from.hasPrefix("+") ? String(from.dropFirst()) : from,
      "to": String(message.to.dropFirst()), "text": message.text,
      "type": message.text.utf8.allSatisfy { $0 < 0x80 } ? "text" : "unicode",
      "client-ref": message.reference, "callback": message.receiptURL,
    ])
    return try OutgoingRequest(url: "\(url)/sms/json", headers: [Self.form, Self.acceptJSON], body: body)
  }

  /// MessageBird SMS, `POST /messages`; only messages with a reference are reported on.
  private func messageBirdRequest(_ message: SMSMessage) throws(OutgoingError) -> OutgoingRequest {
    let body = JSONValue.members([
      "originator": .string(from), "recipients": [.string(String(message.to.dropFirst()))],
      "body": .string(message.text), "datacoding": "auto", "reference": .string(message.reference),
      "reportUrl": message.receiptURL.map { .string($0) },
    ])
    return try OutgoingRequest(
      url: "\(url)/messages", headers: [.init("Authorization", "AccessKey \(secret)"), Self.json, Self.acceptJSON],
      body: body.canonicalBytes)
  }

  /// Sinch SMS, `POST /xms/v1/{service plan}/batches`.
  private func sinchRequest(_ message: SMSMessage) throws(OutgoingError) -> OutgoingRequest {
    let body = JSONValue.members([
      "from": .string(from), "to": [.string(message.to)], "body": .string(message.text),
      "delivery_report": "per_recipient", "client_reference": .string(message.reference),
      "callback_url": message.receiptURL.map { .string($0) },
    ])
    return try OutgoingRequest(
      url: "\(url)/xms/v1/\(FormEncoding.percentEncoded(account))/batches",
      headers: [.init("Authorization", "Bearer \(secret)"), Self.json, Self.acceptJSON], body: body.canonicalBytes)
  }

  private func genericRequest(_ message: SMSMessage) throws(OutgoingError) -> OutgoingRequest {
    guard let template else { throw OutgoingError(.invalid, "The SMS settings have no template.") }
    return try template.request(
      url: url,
      values: [
        "to": message.to, "text": message.text, "from": from, "reference": message.reference, "account": account,
        "secret": secret, "receiptURL": message.receiptURL ?? "",
      ])
  }

  private static let form = OutgoingRequest.Header("Content-Type", "application/x-www-form-urlencoded")
  private static let json = OutgoingRequest.Header("Content-Type", "application/json")
  private static let acceptJSON = OutgoingRequest.Header("Accept", "application/json")
}
