import DataChannel
import Primitives
import Testing

/// A common header from port 5000 to port 5000 with this tag, and a checksum that nobody looks at.
private func packet(tag: UInt32 = 1, ports: (UInt16, UInt16) = (5000, 5000), _ chunks: [UInt8]...) -> [UInt8] {
  var writer = ByteWriter()
  writer.write(ports.0)
  writer.write(ports.1)
  writer.write(tag)
  writer.write(UInt32(0))
  for chunk in chunks { writer.write(chunk) }
  return writer.bytes
}

/// A chunk with its true length, unless told another, padded to four bytes.
private func chunk(_ type: UInt8, _ body: [UInt8], length: UInt16? = nil) -> [UInt8] {
  var writer = ByteWriter()
  writer.write(type)
  writer.write(UInt8(0))
  writer.write(length ?? UInt16(body.count + 4))
  writer.write(body)
  writer.pad(to: 4)
  return writer.bytes
}

private func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

private let data = chunk(0, bytes(13))
private let cookieEcho = chunk(10, bytes(16))
private let initiation = chunk(1, bytes(16))

@Suite struct PacketValidatorTests {
  typealias Rejection = SCTPPacketValidator.Rejection

  private func validate(_ packet: [UInt8]) throws(Rejection) {
    let result: Result<Void, Rejection> = packet.withUnsafeBytes { bytes in
      do throws(Rejection) {
        return .success(try SCTPPacketValidator(localPort: 5000, remotePort: 5000).validate(bytes))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  static let good: [[UInt8]] = [
    packet(tag: 0, initiation), packet(tag: 0, chunk(1, bytes(16) + [0xc0, 0, 0, 4, 0x80, 8, 0, 6, 0xc0, 0x82])),
    packet(chunk(2, bytes(16) + [0, 7, 0, 6, 1, 2, 0, 0])), packet(cookieEcho, data), packet(data, data),
    packet(Array(data.dropLast(3))), packet(chunk(3, bytes(12))),
    packet(chunk(3, bytes(8) + [0, 1, 0, 1] + bytes(8))), packet(chunk(4, [0, 1, 0, 8] + bytes(4))),
    packet(chunk(6, [])), packet(chunk(14, [])), packet(chunk(0x82, [0, 16, 0, 12] + bytes(8))),
    packet(chunk(0xc0, bytes(4))), packet(data, chunk(0xbf, bytes(2))),
  ]

  @Test("a well-formed packet passes", arguments: good)
  func accepts(packet: [UInt8]) {
    #expect(throws: Never.self) { try validate(packet) }
  }

  static let bad: [([UInt8], Rejection)] = [
    ([], .tooShort), (bytes(11), .tooShort), (packet(), .noChunk), (packet(bytes(16_384)), .tooLong),
    (packet(ports: (5001, 5000), data), .wrongPort), (packet(ports: (5000, 0), data), .wrongPort),
    (packet([0, 0, 0]), .badChunkLength(type: 0)), (packet(chunk(0, bytes(13), length: 3)), .badChunkLength(type: 0)),
    (packet(chunk(0, bytes(13), length: 0)), .badChunkLength(type: 0)),
    (packet(chunk(0, bytes(13), length: 200)), .badChunkLength(type: 0)),
    (packet(chunk(0, bytes(12))), .badChunkLength(type: 0)), (packet(chunk(3, bytes(8))), .badChunkLength(type: 3)),
    (packet(chunk(3, bytes(8) + [0, 1, 0, 0])), .badChunkLength(type: 3)),
    (packet(chunk(3, bytes(8) + [0xff, 0xff, 0xff, 0xff])), .badChunkLength(type: 3)),
    (packet(tag: 0, chunk(1, bytes(15))), .badChunkLength(type: 1)),
    (packet(tag: 0, chunk(1, bytes(16) + [0xc0, 0, 0, 3])), .badParameterLength(type: 1)),
    (packet(tag: 0, chunk(1, bytes(16) + [0xc0, 0, 0, 9, 0])), .badParameterLength(type: 1)),
    (packet(chunk(0x82, [0, 13, 0xff, 0xff])), .badParameterLength(type: 0x82)),
    (packet(tag: 0, chunk(1, bytes(16) + [0, 5, 0, 8, 10, 0, 0, 1])), .addressParameter(type: 5)),
    (packet(chunk(2, bytes(16) + [0, 6, 0, 20] + bytes(16))), .addressParameter(type: 6)),
    (packet(tag: 1, initiation), .misplacedChunk(type: 1)), (packet(tag: 0, data), .misplacedChunk(type: 0)),
    (packet(tag: 0, initiation, initiation), .misplacedChunk(type: 1)),
    (packet(data, chunk(14, [])), .misplacedChunk(type: 0)),
    (packet(chunk(0xc1, bytes(8))), .unsupportedChunk(type: 0xc1)),
    (packet(data, chunk(0x0f, bytes(8))), .unsupportedChunk(type: 0x0f)),
    (packet([UInt8](repeatElement([0x84, 0, 0, 4], count: 513).joined())), .tooManyChunks),
  ]

  @Test("a malformed packet is refused with its reason", arguments: bad)
  func refuses(packet: [UInt8], reason: Rejection) {
    #expect(throws: reason) { try validate(packet) }
  }

  @Test func `random bytes never trap`() {
    var random = RandomSource.seeded(4)
    for _ in 0..<20_000 { try? validate(random.bytes(Int(random.next() % 80))) }
  }
}
