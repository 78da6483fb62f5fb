import Primitives

/// Checks the shape of an SCTP packet before the SCTP library, which is written in C, sees it (RFC 9260 §3).
///
/// It checks what can be checked without state: the common header, the lengths of chunks and of the parameters within
/// them, and that no chunk belongs to an extension that we never negotiate. Tags, checksum and sequence are the
/// library's.
package struct SCTPPacketValidator: Sendable {
  /// Why a packet is refused.
  package enum Rejection: Error, Hashable, Sendable {
    case tooShort
    case tooLong
    case wrongPort
    case noChunk
    case badChunkLength(type: UInt8)
    case badParameterLength(type: UInt8)
    /// The chunk does not go with the verification tag, or with the other chunks.
    case misplacedChunk(type: UInt8)
    /// The chunk belongs to an extension that is off here.
    case unsupportedChunk(type: UInt8)
    /// A parameter names an address, which WebRTC forbids (RFC 8261 §6.1).
    case addressParameter(type: UInt16)
    case tooManyChunks
  }

  /// Chunks in a packet; the smallest has 4 bytes, so that an honest packet stays far below.
  package static let maximumChunks = 512

  private let localPort: UInt16
  private let remotePort: UInt16

  package init(localPort: UInt16, remotePort: UInt16) {
    self.localPort = localPort
    self.remotePort = remotePort
  }

  /// Throws the first reason why the packet must not reach the library.
  package func validate(_ packet: UnsafeRawBufferPointer) throws(Rejection) {
    guard packet.count <= DataChannelLimits.maximumReceivedPacketSize else { throw .tooLong }
    var reader = ByteReader(packet)
    guard let source = try? reader.readUInt16(), let destination = try? reader.readUInt16(),
      let tag = try? reader.readUInt32(), (try? reader.readUInt32()) != nil
    else { throw .tooShort }
    guard source == remotePort, destination == localPort else { throw .wrongPort }
    guard !reader.isAtEnd else { throw .noChunk }
    var count = 0
    while !reader.isAtEnd {
      count += 1
      guard count <= Self.maximumChunks else { throw .tooManyChunks }
      let isOnly = try validateChunk(from: &reader, tag: tag)
      guard !isOnly || count == 1 && reader.isAtEnd else { throw .misplacedChunk(type: packet[12]) }
    }
  }

  /// Checks the chunk at the reader and skips it with its padding; true when it must be alone in its packet.
  private func validateChunk(from reader: inout ByteReader, tag: UInt32) throws(Rejection) -> Bool {
    guard let type = try? reader.readUInt8(), (try? reader.readUInt8()) != nil, let length = try? reader.readUInt16(),
      length >= 4, let body = try? reader.readSlice(Int(length) - 4)
    else { throw .badChunkLength(type: 0) }
    // The last chunk's padding may be missing: the library tolerates that, and some senders leave it out.
    let padding = min((4 - Int(length) % 4) % 4, reader.remaining)
    guard (try? reader.skip(padding)) != nil else { throw .badChunkLength(type: type) }
    guard let shape = ChunkShape(type: type) else {
      guard !ChunkShape.unsupported.contains(type) else { throw .unsupportedChunk(type: type) }
      return false
    }
    guard Int(length) >= shape.minimumLength, Self.holdsItsBlocks(type, body) else {
      throw .badChunkLength(type: type)
    }
    guard (tag == 0) == (type == ChunkShape.initiation) else { throw .misplacedChunk(type: type) }
    if let offset = shape.parameterOffset {
      try Self.validateParameters(UnsafeRawBufferPointer(rebasing: body[(offset - 4)...]), of: type)
    }
    return shape.isAlone
  }

  /// Whether a SACK is as long as its counts of gap blocks and duplicates say (RFC 9260 §3.3.4); true for other types.
  private static func holdsItsBlocks(_ type: UInt8, _ body: UnsafeRawBufferPointer) -> Bool {
    guard type == ChunkShape.selectiveAcknowledgement else { return true }
    var reader = ByteReader(body)
    guard (try? reader.skip(8)) != nil, let gaps = try? reader.readUInt16(), let duplicates = try? reader.readUInt16()
    else { return false }
    return reader.remaining >= 4 * (Int(gaps) + Int(duplicates))
  }

  private static func validateParameters(_ bytes: UnsafeRawBufferPointer, of chunk: UInt8) throws(Rejection) {
    var reader = ByteReader(bytes)
    while !reader.isAtEnd {
      guard let type = try? reader.readUInt16(), let length = try? reader.readUInt16(), length >= 4,
        (try? reader.skip(Int(length) - 4)) != nil,
        (try? reader.skip(min((4 - Int(length) % 4) % 4, reader.remaining))) != nil
      else { throw .badParameterLength(type: chunk) }
      let isInitiation = chunk == ChunkShape.initiation || chunk == ChunkShape.initiationAcknowledgement
      if isInitiation, ChunkShape.addressParameters.contains(type) { throw .addressParameter(type: type) }
    }
  }
}

/// What is fixed about a chunk type's layout.
private struct ChunkShape {
  /// Bytes with the chunk header.
  let minimumLength: Int
  /// Where type-length-value parameters (or error causes) begin, from the chunk's start; nil when there are none.
  let parameterOffset: Int?
  /// Whether the chunk may not be bundled (RFC 9260 §6.10).
  let isAlone: Bool

  static let initiation: UInt8 = 1
  static let initiationAcknowledgement: UInt8 = 2
  static let selectiveAcknowledgement: UInt8 = 3
  /// NR-SACK, ECN, AUTH, I-DATA, ASCONF, packet drop, I-FORWARD-TSN: never negotiated here.
  static let unsupported: Set<UInt8> = [0x0c, 0x0d, 0x0f, 0x10, 0x40, 0x80, 0x81, 0xc1, 0xc2]
  /// IPv4, IPv6 and host name address.
  static let addressParameters: Set<UInt16> = [5, 6, 11]

  /// Nil for a type outside RFC 9260, RFC 3758, RFC 4820 and RFC 6525.
  init?(type: UInt8) {
    switch type {
    case 0x00: self.init(17)  // DATA carries a byte at least
    case Self.initiation: self.init(20, parameters: 20, isAlone: true)
    case Self.initiationAcknowledgement: self.init(20, parameters: 20, isAlone: true)
    case Self.selectiveAcknowledgement: self.init(16)
    case 0x04, 0x05: self.init(8, parameters: 4)  // HEARTBEAT and its acknowledgement
    case 0x06, 0x09: self.init(4, parameters: 4)  // ABORT, ERROR
    case 0x07: self.init(8)  // SHUTDOWN
    case 0x08, 0x0b: self.init(4)  // SHUTDOWN ACK, COOKIE ACK
    case 0x0a: self.init(8)  // COOKIE ECHO
    case 0x0e: self.init(4, isAlone: true)  // SHUTDOWN COMPLETE
    case 0x82: self.init(8, parameters: 4)  // RE-CONFIG
    case 0x84: self.init(4)  // PAD
    case 0xc0: self.init(8)  // FORWARD TSN
    default: return nil
    }
  }

  private init(_ minimumLength: Int, parameters: Int? = nil, isAlone: Bool = false) {
    self.minimumLength = minimumLength
    parameterOffset = parameters
    self.isAlone = isAlone
  }
}
