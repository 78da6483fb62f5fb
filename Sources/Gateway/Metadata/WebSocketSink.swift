import ControlRoom

/// A WebSocket as a carrier of the metadata channel.
final class WebSocketSink: MetadataSink {
  private let connection: WebSocketConnection

  init(_ connection: WebSocketConnection) {
    self.connection = connection
  }

  func send(_ text: String, taken: @escaping @Sendable (Bool) -> Void) {
    connection.send(text, taken: taken)
  }

  func close(_ refusal: Refusal) {
    connection.send(ServerMetadata.error(refusal, inReplyTo: nil), taken: { _ in })
    let problem = Problem(refusal)
    connection.close(refusal.code == .slowReader ? .slowConsumer : .refused(problem))
  }
}
