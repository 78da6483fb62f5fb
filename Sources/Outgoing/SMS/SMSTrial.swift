import JSON

/// How a provider took one message, in its own words: for whoever sets the provider up.
package struct SMSTrial: Sendable {
  /// HTTP status; nil when there was no answer.
  package let status: Int?
  /// What the provider says, shortened; nil when it says nothing.
  ///
  /// It may repeat the number: show it, do not log it.
  package let words: String?
  /// The provider's name for the message, or why it was not taken.
  package let outcome: Result<String?, OutgoingError>

  /// Longest words, in characters.
  package static let maximumLength = 300
}

extension SMSGateway {
  /// Hands `message` to the provider as ``send(_:)`` does, and keeps what it answered.
  package func `try`(_ message: SMSMessage) async -> SMSTrial {
    let response: OutgoingResponse
    do throws(OutgoingError) {
      response = try await caller.send(provider.request(for: message))
    } catch {
      return SMSTrial(status: nil, words: nil, outcome: .failure(error))
    }
    let outcome: Result<String?, OutgoingError>
    do throws(OutgoingError) {
      outcome = .success(try provider.reference(in: response))
    } catch {
      outcome = .failure(error)
    }
    return SMSTrial(status: response.status, words: Self.words(in: response), outcome: outcome)
  }

  /// Where providers put what they have to say.
  private static let paths = [
    "message", "detail", "description", "text", "error", "errors.0.description", "messages.0.error-text",
    "error.message",
    "title",
  ]

  private static func words(in response: OutgoingResponse) -> String? {
    guard response.body.count <= SMSProvider.maximumAnswerLength else { return nil }
    let json = try? JSONValue(parsing: response.body, limit: SMSProvider.maximumAnswerLength)
    let known = json.flatMap { json in
      paths.lazy.compactMap { json.text(at: $0.split(separator: ".").map(String.init)) }.first
    }
    let isPlain = response.header("Content-Type")?.hasPrefix("text/plain") == true
    let text = known ?? (isPlain ? String(decoding: response.body, as: UTF8.self) : "")
    let line = MailMessage.oneLine(text)
    return line.isEmpty ? nil : String(line.prefix(SMSTrial.maximumLength))
  }
}
