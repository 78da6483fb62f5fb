/// Hands a received datagram on in runs of whole records, without those that could only do harm.
///
/// OpenSSL drops most malformed records itself, but an unprotected record of an unknown type, unprotected application data
/// and unprotected warnings make it give up, as does a protected record that is too short to be one; and a datagram longer than its buffer would be cut in the middle of a record.
/// It borrows the datagram's memory.
package struct DTLSRecordRuns {
  private let datagram: UnsafeRawBufferPointer
  private let shortestProtectedBody: Int
  private var offset = 0

  /// Bytes of a protected record's body at least, with AES-GCM: explicit nonce and tag (RFC 5288 §3).
  package static let shortestGCMBody = 24
  /// The same with ChaCha20-Poly1305, whose nonce is implicit (RFC 7905 §2).
  package static let shortestChaChaBody = 16

  /// - Parameter shortestProtectedBody: Shorter protected records of DTLS 1.2 are passed over. The handshake's own protected
  ///   messages are longer than either bound.
  package init(_ datagram: UnsafeRawBufferPointer, shortestProtectedBody: Int = shortestGCMBody) {
    self.datagram = datagram
    self.shortestProtectedBody = shortestProtectedBody
  }

  /// The next run of adjacent acceptable records that is at most `limit` bytes long; nil at the end of the datagram.
  package mutating func next(limit: Int) -> UnsafeRawBufferPointer? {
    var start = offset
    while let record = Record(in: datagram, at: offset, shortestProtectedBody: shortestProtectedBody) {
      let acceptable = record.isAcceptable && record.length <= limit
      let fits = offset + record.length - start <= limit
      if acceptable && fits {
        offset += record.length
      } else if offset > start {
        break
      } else {
        offset += record.length
        start = offset
      }
    }
    guard offset > start else { return nil }
    return UnsafeRawBufferPointer(rebasing: datagram[start..<offset])
  }
}

/// The outside of one record (RFC 6347 §4.1, RFC 9147 §4).
private struct Record {
  static let headerLength = 13
  static let alert: UInt8 = 21
  static let applicationData: UInt8 = 23
  /// change_cipher_spec, alert, handshake, application_data; and ack, which DTLS 1.3 sends without protection at times.
  static let plainTypes: Set<UInt8> = [20, 21, 22, 23, 26]

  /// Whole length in bytes, header included.
  let length: Int
  let isAcceptable: Bool

  /// Nil when no whole record starts at `offset`.
  init?(in datagram: UnsafeRawBufferPointer, at offset: Int, shortestProtectedBody: Int) {
    let rest = UnsafeRawBufferPointer(rebasing: datagram[offset...])
    guard let type = rest.first else { return nil }
    if type & 0b1110_0000 == 0b0010_0000 {
      // DTLS 1.3's unified header: its length may be implicit, so the rest of the datagram stays in one piece.
      length = rest.count
      isAcceptable = true
      return
    }
    guard rest.count >= Self.headerLength else { return nil }
    let bodyLength = Int(rest[11]) << 8 | Int(rest[12])
    guard Self.headerLength + bodyLength <= rest.count else { return nil }
    length = Self.headerLength + bodyLength
    let isProtected = rest[3] != 0 || rest[4] != 0
    let body = UnsafeRawBufferPointer(rebasing: rest[Self.headerLength..<length])
    isAcceptable =
      rest[1] == 0xfe && Self.plainTypes.contains(type) && bodyLength > 0
      && (isProtected ? bodyLength >= shortestProtectedBody : Self.isPlausibleUnprotected(type: type, body: body))
  }

  /// Before keys exist only fatal alerts and handshake messages mean anything; anyone could have sent the rest.
  private static func isPlausibleUnprotected(type: UInt8, body: UnsafeRawBufferPointer) -> Bool {
    switch type {
    case alert: body.count == 2 && body[0] == 2
    case applicationData: false
    default: true
    }
  }
}
