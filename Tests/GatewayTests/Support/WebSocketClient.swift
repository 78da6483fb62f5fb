import Foundation
import NIOCore

/// The client's half of RFC 6455, as small as the tests need it.
final class WebSocketClient {
  enum Event: Equatable {
    case text(String)
    case close(code: Int, reason: String)
    case ping
    case pong
    case end
  }

  let connection: RawConnection
  let subprotocol: String?

  private init(connection: RawConnection, subprotocol: String?) {
    self.connection = connection
    self.subprotocol = subprotocol
  }

  /// The refusal, when the server does not upgrade.
  struct Refused: Error {
    let answer: HTTPAnswer?
  }

  static func open(
    port: Int, target: String = "/ws", headers: [(String, String)] = [], trustRoot: String? = nil
  ) async throws -> WebSocketClient {
    let connection = try await RawConnection.open(port: port, trustRoot: trustRoot)
    let all: [(String, String)] =
      [
        ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
      ] + headers
    let answer = try await connection.request("GET", target, all)
    guard let answer, answer.status == 101, answer["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" else {
      throw Refused(answer: answer)
    }
    return WebSocketClient(connection: connection, subprotocol: answer["sec-websocket-protocol"])
  }

  func send(_ text: String) async throws {
    try await send(opcode: 1, Array(text.utf8))
  }

  /// One masked frame (RFC 6455 §5.2).
  func send(opcode: UInt8, _ payload: [UInt8], final: Bool = true) async throws {
    var frame: [UInt8] = [(final ? 0x80 : 0) | opcode]
    switch payload.count {
    case 0..<126: frame.append(0x80 | UInt8(payload.count))
    case 126..<65536: frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    default: frame += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    let mask: [UInt8] = [0x12, 0x34, 0x56, 0x78]
    frame += mask
    frame += payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
    try await connection.send(frame)
  }

  /// The next frame.
  func next() async -> Event {
    guard let start = await connection.read(2) else { return .end }
    var length = Int(start[1] & 127)
    if length >= 126 {
      guard let more = await connection.read(length == 126 ? 2 : 8) else { return .end }
      length = more.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let payload = await connection.read(length) else { return .end }
    switch start[0] & 15 {
    case 1: return .text(String(decoding: payload, as: UTF8.self))
    case 8:
      let code = payload.prefix(2).reduce(0) { $0 << 8 | Int($1) }
      return .close(code: code, reason: String(decoding: payload.dropFirst(2), as: UTF8.self))
    case 9: return .ping
    default: return .pong
    }
  }

  /// The next message that is of `kind`, as a JSON object; nil when the connection ends before.
  func message(_ kind: String) async -> [String: Any]? {
    while true {
      switch await next() {
      case .text(let text):
        let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        if object?["kind"] as? String == kind { return object }
      case .close, .end: return nil
      case .ping, .pong: break
      }
    }
  }

  /// The close frame, whatever comes before.
  func closing() async -> Event {
    while true {
      switch await next() {
      case .close(let code, let reason): return .close(code: code, reason: reason)
      case .end: return .end
      case .text, .ping, .pong: break
      }
    }
  }
}
