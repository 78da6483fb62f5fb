import Cryptography
import Foundation
import Outgoing
import Primitives
import Synchronization
import Testing

@Suite("HTTP caller")
struct HTTPCallerTests {
  @Test("a request arrives as it was made, and its answer comes back")
  func sends() async throws {
    let (seen, see) = AsyncStream<SeenRequest>.makeStream()
    let server = try LocalServer { connection in
      while let request = connection.readRequest() {
        see.yield(request)
        connection.respond("201 Created", headers: ["X-Answer: yes", "Retry-After:  7 "], body: "done")
      }
    }
    let caller = HTTPCaller()
    let body = Array("{\"a\":\0}".utf8)
    for method in ["POST", "PUT", "DELETE"] {
      let request = try OutgoingRequest(
        method: method, url: "http://127.0.0.1:\(server.port)/a/b?c=d",
        headers: [.init("Content-Type", "application/json"), .init("X-Empty", "")], body: body)
      let response = try await caller.send(request)
      #expect(response.status == 201)
      #expect(response.header("x-answer") == "yes")
      #expect(response.header("Retry-After") == "7")
      #expect(response.body == Array("done".utf8))
      var received = seen.makeAsyncIterator()
      let arrived = try #require(await received.next())
      #expect(arrived.line == "\(method) /a/b?c=d HTTP/1.1")
      #expect(arrived.body == body)
      #expect(arrived.headers["user-agent"] == "Sightline")
      #expect(arrived.headers["content-type"] == "application/json")
      #expect(arrived.headers["x-empty"] == "")
      #expect(arrived.headers["expect"] == nil)
    }
  }

  @Test("a GET has no body and no invented type")
  func gets() async throws {
    let (seen, see) = AsyncStream<SeenRequest>.makeStream()
    let server = try LocalServer { connection in
      while let request = connection.readRequest() {
        see.yield(request)
        connection.respond("200 OK")
      }
    }
    let response = try await HTTPCaller().send(
      OutgoingRequest(method: "GET", url: "http://127.0.0.1:\(server.port)/"))
    #expect(response.isSuccess)
    var received = seen.makeAsyncIterator()
    let arrived = try #require(await received.next())
    #expect(arrived.line == "GET / HTTP/1.1")
    #expect(arrived.headers["content-type"] == nil)
    #expect(arrived.headers["content-length"] == nil)
  }

  @Test("a redirect is an answer, not a way to go")
  func followsNothing() async throws {
    let server = try LocalServer { connection in
      while connection.readRequest() != nil { connection.respond("302 Found", headers: ["Location: /elsewhere"]) }
    }
    let response = try await HTTPCaller().send(OutgoingRequest(url: "http://127.0.0.1:\(server.port)/"))
    #expect(response.status == 302)
  }

  @Test("an answer that is too long is refused")
  func limitsAnswer() async throws {
    let server = try LocalServer { connection in
      while connection.readRequest() != nil {
        connection.respond("200 OK", body: String(repeating: "x", count: 5_000))
      }
    }
    var limits = TransferLimits()
    limits.answerBytes = 4_999
    let caller = HTTPCaller(limits: limits)
    #expect(
      await code { try await caller.send(OutgoingRequest(url: "http://127.0.0.1:\(server.port)/")) } == .badAnswer)
  }

  @Test("what cannot be reached says so, without the address's path")
  func reportsUnreachable() async throws {
    let server = try LocalServer { _ in }
    let port = server.port
    server.stop()
    let caller = HTTPCaller()
    do throws(OutgoingError) {
      _ = try await caller.send(OutgoingRequest(url: "http://127.0.0.1:\(port)/secret"))
      Issue.record("there was an answer")
    } catch {
      #expect(error.code == .unreachable)
      #expect(!error.text.contains("secret"))
      #expect(error.text.contains("127.0.0.1"))
    }
  }

  @Test("a call ends at its time limit")
  func timesOut() async throws {
    let server = try LocalServer { $0.waitForEnd() }
    let request = try OutgoingRequest(url: "http://127.0.0.1:\(server.port)/", timeLimit: .milliseconds(100))
    #expect(await code { try await HTTPCaller().send(request) } == .timedOut)
  }

  @Test("a cancelled call ends at once")
  func cancels() async throws {
    let hanging = try HangingServer()
    let request = try OutgoingRequest(url: hanging.url, timeLimit: .seconds(600))
    let caller = HTTPCaller()
    let call = Task { await code { try await caller.send(request) } }
    await hanging.waitForRequests(1)
    call.cancel()
    #expect(await call.value == .cancelled)
  }

  @Test("a call of a cancelled task never leaves")
  func cancelsBefore() async throws {
    let hanging = try HangingServer()
    let request = try OutgoingRequest(url: hanging.url, timeLimit: .seconds(600))
    let caller = HTTPCaller()
    let call = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await code { try await caller.send(request) }
    }
    #expect(await call.value == .cancelled)
  }

  @Test("calls beyond those that may wait are refused, and stopping ends the others")
  func isBounded() async throws {
    let hanging = try HangingServer()
    let request = try OutgoingRequest(url: hanging.url, timeLimit: .seconds(600))
    var limits = TransferLimits()
    limits.callsAtATime = 1
    limits.waitingCalls = 1
    let caller = HTTPCaller(limits: limits)
    let codes = await withTaskGroup(of: OutgoingError.Code?.self) { group in
      group.addTask { await code { try await caller.send(request) } }
      await hanging.waitForRequests(1)
      for _ in 0..<3 { group.addTask { await code { try await caller.send(request) } } }
      var codes = [await group.next() ?? nil, await group.next() ?? nil]
      caller.stop()
      for await code in group { codes.append(code) }
      return codes
    }
    #expect(codes == [.busy, .busy, .stopped, .stopped])
    #expect(await code { try await caller.send(request) } == .stopped)
  }

  @Test("a hundred receivers that hang hold up no other")
  func isolates() async throws {
    let hanging = try HangingServer()
    let server = try LocalServer { connection in
      while connection.readRequest() != nil { connection.respond("200 OK") }
    }
    let caller = HTTPCaller()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          _ = await code { try await caller.send(OutgoingRequest(url: hanging.url, timeLimit: .seconds(600))) }
        }
      }
      await hanging.waitForRequests(100)
      let result = await code { try await caller.send(OutgoingRequest(url: "http://127.0.0.1:\(server.port)/")) }
      #expect(result == nil)
      caller.stop()
    }
  }

  @Test("a certificate counts only when it is trusted and for that name")
  func verifiesCertificates() async throws {
    let certificate = try SelfSignedCertificate(addresses: [])
    let server = try LocalServer { connection in
      guard connection.startTLS(certificate) else { return }
      while connection.readRequest() != nil { connection.respond("200 OK") }
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "outgoing-\(UUID().uuidString).pem")
    try certificate.certificate.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let trusting = HTTPCaller(options: TransferOptions(certificateFile: file.path))
    let named = try OutgoingRequest(url: "https://localhost:\(server.port)/")
    let numbered = try OutgoingRequest(url: "https://127.0.0.1:\(server.port)/")
    #expect(await code { try await HTTPCaller().send(named) } == .insecure)
    #expect(await code { try await trusting.send(named) } == nil)
    #expect(await code { try await trusting.send(numbered) } == .insecure)
  }
}

/// The code of the error that `body` throws; nil when it throws none.
func code(_ body: () async throws -> Any) async -> OutgoingError.Code? {
  do {
    _ = try await body()
    return nil
  } catch {
    return (error as? OutgoingError)?.code
  }
}

/// Takes requests and never answers.
final class HangingServer: Sendable {
  private let server: LocalServer
  private let arrivals: AsyncStream<Void>

  var url: String { "http://127.0.0.1:\(server.port)/" }

  init() throws {
    let (arrivals, arrive) = AsyncStream<Void>.makeStream()
    self.arrivals = arrivals
    server = try LocalServer { connection in
      guard connection.readRequest() != nil else { return }
      arrive.yield()
      connection.waitForEnd()
    }
  }

  func waitForRequests(_ count: Int) async {
    var left = count
    for await _ in arrivals {
      left -= 1
      if left == 0 { return }
    }
  }
}
