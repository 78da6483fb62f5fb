import NIOWebSocket

/// Why the server closes a WebSocket: the code and the words in its close frame (RFC 6455 §7.4).
struct WebSocketCloseReason: Hashable, Sendable {
  let code: UInt16
  /// At most ``maximumTextBytes`` bytes of UTF-8.
  let text: String

  /// A control frame carries 125 bytes, two of them the code (RFC 6455 §5.5).
  static let maximumTextBytes = 123

  init(_ code: UInt16, _ text: String) {
    self.code = code
    var text = text
    while text.utf8.count > Self.maximumTextBytes { text.removeLast() }
    self.text = text
  }

  static let normal = WebSocketCloseReason(1000, "goodbye")
  static let goingAway = WebSocketCloseReason(1001, "the server is stopping, connect again")
  static let protocolError = WebSocketCloseReason(1002, "a frame breaks RFC 6455")
  static let notText = WebSocketCloseReason(1003, "messages are text")
  static let notUTF8 = WebSocketCloseReason(1007, "the text is not UTF-8")
  static let tooManyMessages = WebSocketCloseReason(1008, "too many messages at once, wait for the replies")
  static let tooLarge = WebSocketCloseReason(1009, "the message is too large")
  static let slowConsumer = WebSocketCloseReason(1013, "messages were not read in time, connect again")

  /// A refused token: 4000 and the HTTP status.
  static func refused(_ problem: Problem) -> WebSocketCloseReason {
    WebSocketCloseReason(4000 + UInt16(problem.status.code), problem.detail)
  }
}
