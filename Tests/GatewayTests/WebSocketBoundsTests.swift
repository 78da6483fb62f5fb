import Gateway
import MediaServer
import NIOCore
import Primitives
import Testing

/// What happens at the named limits of a WebSocket, and when it or the service ends.
@Suite(.timeLimit(.minutes(5)))
struct WebSocketBoundsTests {
  @Test func aReaderThatFallsBehindIsClosedWith1013() async throws {
    var limits = GatewayLimits()
    limits.maximumPendingBytes = 1 << 16
    limits.closeTimeout = .seconds(20)
    try await withServer(.init(limits: limits)) { server in
      let socket = try await server.webSocket()
      #expect(await socket.message("overview") != nil)
      try await socket.connection.channel.setOption(.autoRead, value: false).get()
      var random = RandomSource.seeded(1)
      let peer = PeerID(using: &random)
      let text = String(repeating: "x", count: 1 << 16)
      // More than both kernels' socket buffers hold together.
      for _ in 0..<400 { server.media.emit(.message(from: peer, channel: "c", text: text)) }
      while try await !server.send("GET", "/metrics").body.contains("slow_consumers_total 1") { await Task.yield() }
      try await socket.connection.channel.setOption(.autoRead, value: true).get()
      #expect(
        await socket.closing() == .close(code: 1013, reason: "messages were not read in time, connect again"))
      await socket.connection.close()
    }
  }

  @Test(
    arguments: [
      (1, [UInt8](repeating: 0x20, count: 200_000), true, 1009), (1, [0xff, 0xfe], true, 1007),
      (2, [1, 2, 3], true, 1003),
      (0, [1], true, 1002), (3, [], true, 1002),
    ] as [(UInt8, [UInt8], Bool, Int)])
  func framesOutOfBoundsCloseTheConnection(opcode: UInt8, payload: [UInt8], final: Bool, code: Int) async throws {
    try await withServer { server in
      let socket = try await server.webSocket()
      try await socket.send(opcode: opcode, payload, final: final)
      guard case .close(let closeCode, _) = await socket.closing() else {
        Issue.record("no close frame")
        return
      }
      #expect(closeCode == code)
      await socket.connection.close()
      #expect(try await server.send("GET", "/healthz").status == 200)
    }
  }

  @Test func fragmentsAreJoinedAndPingsAnswered() async throws {
    try await withServer { server in
      let socket = try await server.webSocket()
      try await socket.send(opcode: 1, Array(#"{"v":1,"#.utf8), final: false)
      try await socket.send(opcode: 9, Array("x".utf8))
      try await socket.send(opcode: 0, Array(#""kind":"ping"}"#.utf8))
      #expect(await socket.message("pong") != nil)
      await socket.connection.close()
    }
  }

  @Test func aClientThatAnswersNoHeartbeatIsDropped() async throws {
    var limits = GatewayLimits()
    limits.heartbeatInterval = .milliseconds(20)
    limits.heartbeatTimeout = .milliseconds(400)
    try await withServer(.init(limits: limits)) { server in
      let socket = try await server.webSocket()
      var pings = 0
      while true {
        let event = await socket.next()
        if event == .end { break }
        if event == .ping { pings += 1 }
      }
      #expect(pings > 0)
    }
  }

  @Test func shutdownSendsClientsAway() async throws {
    try await withServer { server in
      let socket = try await server.webSocket()
      #expect(await socket.message("overview") != nil)
      await server.shutdown()
      #expect(await socket.closing() == .close(code: 1001, reason: "the server is stopping, connect again"))
      await socket.connection.close()
    }
  }

  @Test func randomFramesDoNotStopTheService() async throws {
    try await withServer { server in
      var random = RandomSource.seeded(11)
      for _ in 0..<40 {
        let socket = try await server.webSocket()
        for _ in 0..<5 {
          try? await socket.connection.send(random.bytes(Int(random.next() % 64)))
        }
        await socket.connection.close()
      }
      #expect(try await server.send("GET", "/readyz").status == 200)
    }
  }
}
