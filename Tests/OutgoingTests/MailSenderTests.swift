import Cryptography
import Foundation
import Outgoing
import Primitives
import Synchronization
import Testing

@Suite("Mail sender")
struct MailSenderTests {
  @Test("a mail arrives with its envelope, and a dot alone does not end it")
  func sends() async throws {
    let server = try SMTPServer()
    let sender = MailSender(try server.configuration(), now: { MailTests.date })
    let message = try MailMessage(to: "jo@example.com", subject: "Link", text: "one\n.\n.two\nthree")
    let id = try await sender.send(message)
    let session = await server.session()
    #expect(session.commands.first == "EHLO example.org")
    #expect(session.commands.contains("MAIL FROM:<dispatch@example.org>"))
    #expect(session.commands.contains("RCPT TO:<jo@example.com>"))
    #expect(session.data.contains("Message-ID: <\(id)>"))
    #expect(session.data.contains("Date: Fri, 21 Nov 1997 15:55:06 +0000"))
    #expect(Array(session.data.suffix(4)) == ["one", "=2E", "=2Etwo", "three"])
  }

  @Test("STARTTLS comes before the password")
  func authenticates() async throws {
    let certificate = try SelfSignedCertificate(addresses: ["127.0.0.1"])
    let file = FileManager.default.temporaryDirectory.appending(path: "mail-\(UUID().uuidString).pem")
    try certificate.certificate.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let server = try SMTPServer(certificate: certificate)
    let sender = MailSender(
      try server.configuration(security: .startTLS, user: "desk", password: "secret"),
      options: TransferOptions(certificateFile: file.path), now: { MailTests.date })
    try await sender.send(MailMessage(to: "jo@example.com", subject: "Link", text: "text"))
    let session = await server.session()
    let login = Base64.encode(Array("\0desk\0secret".utf8))
    let tls = try #require(session.commands.firstIndex(of: "STARTTLS"))
    #expect(try #require(session.commands.firstIndex(of: login)) > tls)
    #expect(session.data.last == "text")
  }

  @Test("a server without STARTTLS gets nothing when STARTTLS is required")
  func requiresTLS() async throws {
    let server = try SMTPServer()
    let sender = MailSender(try server.configuration(security: .startTLS), now: { MailTests.date })
    let message = try MailMessage(to: "jo@example.com", subject: "Link", text: "text")
    #expect(await code { try await sender.send(message) } == .insecure)
    #expect(await !server.session().commands.contains { $0.hasPrefix("MAIL") })
  }

  @Test("a certificate that is not trusted gets no mail")
  func requiresTrust() async throws {
    let server = try SMTPServer(certificate: SelfSignedCertificate(addresses: ["127.0.0.1"]))
    let sender = MailSender(try server.configuration(security: .startTLS), now: { MailTests.date })
    let message = try MailMessage(to: "jo@example.com", subject: "Link", text: "text")
    #expect(await code { try await sender.send(message) } == .insecure)
  }

  @Test(
    "a refusal tells its code and not the recipient",
    arguments: [("550 5.1.1 <jo@example.com> unknown", "for good"), ("451 4.3.0 <jo@example.com> later", "for now")])
  func reportsRefusal(_ reply: String, _ words: String) async throws {
    let server = try SMTPServer(recipientReply: reply)
    let sender = MailSender(try server.configuration(), now: { MailTests.date })
    let message = try MailMessage(to: "jo@example.com", subject: "Link", text: "text")
    do throws(OutgoingError) {
      try await sender.send(message)
      Issue.record("it was sent")
    } catch {
      #expect(error.code == .refused)
      #expect(error.text.contains(reply.prefix(3)))
      #expect(error.text.contains(words))
      #expect(!error.text.contains("jo@"))
    }
  }
}

/// A mail server as far as one mail needs it (RFC 5321 §3).
private final class SMTPServer: Sendable {
  struct Session: Sendable {
    var commands: [String] = []
    var data: [String] = []
  }

  private let server: LocalServer
  private let sessions: AsyncStream<Session>

  init(certificate: SelfSignedCertificate? = nil, recipientReply: String = "250 OK") throws {
    let (sessions, ended) = AsyncStream<Session>.makeStream()
    self.sessions = sessions
    server = try LocalServer { connection in
      ended.yield(Self.serve(connection, certificate, recipientReply))
    }
  }

  func configuration(
    security: MailConfiguration.Security? = nil, user: String? = nil, password: String? = nil
  ) throws -> MailConfiguration {
    try MailConfiguration(
      host: "127.0.0.1", port: server.port, security: security, user: user, password: password,
      from: "dispatch@example.org")
  }

  /// What was said, once the client has gone.
  func session() async -> Session {
    server.stop()
    var iterator = sessions.makeAsyncIterator()
    return await iterator.next() ?? Session()
  }

  private static func serve(
    _ connection: LocalConnection, _ certificate: SelfSignedCertificate?, _ recipientReply: String
  ) -> Session {
    var session = Session()
    var isEncrypted = false
    connection.write("220 mail.test ESMTP\r\n")
    while let command = connection.readLine() {
      session.commands.append(command)
      switch command.prefix(4) {
      case "EHLO":
        let offer = isEncrypted ? "250 AUTH PLAIN" : certificate == nil ? "250 8BITMIME" : "250 STARTTLS"
        connection.write("250-mail.test\r\n\(offer)\r\n")
      case "STAR":
        guard let certificate else { return session }
        connection.write("220 go\r\n")
        guard connection.startTLS(certificate) else { return session }
        isEncrypted = true
      case "AUTH":
        connection.write("334 \r\n")
        session.commands.append(connection.readLine() ?? "")
        connection.write("235 OK\r\n")
      case "RCPT": connection.write(recipientReply + "\r\n")
      case "DATA":
        connection.write("354 go\r\n")
        while let line = connection.readLine(), line != "." {
          session.data.append(line.hasPrefix(".") ? String(line.dropFirst()) : line)
        }
        connection.write("250 queued\r\n")
      case "QUIT":
        connection.write("221 bye\r\n")
        return session
      default: connection.write("250 OK\r\n")
      }
    }
    return session
  }
}
