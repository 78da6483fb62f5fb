import COpenSSL
import Primitives

/// The two ends of a connection's datagrams, behind an OpenSSL BIO: one write is one datagram, a read takes whole records.
///
/// It also holds what OpenSSL's callbacks tell us during a call: the verdict on the certificate and the timer's restarts.
/// OpenSSL holds it unretained; the ``DTLSTransport`` that owns both lives longer than its `SSL`.
final class DatagramPipe {
  let expectedPeer: DTLSFingerprint
  /// What the peer's certificate turned out to be; nil until it has come.
  var receivedFingerprint: DTLSFingerprint?
  var timer = RetransmissionTimer()

  /// Bytes of a protected record's body at least, by the cipher that was negotiated.
  var shortestProtectedBody = DTLSRecordRuns.shortestGCMBody

  private var outgoing: [[UInt8]] = []
  private var incoming: DTLSRecordRuns?

  init(expectedPeer: DTLSFingerprint) {
    self.expectedPeer = expectedPeer
  }

  func nextDatagram() -> [UInt8]? {
    outgoing.isEmpty ? nil : outgoing.removeFirst()
  }

  /// Lets OpenSSL read `datagram` while `body` runs.
  func withIncoming(_ datagram: UnsafeRawBufferPointer, _ body: () -> Void) {
    incoming = DTLSRecordRuns(datagram, shortestProtectedBody: shortestProtectedBody)
    body()
    incoming = nil
  }

  /// A full queue drops the datagram, as a full socket buffer would: handshake flights and SCTP both repeat themselves.
  fileprivate func write(_ datagram: UnsafeRawBufferPointer) {
    guard outgoing.count < DTLSTransport.maximumQueuedDatagrams else { return }
    outgoing.append(Array(datagram))
  }

  fileprivate func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    guard let run = incoming?.next(limit: buffer.count) else { return nil }
    buffer.copyMemory(from: run)
    return run.count
  }

  /// A new BIO on this pipe, for `SSL_set_bio` to take over; nil when OpenSSL is out of memory.
  func makeBIO() -> OpaquePointer? {
    guard let method = Self.method, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    return bio
  }

  // Written once, before its first use, and only read by OpenSSL: safe from any thread.
  private nonisolated(unsafe) static let method: OpaquePointer? = makeMethod()

  private static func makeMethod() -> OpaquePointer? {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram pipe") else { return nil }
    BIO_meth_set_create(method) { bio in
      BIO_set_init(bio, 1)
      return 1
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      guard let pipe = DatagramPipe.of(bio) else { return -1 }
      pipe.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    BIO_meth_set_read(method) { bio, buffer, capacity in
      BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
      let buffer = UnsafeMutableRawBufferPointer(start: buffer, count: Int(capacity))
      guard let pipe = DatagramPipe.of(bio), let count = pipe.read(into: buffer) else {
        BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
        return -1
      }
      return Int32(count)
    }
    BIO_meth_set_ctrl(method) { bio, command, _, pointer in
      switch command {
      case BIO_CTRL_FLUSH:
        return 1
      case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        DatagramPipe.of(bio)?.timer.noteStorage(pointer)
        return 1
      default:
        return 0
      }
    }
    return method
  }

  private static func of(_ bio: OpaquePointer?) -> DatagramPipe? {
    guard let data = BIO_get_data(bio) else { return nil }
    return Unmanaged<DatagramPipe>.fromOpaque(data).takeUnretainedValue()
  }
}

extension DatagramPipe {
  /// Binds the pipe to `ssl`, so that the callbacks find it.
  func attach(to ssl: OpaquePointer) -> Bool {
    guard SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque()) == 1 else { return false }
    DTLS_set_timer_cb(ssl) { ssl, current in
      DatagramPipe.of(ssl: ssl)?.timer.durationForOpenSSL(current: current) ?? RetransmissionTimer.never
    }
    return true
  }

  /// The pipe that was attached to `ssl`.
  static func of(ssl: OpaquePointer?) -> DatagramPipe? {
    guard let data = SSL_get_ex_data(ssl, 0) else { return nil }
    return Unmanaged<DatagramPipe>.fromOpaque(data).takeUnretainedValue()
  }
}
