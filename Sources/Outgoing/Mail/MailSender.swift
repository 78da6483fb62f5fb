import Primitives

/// Sends mails through the agency's SMTP server (RFC 5321).
package final class MailSender: Sendable {
  private let loop: TransferLoop
  private let configuration: MailConfiguration
  private let now: @Sendable () -> UTCTime

  /// Mails under way at a time.
  package static let mailsAtATime = 8
  /// Mails that may wait; further ones fail as `busy`.
  package static let waitingMails = 256
  /// From the connection to the server's acceptance.
  package static let timeLimit = TimeInterval64.seconds(60)

  package init(
    _ configuration: MailConfiguration, options: TransferOptions = TransferOptions(),
    now: @escaping @Sendable () -> UTCTime
  ) {
    var limits = TransferLimits()
    limits.callsAtATime = Self.mailsAtATime
    limits.waitingCalls = Self.waitingMails
    loop = TransferLoop(options: options, limits: limits, name: "mail-sender")
    self.configuration = configuration
    self.now = now
  }

  deinit {
    loop.stop()
  }

  /// Sends `message`; returns its Message-ID when the server has accepted it.
  @discardableResult
  package func send(_ message: MailMessage) async throws(OutgoingError) -> String {
    var random = RandomSource.system
    let token = Hex.encode(random.bytes(16))
    let content = message.rendered(from: configuration.from, name: configuration.name, date: now(), token: token)
    let transfer = MailTransfer(
      server: configuration, sender: configuration.from, recipient: message.to, content: content,
      timeLimit: Self.timeLimit)
    _ = try await loop.perform(.mail(transfer)).get()
    return "\(token)@\(MailMessage.domain(of: configuration.from))"
  }

  /// Fails what runs and waits, and whatever comes after.
  package func stop() {
    loop.stop()
  }
}
