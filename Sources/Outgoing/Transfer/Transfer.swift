import Primitives

/// What a transfer says, before libcurl sees it.
enum TransferKind: Sendable {
  case http(OutgoingRequest)
  case mail(MailTransfer)
}

/// One mail for one SMTP server.
struct MailTransfer: Sendable {
  let server: MailConfiguration
  let sender: String
  let recipient: String
  let content: [UInt8]
  let timeLimit: TimeInterval64
}

/// How transfers trust and reach other systems.
package struct TransferOptions: Hashable, Sendable {
  /// A PEM file with the certificates to trust instead of the system's, for agencies with their own authority.
  package var certificateFile: String?
  /// `http://host:port` of the agency's proxy; variables of the environment are not looked at.
  package var proxy: String?
  /// Time for name, connection and TLS.
  package var connectLimit = TimeInterval64.seconds(10)

  package init(certificateFile: String? = nil, proxy: String? = nil) {
    self.certificateFile = certificateFile
    self.proxy = proxy
  }
}

/// The calls that one loop accepts.
package struct TransferLimits: Hashable, Sendable {
  /// Calls at a time; others wait.
  package var callsAtATime = 128
  /// Calls that may wait; further ones fail as `busy`.
  package var waitingCalls = 1_024
  /// Bytes of an answer; a longer one fails as `badAnswer`.
  package var answerBytes = 1_024 * 1_024

  package init() {}
}
