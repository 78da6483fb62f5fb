import Primitives

/// A text message to one phone.
package struct SMSMessage: Hashable, Sendable, CustomStringConvertible {
  /// E.164 with a leading `+`.
  package let to: String
  package let text: String
  /// Our own name for the message, given to the provider where it takes one.
  package let reference: String
  /// Where the provider reports delivery, for those that take it with each message.
  package let receiptURL: String?

  /// Longest text, in characters: ten parts of what a provider splits it into.
  package static let maximumTextLength = 1_530
  /// Longest reference, in bytes: the shortest limit among the providers.
  package static let maximumReferenceLength = 40

  /// Takes the usual ways to write a number, such as `+49 (30) 1234-567` or `004930…`.
  ///
  /// Throws `invalid` for a number without its country, and for a text or reference that is too long.
  package init(to number: String, text: String, reference: String, receiptURL: String? = nil) throws(OutgoingError) {
    guard let to = Self.normalized(number) else {
      throw OutgoingError(.invalid, "The phone number has to start with + and the country, such as +491701234567.")
    }
    guard (1...Self.maximumTextLength).contains(text.count) else {
      throw OutgoingError(.invalid, "A text message has 1 to \(Self.maximumTextLength) characters.")
    }
    guard reference.utf8.count <= Self.maximumReferenceLength else {
      throw OutgoingError(.invalid, "The reference is longer than \(Self.maximumReferenceLength) bytes.")
    }
    guard receiptURL.map({ OutgoingRequest.host(of: $0) != nil }) ?? true else {
      throw OutgoingError(.invalid, "The address for delivery receipts has to be http:// or https://.")
    }
    self.to = to
    self.text = text
    self.reference = reference
    self.receiptURL = receiptURL
  }

  /// Neither number nor text, so that no log shows them.
  package var description: String { "text message \(reference)" }

  /// E.164 (ITU-T): `+` and 7 to 15 digits, the first no zero; nil for anything else.
  package static func normalized(_ number: String) -> String? {
    var digits = number.filter { !" -()./\u{a0}".contains($0) }
    if digits.hasPrefix("00") { digits = "+" + digits.dropFirst(2) }
    let bare = digits.dropFirst()
    guard digits.hasPrefix("+"), (7...15).contains(bare.utf8.count), bare.first != "0",
      bare.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return digits
  }
}

/// What a provider reports about a message after it took it.
package struct DeliveryReceipt: Hashable, Sendable {
  package enum State: String, Hashable, Sendable {
    /// On its way; more may follow.
    case accepted
    case delivered
    case failed
  }

  /// The name that the provider gave the message when it took it.
  package let reference: String
  package let state: State
  /// The provider's own word for the state, and its error code; short, without number or text.
  package let detail: String

  /// Longest detail, in characters.
  package static let maximumDetailLength = 100

  package init(reference: String, state: State, detail: String) {
    self.reference = reference
    self.state = state
    self.detail = String(detail.prefix(Self.maximumDetailLength))
  }
}
