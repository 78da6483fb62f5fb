import Foundation
import Primitives
import Testing

import DTLS

/// Handshakes with the `openssl` command over loopback UDP: another driver of DTLS, an RSA certificate, and its own export.
@Suite(.serialized) struct OpenSSLCommandTests {
  @Test(arguments: [
    (DTLSSRTPProfile.aeadAES128GCM, 56), (.aeadAES256GCM, 88), (.aes128CMHMACSHA1_80, 60), (.aes128CMHMACSHA1_32, 60),
  ])
  func openSSLAsClient(profile: DTLSSRTPProfile, materialLength: Int) throws {
    let files = try PeerFiles()
    let socket = try LoopbackSocket()
    let transport = DTLSTransport(identity: try DTLSIdentity(), role: .server, expectedPeer: try files.fingerprint())
    let command = try OpenSSLCommand(
      ["s_client", "-dtls1_2", "-connect", "127.0.0.1:\(socket.port)"] + files.options
        + exportOptions(profile, materialLength))
    defer { command.stop() }

    socket.drive(transport) { transport.state.isConnected && command.output.contains("Keying material: ") }
    #expect(command.exportedMaterial == material(of: transport.state))

    command.type("one line\n")
    socket.drive(transport) { transport.hasApplicationData }
    #expect(transport.drainMessages() == [Array("one line\n".utf8)])
    transport.sendApplicationData(Array("an answer\n".utf8))
    socket.drive(transport) { command.output.contains("an answer") }
    #expect(command.output.contains("an answer"))

    command.type("Q\n")
    socket.drive(transport) { transport.state.isTerminal }
    #expect(transport.state == .closed)
  }

  @Test func openSSLAsServer() throws {
    let files = try PeerFiles()
    let port = try LoopbackSocket().port
    let command = try OpenSSLCommand(
      ["s_server", "-dtls1_2", "-accept", "127.0.0.1:\(port)", "-Verify", "1"] + files.options
        + exportOptions(.aes128CMHMACSHA1_80, 60))
    defer { command.stop() }
    let socket = try LoopbackSocket(connectedTo: port)
    let transport = DTLSTransport(identity: try DTLSIdentity(), role: .client, expectedPeer: try files.fingerprint())
    transport.start(now: socket.now)
    // The first flights are lost while the command is still starting: repetition gets through.
    socket.drive(transport) { transport.state.isConnected && command.output.contains("Keying material: ") }
    #expect(command.exportedMaterial == material(of: transport.state))
    transport.close()
    socket.flush(transport)
    #expect(transport.state == .closed)
  }

  private func exportOptions(_ profile: DTLSSRTPProfile, _ length: Int) -> [String] {
    ["-use_srtp", profile.openSSLName, "-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "\(length)"]
  }

  private func material(of state: DTLSState) -> String? {
    guard case .connected(let keys) = state else { return nil }
    return Hex.encode(keys.clientWriteKey + keys.serverWriteKey + keys.clientSalt + keys.serverSalt)
  }
}

/// An RSA key and a self-signed certificate, made by the `openssl` command in a folder of their own.
private final class PeerFiles {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dtls-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    _ = try OpenSSLCommand.run([
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=peer", "-keyout", path("key.pem"), "-out",
      path("certificate.pem"),
    ])
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  var options: [String] { ["-cert", path("certificate.pem"), "-key", path("key.pem")] }

  func fingerprint() throws -> DTLSFingerprint {
    let text = try OpenSSLCommand.run(["x509", "-in", path("certificate.pem"), "-noout", "-fingerprint", "-sha256"])
    let value = try #require(text.split(separator: "=").last).trimmingCharacters(in: .whitespacesAndNewlines)
    return try DTLSFingerprint(hashFunction: "sha-256", value: value)
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
}

/// A run of the `openssl` command, with its output in a file.
private final class OpenSSLCommand {
  private let process = Process()
  private let input = Pipe()
  private let outputFile = FileManager.default.temporaryDirectory.appendingPathComponent("openssl-\(UUID().uuidString)")

  init(_ arguments: [String]) throws {
    try Data().write(to: outputFile)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.standardInput = input
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  static func run(_ arguments: [String]) throws -> String {
    let command = try OpenSSLCommand(arguments)
    command.process.waitUntilExit()
    try #require(command.process.terminationStatus == 0, "openssl \(arguments.joined(separator: " "))")
    defer { command.stop() }
    return command.output
  }

  var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }

  /// The keying material that the command prints, in lower-case hexadecimal.
  var exportedMaterial: String? {
    output.split(separator: "\n").first { $0.contains("Keying material: ") }?
      .split(separator: " ").last.map { $0.lowercased() }
  }

  func type(_ text: String) {
    input.fileHandleForWriting.write(Data(text.utf8))
  }

  func stop() {
    // s_server does not end at SIGTERM while it serves a connection.
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: outputFile)
  }
}

/// A UDP socket on 127.0.0.1 that carries one transport's datagrams on the real clock.
private final class LoopbackSocket {
  let port: UInt16
  private let descriptor: Int32
  private var peer: sockaddr_in?
  private static let patience = TimeInterval64.seconds(15)

  init(connectedTo peerPort: UInt16? = nil) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    self.descriptor = descriptor
    var address = Self.address(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = Self.withSocketAddress(&address) { pointer in
      bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
    }
    port = UInt16(bigEndian: address.sin_port)
    peer = peerPort.map(Self.address(port:))
    try #require(isBound)
  }

  deinit {
    close(descriptor)
  }

  var now: MonotonicTime {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  /// Carries datagrams until `isDone` or until patience runs out.
  func drive(_ transport: DTLSTransport, until isDone: () -> Bool) {
    let end = now + Self.patience
    while !isDone(), now < end {
      flush(transport)
      if let datagram = receive() { transport.receive(datagram, now: now) }
      if let deadline = transport.deadline, deadline <= now { transport.handleTimeout(now: now) }
    }
    flush(transport)
  }

  func flush(_ transport: DTLSTransport) {
    for datagram in transport.drainDatagrams() {
      guard var peer else { continue }
      Self.withSocketAddress(&peer) {
        _ = sendto(descriptor, datagram, datagram.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// Waits up to 20 ms for a datagram.
  private func receive() -> [UInt8]? {
    var readiness = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&readiness, 1, 20) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var source = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = Self.withSocketAddress(&source) { recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length) }
    guard count > 0 else { return nil }
    if peer == nil { peer = source }
    return Array(buffer.prefix(count))
  }

  private static func address(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func withSocketAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }
}
