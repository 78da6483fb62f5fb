import COpenSSL
import Cryptography
import Foundation
import Glibc
import Synchronization

/// A TCP server on this machine, a thread a connection, for the other end of a test.
final class LocalServer: Sendable {
  let port: Int
  private let descriptor: Int32
  private let open = Mutex<Set<Int32>>([])

  /// `serve` runs on a thread of its own for each connection, which is closed when it returns.
  init(_ serve: @escaping @Sendable (LocalConnection) -> Void) throws {
    // OpenSSL writes without MSG_NOSIGNAL.
    signal(SIGPIPE, SIG_IGN)
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) + listen(descriptor, 256) + getsockname(descriptor, address, &length)
      }
    }
    guard status == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: address.sin_port))
    self.descriptor = descriptor
    // Keeps the server: its last mention in a test is often before its last use.
    Thread {
      while true {
        let peer = accept(descriptor, nil, nil)
        guard peer >= 0 else { return }
        self.open.withLock { _ = $0.insert(peer) }
        Thread {
          serve(LocalConnection(peer))
          self.open.withLock { _ = $0.remove(peer) }
          close(peer)
        }.start()
      }
    }.start()
  }

  /// Ends all reads, and with them the threads.
  func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    open.withLock { peers in
      for peer in peers { shutdown(peer, Int32(SHUT_RDWR)) }
    }
  }
}

/// One connection, blocking, plain at first.
final class LocalConnection {
  private let descriptor: Int32
  private var tls: OpaquePointer?
  private var buffer: [UInt8] = []

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit {
    SSL_free(tls)
  }

  /// Goes on with TLS; false when the other end does not.
  func startTLS(_ certificate: SelfSignedCertificate) -> Bool {
    let context = SSL_CTX_new(TLS_server_method())
    defer { SSL_CTX_free(context) }
    let (certificateBIO, keyBIO) = (Self.bio(certificate.certificate), Self.bio(certificate.privateKey))
    let x509 = PEM_read_bio_X509(certificateBIO, nil, nil, nil)
    let key = PEM_read_bio_PrivateKey(keyBIO, nil, nil, nil)
    defer {
      X509_free(x509)
      EVP_PKEY_free(key)
      BIO_free(certificateBIO)
      BIO_free(keyBIO)
    }
    SSL_CTX_use_certificate(context, x509)
    SSL_CTX_use_PrivateKey(context, key)
    tls = SSL_new(context)
    SSL_set_fd(tls, descriptor)
    return SSL_accept(tls) == 1
  }

  func write(_ text: String) {
    let bytes = Array(text.utf8)
    if let tls {
      SSL_write(tls, bytes, Int32(bytes.count))
    } else {
      _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// A line without its end; nil when the other end has closed.
  func readLine() -> String? {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = buffer[..<end].filter { $0 != UInt8(ascii: "\r") }
        buffer.removeFirst(end + 1)
        return String(decoding: line, as: UTF8.self)
      }
      guard fill() else { return nil }
    }
  }

  func read(_ count: Int) -> [UInt8]? {
    while buffer.count < count {
      guard fill() else { return nil }
    }
    defer { buffer.removeFirst(count) }
    return Array(buffer.prefix(count))
  }

  /// Returns when the other end has closed.
  func waitForEnd() {
    while fill() {}
  }

  private func fill() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 16_384)
    let count = tls.map { Int(SSL_read($0, &chunk, Int32(chunk.count))) } ?? recv(descriptor, &chunk, chunk.count, 0)
    guard count > 0 else { return false }
    buffer += chunk.prefix(count)
    return true
  }

  private static func bio(_ text: String) -> OpaquePointer? {
    let bio = BIO_new(BIO_s_mem())
    let bytes = Array(text.utf8)
    BIO_write(bio, bytes, Int32(bytes.count))
    return bio
  }
}

/// One request as an HTTP server sees it.
struct SeenRequest: Sendable {
  var line = ""
  var headers: [String: String] = [:]
  var body: [UInt8] = []
}

extension LocalConnection {
  /// Nil when the other end has closed, or speaks no HTTP.
  func readRequest() -> SeenRequest? {
    guard let first = readLine() else { return nil }
    var request = SeenRequest(line: first)
    while let line = readLine(), !line.isEmpty {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      request.headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
        in: .whitespaces)
    }
    guard let body = read(request.headers["content-length"].flatMap { Int($0) } ?? 0) else { return nil }
    request.body = body
    return request
  }

  func respond(_ status: String, headers: [String] = [], body: String = "") {
    let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
    write(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }
}
