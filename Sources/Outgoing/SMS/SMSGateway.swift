import JSON

/// Sends text messages through the agency's provider.
package struct SMSGateway: Sendable {
  package let provider: SMSProvider
  let caller: HTTPCaller

  package init(_ provider: SMSProvider, caller: HTTPCaller) {
    self.provider = provider
    self.caller = caller
  }

  /// Reads the settings that ``SMSProvider/init(json:)`` describes.
  package init(json: JSONValue, caller: HTTPCaller) throws(OutgoingError) {
    self.init(try SMSProvider(json: json), caller: caller)
  }

  /// Hands `message` to the provider, once; returns the name by which receipts will call it, if the provider gives one.
  ///
  /// Throws when the provider refuses it, and when there is no answer: then it may or may not have been sent.
  package func send(_ message: SMSMessage) async throws(OutgoingError) -> String? {
    try provider.reference(in: await caller.send(provider.request(for: message)))
  }
}
