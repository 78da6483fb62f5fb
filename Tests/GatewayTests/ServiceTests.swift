import Foundation
import Gateway
import MediaServer
import Primitives
import Storage
import Testing

/// Health, metrics, pages, TLS and what must not stop the service.
@Suite(.timeLimit(.minutes(5)))
struct ServiceTests {
  @Test func healthAndReadiness() async throws {
    try await withServer { server in
      let health = try await server.send("GET", "/healthz")
      #expect(health.body == "ok\n")
      #expect(try await server.send("GET", "/readyz").status == 200)
      #expect(try await server.send("HEAD", "/healthz").status == 200)
    }
  }

  @Test func metricsCountRequestsRefusalsAndSockets() async throws {
    try await withServer { server in
      _ = try await server.send("GET", "/healthz")
      _ = try await server.send("GET", "/api/ice-servers", [("Authorization", "Bearer x")])
      let socket = try await server.webSocket()
      #expect(await socket.message("welcome") != nil)
      let answer = try await server.send("GET", "/metrics")
      #expect(answer["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      for line in [
        "sightline_packets_received_total 42", "sightline_peers 3", #"sightline_http_requests_total{class="2xx"} 1"#,
        #"sightline_http_requests_total{class="4xx"} 1"#, #"sightline_rejected_tokens_total{reason="malformed"} 1"#,
        "sightline_websocket_clients 1",
      ] {
        #expect(answer.body.contains(line + "\n"))
      }
      await socket.connection.close()
    }
  }

  @Test(arguments: ["/", "/call/inc-1?token=x", "/watch/inc-1?token=x"])
  func pagesComeWithTheirPolicies(path: String) async throws {
    try await withServer { server in
      let answer = try await server.send("GET", path)
      #expect(answer.status == 200)
      #expect(answer["content-type"] == "text/html; charset=utf-8")
      #expect(answer["content-security-policy"]?.hasPrefix("default-src 'self'") == true)
      #expect(
        answer["permissions-policy"]
          == "camera=(self), microphone=(self), geolocation=(self), display-capture=(self), screen-wake-lock=(self)")
      #expect(answer["referrer-policy"] == "no-referrer")
      #expect(answer["x-content-type-options"] == "nosniff")
      #expect(answer["cache-control"] == "no-cache")
    }
  }

  @Test func assetsAreRevalidatedByTheirTag() async throws {
    try await withServer { server in
      let first = try await server.send("GET", "/assets/caller/caller.html")
      let tag = try #require(first["etag"])
      let second = try await server.send("GET", "/assets/caller/caller.html", [("If-None-Match", tag)])
      #expect(second.status == 304)
      #expect(second["etag"] == tag)
      #expect(try await server.send("GET", "/assets/caller/caller.html", [("If-None-Match", "\"x\"")]).status == 200)
    }
  }

  @Test(arguments: [
    "/assets/../GatewayServer.swift", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/", "/assets/nothing.js", "/nothing",
    "/call/a%2fb", "/whip", "/api/ice-servers/x",
  ])
  func whatIsNotThereIs404(path: String) async throws {
    try await withServer { server in
      let answer = try await server.send("GET", path)
      #expect(answer.status == 404)
      #expect(answer["content-type"] == "application/problem+json")
    }
  }

  @Test func aTakenPortIsReportedToWhoeverWaitsForIt() async throws {
    try await withServer { server in
      let second = try GatewayServer(
        configuration: .init(port: server.port), media: server.media, desks: server.desks, authority: server.authority,
        logger: .init(label: "second") { _ in server.log.handler })
      await #expect(throws: (any Error).self) { try await second.run() }
      await #expect(throws: (any Error).self) { _ = try await second.boundPort() }
    }
  }

  @Test func missingCertificatesAreReportedAtTheStart() throws {
    let authority = try TestServer.makeAuthority()
    let folder = TemporaryFolder()
    defer { folder.remove() }
    let media = ScriptedMediaPlane()
    let desks = try makeDesks(SQLiteStorage(folder: folder.url), folder, media, .init(), .system)
    #expect(throws: (any Error).self) {
      try GatewayServer(
        configuration: .init(tls: .files(certificateChain: "/nonexistent", privateKey: "/nonexistent")),
        media: media, desks: desks, authority: authority, logger: .init(label: "x"))
    }
  }

  @Test func servesHTTPSAndSecureWebSockets() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gateway-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (certificate, key) = (
      folder.appendingPathComponent("cert.pem").path, folder.appendingPathComponent("key.pem").path
    )
    try Self.makeCertificate(certificate, key)
    try await withServer(.init(tls: .files(certificateChain: certificate, privateKey: key))) { server in
      let connection = try await RawConnection.open(port: server.port, trustRoot: certificate)
      let answer = try #require(try await connection.request("GET", "/healthz"))
      #expect(answer.status == 200)
      #expect(answer["strict-transport-security"] != nil)
      await connection.close()
      let socket = try await WebSocketClient.open(
        port: server.port, target: "/ws?token=\(server.token())", trustRoot: certificate)
      #expect(await socket.message("welcome") != nil)
      await socket.connection.close()
      let base = try await server.gateway.baseURL()
      #expect(base == "https://127.0.0.1:\(server.port)")
      let plain = try await RawConnection.open(port: server.port)
      try await plain.send("GET / HTTP/1.1\r\n\r\n")
      while await plain.readMore() {}
      #expect(plain.buffer.getString(at: 0, length: min(4, plain.buffer.readableBytes)) != "HTTP")
    }
  }

  /// A self-signed certificate for `localhost`, made by the openssl command.
  private static func makeCertificate(_ certificate: String, _ key: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
      "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", certificate, "-keyout",
      key,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }

  @Test func aConnectionThatSaysNothingIsClosed() async throws {
    var limits = GatewayLimits()
    limits.firstRequestTimeout = .milliseconds(30)
    try await withServer(.init(limits: limits)) { server in
      let connection = try await RawConnection.open(port: server.port)
      // On a busy machine the server may have closed the connection before this is sent.
      try? await connection.send("GET / HT")
      #expect(await !connection.readMore())
    }
  }

  @Test func shutdownDoesNotWaitForIdleConnections() async throws {
    try await withServer { server in
      let silent = try await RawConnection.open(port: server.port)
      let idle = try await RawConnection.open(port: server.port)
      #expect(try await idle.request("GET", "/healthz")?.status == 200)
      await server.shutdown()
      #expect(await !silent.readMore())
      #expect(await !idle.readMore())
    }
  }

  @Test(arguments: [
    "\r\n\r\n", "NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n",
    "GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 40_000))\r\n\r\n",
    "GET / HTTP/1.1\r\n\(String(repeating: "X: y\r\n", count: 200))\r\n",
  ])
  func whatIsNotHTTPIsAnsweredWith400OrClosed(text: String) async throws {
    try await withServer { server in
      let connection = try await RawConnection.open(port: server.port)
      try await connection.send(text)
      let answer = text == "\r\n\r\n" ? nil : await connection.answer(to: "GET")
      #expect(answer == nil || answer?.status == 400)
      await connection.close()
      #expect(try await server.send("GET", "/healthz").status == 200)
    }
  }

  @Test func aThousandMalformedRequestsDoNotStopTheService() async throws {
    try await withServer { server in
      var random = RandomSource.seeded(5)
      let valid = Array(
        "POST /whip/inc-1?token=a.b.c HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0"
          .utf8)
      for _ in 0..<1000 {
        var bytes = valid
        for _ in 0...Int(random.next() % 4) {
          bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        bytes.removeLast(Int(random.next() % 8))
        let connection = try await RawConnection.open(port: server.port)
        try? await connection.send(bytes)
        await connection.close()
      }
      #expect(try await server.send("GET", "/healthz").status == 200)
      let answer = try await server.send(
        "POST", "/whip/inc-1", [server.bearer(), ("Content-Type", "application/sdp")], body: "v=0")
      #expect(answer.status == 201)
    }
  }
}
