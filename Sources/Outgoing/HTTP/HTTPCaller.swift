/// Calls other systems over HTTP and HTTPS.
///
/// Certificates are verified, redirects are not followed, and every call has a time limit. Give the webhooks a caller of
/// their own, so that text messages never wait for a slow receiver.
package final class HTTPCaller: Sendable {
  private let loop: TransferLoop

  package init(options: TransferOptions = TransferOptions(), limits: TransferLimits = TransferLimits()) {
    loop = TransferLoop(options: options, limits: limits, name: "http-caller")
  }

  deinit {
    loop.stop()
  }

  /// Sends `request` and returns the answer, whatever its status is.
  ///
  /// Throws when there is no answer. Cancelling the task gives the call up at once; the other system may have seen it.
  package func send(_ request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse {
    try await loop.perform(.http(request)).get()
  }

  /// Fails what runs and waits, and whatever comes after.
  package func stop() {
    loop.stop()
  }
}
