import COpenSSL

/// The first entry of this thread's OpenSSL error queue.
struct OpenSSLError {
  let reason: String
  /// The alert's number, when the error is that the peer sent a fatal one.
  let receivedAlert: UInt8?

  /// Takes the first error and empties the queue, so that no other connection on this thread reads it; nil for an empty queue.
  static func take() -> OpenSSLError? {
    let code = ERR_get_error()
    guard code != 0 else { return nil }
    let error = OpenSSLError(code: code)
    ERR_clear_error()
    return error
  }

  private init(code: UInt) {
    let number = sl_error_reason(code)
    // Received alerts are reported as 1000 plus the alert's number.
    let alert = Int(number) - Int(SSL_AD_REASON_OFFSET)
    receivedAlert = sl_error_is_ssl(code) == 1 ? UInt8(exactly: alert) : nil
    reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(number)"
  }
}
