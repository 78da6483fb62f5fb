import JSON
import Primitives

extension SMSProvider {
  /// Reads a delivery receipt that the provider sent: a form, JSON, or the query of a GET.
  ///
  /// Throws `badAnswer` when it is not what the provider documents. The receipt is only as trustworthy as the address
  /// that it came in on: give out one that cannot be guessed.
  package func receipt(
    contentType: String?, body: [UInt8], query: String
  ) throws(OutgoingError) -> DeliveryReceipt {
    guard body.count <= Self.maximumAnswerLength, query.utf8.count <= Self.maximumAnswerLength else {
      throw OutgoingError(.badAnswer, "The receipt is longer than \(Self.maximumAnswerLength) bytes.")
    }
    let fields = ReceiptFields(contentType: contentType, body: body, query: query)
    switch kind {
    case .twilio:
      return try receipt(fields, "MessageSid", "MessageStatus", ["ErrorCode"], Self.twilioStates)
    case .vonage:
      // Forms and queries say messageId; JSON says so too, and message-id in newer accounts.
      let name = fields.text("messageId") == nil ? "message-id" : "messageId"
      return try receipt(fields, name, "status", ["err-code"], Self.vonageStates)
    case .messagebird:
      return try receipt(fields, "id", "status", ["statusReason", "statusErrorCode"], Self.messageBirdStates)
    case .sinch:
      // One report a recipient has the state at the top, a report of the batch has a list with one entry.
      let top = fields.text("status") == nil ? "statuses.0." : ""
      return try receipt(fields, "batch_id", top + "status", [top + "code"], Self.sinchStates)
    case .generic:
      let paths = [template?.receiptReference, template?.receiptState, template?.receiptDetail].map {
        ($0 ?? []).joined(separator: ".")
      }
      return try receipt(fields, paths[0], paths[1], [paths[2]], Self.genericStates)
    }
  }

  private func receipt(
    _ fields: ReceiptFields, _ reference: String, _ state: String, _ details: [String],
    _ states: [String: DeliveryReceipt.State]
  ) throws(OutgoingError) -> DeliveryReceipt {
    guard let name = fields.text(reference), (1...Self.maximumProviderReferenceLength).contains(name.utf8.count) else {
      throw OutgoingError(.badAnswer, "The receipt has no \(reference).")
    }
    guard let word = fields.text(state), !word.isEmpty else {
      throw OutgoingError(.badAnswer, "The receipt has no \(state).")
    }
    let codes = details.compactMap { fields.text($0) }.filter { !$0.isEmpty && $0 != "0" }
    return DeliveryReceipt(
      // A word that is new to us says at least that the message is known.
      reference: name, state: states[word.lowercased()] ?? .accepted,
      detail: MailMessage.oneLine(([word] + codes).joined(separator: " ")))
  }

  // MARK: - The providers' words

  private static let twilioStates: [String: DeliveryReceipt.State] = [
    "accepted": .accepted, "scheduled": .accepted, "queued": .accepted, "sending": .accepted, "sent": .accepted,
    "delivered": .delivered, "read": .delivered, "undelivered": .failed, "failed": .failed, "canceled": .failed,
  ]
  private static let vonageStates: [String: DeliveryReceipt.State] = [
    "accepted": .accepted, "buffered": .accepted, "unknown": .accepted, "delivered": .delivered, "expired": .failed,
    "failed": .failed, "rejected": .failed, "deleted": .failed,
  ]
  private static let messageBirdStates: [String: DeliveryReceipt.State] = [
    "scheduled": .accepted, "sent": .accepted, "buffered": .accepted, "delivered": .delivered, "expired": .failed,
    "delivery_failed": .failed,
  ]
  /// Sinch's `Unknown` is final, but says only that no phone has confirmed it.
  private static let sinchStates: [String: DeliveryReceipt.State] = [
    "queued": .accepted, "dispatched": .accepted, "unknown": .accepted, "delivered": .delivered, "aborted": .failed,
    "cancelled": .failed, "rejected": .failed, "deleted": .failed, "failed": .failed, "expired": .failed,
  ]
  private static let genericStates: [String: DeliveryReceipt.State] = [
    "accepted": .accepted, "queued": .accepted, "sent": .accepted, "delivered": .delivered, "failed": .failed,
    "undelivered": .failed, "rejected": .failed, "expired": .failed,
  ]
}

/// The parts of a receipt, wherever the provider put them.
private struct ReceiptFields {
  private let fields: [String: String]
  private let json: JSONValue?

  init(contentType: String?, body: [UInt8], query: String) {
    let isJSON = contentType?.lowercased().contains("json") ?? (body.first == UInt8(ascii: "{"))
    json = isJSON ? try? JSONValue(parsing: body) : nil
    let form = isJSON ? [:] : FormEncoding.decode(String(decoding: body, as: UTF8.self))
    fields = FormEncoding.decode(query).merging(form) { $1 }
  }

  func text(_ path: String) -> String? {
    json?.text(at: path.split(separator: ".").map(String.init)) ?? fields[path]
  }
}
