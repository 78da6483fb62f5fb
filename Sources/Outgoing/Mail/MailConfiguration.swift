import JSON
import Primitives

/// The agency's mail server and the sender of its mails.
package struct MailConfiguration: Hashable, Sendable {
  package enum Security: String, Hashable, Sendable {
    /// Plain at first, then TLS or nothing (RFC 3207).
    case startTLS = "starttls"
    /// TLS from the first byte (RFC 8314).
    case tls
    case none
  }

  package let host: String
  package let port: Int
  package let security: Security
  package let user: String?
  package let password: String?
  package let from: String
  /// The sender's name as people see it.
  package let name: String

  /// Throws `invalid` with what is wrong.
  ///
  /// Without `security`, STARTTLS is required, except on the machine itself. Without `port`, it is 465 for TLS, 587 for
  /// STARTTLS, 25 otherwise.
  package init(
    host: String, port: Int? = nil, security: Security? = nil, user: String? = nil, password: String? = nil,
    from: String, name: String = "Sightline"
  ) throws(OutgoingError) {
    let isLoopback = ["localhost", "127.0.0.1", "::1"].contains(host)
    let security = security ?? (isLoopback ? .none : .startTLS)
    guard (1...253).contains(host.utf8.count),
      host.utf8.allSatisfy({ $0.isASCIILetterOrDigit || ".-:".utf8.contains($0) })
    else { throw OutgoingError(.invalid, "The mail server has to be a host name or an address.") }
    guard (1...65_535).contains(port ?? 25) else {
      throw OutgoingError(.invalid, "The mail server's port has to be 1 to 65535.")
    }
    guard MailMessage.isAddress(from) else {
      throw OutgoingError(.invalid, "The sender has to be a mail address such as dispatch@example.org.")
    }
    guard security != .none || password == nil || isLoopback else {
      throw OutgoingError(.invalid, "A password is not sent without TLS. Set the security to starttls or tls.")
    }
    self.host = host
    self.port = port ?? (security == .tls ? 465 : security == .startTLS ? 587 : 25)
    self.security = security
    self.user = user
    self.password = password
    self.from = from
    self.name = name
  }

  /// Reads `{"host", "port", "security": "starttls"|"tls"|"none", "user", "password", "from", "name"}`; host and from
  /// are required.
  package init(json: JSONValue) throws(OutgoingError) {
    guard let host = json["host"]?.string, let from = json["from"]?.string else {
      throw OutgoingError(.invalid, "The mail settings need a host and a from address.")
    }
    let security: Security?
    if let text = json["security"]?.string {
      guard let known = Security(rawValue: text) else {
        throw OutgoingError(.invalid, "The mail server's security has to be starttls, tls or none.")
      }
      security = known
    } else {
      security = nil
    }
    try self.init(
      host: host, port: json["port"]?.integer, security: security, user: json["user"]?.string,
      password: json["password"]?.string, from: from, name: json["name"]?.string ?? "Sightline")
  }

  /// For libcurl; the path is what EHLO says (RFC 5321 §4.1.1.1), the sender's domain.
  var url: String {
    let scheme = security == .tls ? "smtps" : "smtp"
    let authority = host.contains(":") ? "[\(host)]" : host
    return "\(scheme)://\(authority):\(port)/\(MailMessage.domain(of: from))"
  }
}

extension MailConfiguration: CustomStringConvertible {
  /// Without user name and password.
  package var description: String { "mail through \(host):\(port), security \(security.rawValue)" }
}
