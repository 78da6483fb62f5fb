import CCurl

/// Libcurl's codes in words that say what to look at.
enum CurlFailure {
  static func error(_ code: CURLcode, kind: TransferKind, status: Int) -> OutgoingError {
    let host = host(of: kind)
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
      return OutgoingError(.unreachable, "The name \(host) has no address. Check the spelling, and this machine's DNS.")
    case CURLE_COULDNT_CONNECT:
      return OutgoingError(.unreachable, "\(host) takes no connection. Check the port, firewalls, and that it runs.")
    case CURLE_OPERATION_TIMEDOUT:
      return OutgoingError(.timedOut, "\(host) did not answer in time.")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
      return OutgoingError(
        .insecure,
        "The certificate of \(host) is not trusted, or is for another name. Check it, and the file of trusted"
          + " certificates.")
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER:
      return OutgoingError(.insecure, "\(host) and this server found no TLS that both accept. Check the port.")
    case CURLE_USE_SSL_FAILED:
      return OutgoingError(
        .insecure, "\(host) offers no STARTTLS. Use its TLS port, or set the security to none inside a trusted network."
      )
    case CURLE_LOGIN_DENIED:
      return OutgoingError(.refused, "\(host) does not accept the user name and password.")
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE:
      return refusal(kind, status) ?? OutgoingError(.unreachable, "The connection to \(host) broke.")
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
      return OutgoingError(.invalid, "The address of \(host) is not one that can be called.")
    default:
      let reason = String(cString: curl_easy_strerror(code))
      return refusal(kind, status) ?? OutgoingError(.badAnswer, "The call to \(host) failed: \(reason).")
    }
  }

  /// An SMTP server's refusal (RFC 5321 §4.2.1): 4xx for now, 5xx for good.
  ///
  /// Its text is left out, because it repeats the recipient.
  private static func refusal(_ kind: TransferKind, _ status: Int) -> OutgoingError? {
    guard case .mail(let mail) = kind, (400..<600).contains(status) else { return nil }
    let lasting = status < 500 ? "for now" : "for good"
    return OutgoingError(.refused, "\(mail.server.host) refused the mail \(lasting), with SMTP code \(status).")
  }

  private static func host(of kind: TransferKind) -> String {
    switch kind {
    case .http(let request): request.host
    case .mail(let mail): mail.server.host
    }
  }
}
