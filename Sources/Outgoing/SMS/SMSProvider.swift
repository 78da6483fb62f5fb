import JSON
import Primitives

/// A text-message provider as the agency configured it: makes requests and reads answers, but sends nothing itself.
package struct SMSProvider: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case twilio, vonage, messagebird, sinch, generic

    /// Where the provider listens, without the path; nil for ``generic``.
    fileprivate var defaultURL: String? {
      switch self {
      case .twilio: "https://api.twilio.com"
      case .vonage: "https://rest.nexmo.com"
      case .messagebird: "https://rest.messagebird.com"
      case .sinch: "https://us.sms.api.sinch.com"
      case .generic: nil
      }
    }
  }

  package let kind: Kind
  let url: String
  /// Account SID, API key or service plan.
  let account: String
  /// Auth token, API secret or access key.
  let secret: String
  /// A number or name that the provider lets the agency send from.
  package let from: String
  let template: SMSTemplate?

  /// Longest value of a setting, in bytes.
  static let maximumSettingLength = 2_048

  /// Reads the agency's settings.
  ///
  /// ```
  /// { "provider": "twilio"|"vonage"|"messagebird"|"sinch"|"generic", "url", "account", "secret", "from" }
  /// ```
  /// `url` replaces the provider's own host (Sinch: one a region). For `generic` it is a template, and there are
  /// `method`, `headers`, `body`, `referencePath` and `receipt` besides: see ``SMSTemplate``.
  ///
  /// Throws `invalid` with what is missing or wrong.
  package init(json: JSONValue) throws(OutgoingError) {
    guard let kind = json["provider"]?.string.flatMap(Kind.init) else {
      let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw OutgoingError(.invalid, "The SMS settings need a provider: one of \(known).")
    }
    let texts = ["url", "account", "secret", "from"].map { json[$0]?.string ?? "" }
    guard texts.allSatisfy({ $0.utf8.count <= Self.maximumSettingLength && !$0.utf8.contains { $0 < 0x20 } }) else {
      throw OutgoingError(.invalid, "A value of the SMS settings is too long or holds a line break.")
    }
    let url = texts[0].isEmpty ? kind.defaultURL ?? "" : texts[0]
    guard OutgoingRequest.host(of: url) != nil else {
      throw OutgoingError(.invalid, "The SMS provider's url has to be http:// or https:// with a host.")
    }
    for (name, text) in zip(["account", "secret", "from"], texts.dropFirst())
    where text.isEmpty && Self.required(kind).contains(name) {
      throw OutgoingError(.invalid, "The SMS settings for \(kind.rawValue) need \(name).")
    }
    self.kind = kind
    self.url = url.hasSuffix("/") && kind != .generic ? String(url.dropLast()) : url
    (account, secret, from) = (texts[1], texts[2], texts[3])
    template = kind == .generic ? try SMSTemplate(json: json) : nil
  }

  /// Neither account nor secret.
  package var description: String { "SMS through \(kind.rawValue)" }

  private static func required(_ kind: Kind) -> Set<String> {
    switch kind {
    case .twilio, .vonage, .sinch: ["account", "secret", "from"]
    case .messagebird: ["secret", "from"]
    case .generic: []
    }
  }
}
