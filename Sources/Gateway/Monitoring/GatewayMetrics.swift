import MediaServer
import Synchronization

/// The gateway's own counters.
package final class GatewayMetrics: Sendable {
  package struct Values: Sendable {
    /// Answers by the first digit of their status.
    package var requestsByClass: [Int: UInt64] = [:]
    package var rejectedTokensByReason: [String: UInt64] = [:]
    package var webSockets: UInt64 = 0
    package var webSocketsOpened: UInt64 = 0
    package var slowConsumers: UInt64 = 0
    /// WebSockets that the server closed, by the code of its close frame.
    package var webSocketsClosedByCode: [UInt16: UInt64] = [:]

    package init() {}
  }

  private let state = Mutex(Values())

  var values: Values { state.withLock { $0 } }

  func noteRequest(status: Int) {
    state.withLock { $0.requestsByClass[status / 100, default: 0] += 1 }
  }

  /// - Parameter reason: One of a fixed set of names, so that the table stays small.
  func noteRejectedToken(reason: String) {
    state.withLock { $0.rejectedTokensByReason[reason, default: 0] += 1 }
  }

  /// Counts a WebSocket in, unless `limit` are open.
  func openWebSocket(limit: Int) -> Bool {
    state.withLock { values in
      guard values.webSockets < UInt64(limit) else { return false }
      values.webSockets += 1
      values.webSocketsOpened += 1
      return true
    }
  }

  func closeWebSocket() {
    state.withLock { $0.webSockets -= 1 }
  }

  /// Notes that the server closes a WebSocket.
  func noteClosed(_ reason: WebSocketCloseReason) {
    state.withLock { values in
      values.webSocketsClosedByCode[reason.code, default: 0] += 1
      if reason == .slowConsumer { values.slowConsumers += 1 }
    }
  }
}
