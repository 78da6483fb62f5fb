import Primitives
import RTP
import Testing

@Suite struct RTXTests {
  /// Marker, payload type 96, number 0x1234, a one-byte extension, 3 bytes of payload.
  private static let original = "90e0 1234 00010203 cafebabe bede0001 10aa0000 112233"
  private static let wrapped = "90e1 0007 00010203 00000099 bede0001 10aa0000 1234 112233"

  private func wrap(_ packet: [UInt8], capacity: Int) throws -> [UInt8] {
    var destination = [UInt8](repeating: 0xee, count: capacity)
    let length = try withBytes(packet) { source in
      let header = try RTPHeader(parsing: source)
      return destination.withUnsafeMutableBytes { target in
        RTX.wrap(
          source, header: header, ssrc: SSRC(0x99), payloadType: PayloadType(97), sequenceNumber: SequenceNumber(7),
          into: target)
      }
    }
    return Array(destination.prefix(length))
  }

  private func unwrap(_ packet: [UInt8]) throws -> (RTX.Unwrapped?, [UInt8]) {
    var bytes = packet
    let unwrapped = try bytes.withUnsafeMutableBytes { memory in
      let header = try RTPHeader(parsing: UnsafeRawBufferPointer(memory))
      return RTX.unwrap(memory, header: header, ssrc: SSRC(0xcafe_babe), payloadType: PayloadType(96))
    }
    return (unwrapped, bytes)
  }

  @Test func retransmissionCarriesTheOriginalNumber() throws {
    #expect(try wrap(try hex(Self.original), capacity: 100) == (try hex(Self.wrapped)))
  }

  @Test func paddingIsLeftOut() throws {
    let padded = try hex("b0e0 1234 00010203 cafebabe bede0001 10aa0000 112233 000003")
    #expect(try wrap(padded, capacity: 100) == (try hex(Self.wrapped)))
  }

  @Test func shortDestinationIsRefused() throws {
    #expect(try wrap(try hex(Self.original), capacity: 24).isEmpty)
    #expect(try wrap(try hex(Self.original), capacity: 25).count == 25)
  }

  @Test func originalIsRestoredInPlace() throws {
    let (result, bytes) = try unwrap(try hex(Self.wrapped))
    let unwrapped = try #require(result)
    #expect(unwrapped.originalSequenceNumber == SequenceNumber(0x1234))
    #expect(unwrapped.packetStart == 2)
    #expect(unwrapped.payloadStart == 22)
    #expect(unwrapped.payloadLength == 3)
    #expect(Array(bytes[2..<(2 + unwrapped.packetLength)]) == (try hex(Self.original)))
  }

  @Test func paddingBehindARetransmissionIsDropped() throws {
    let (result, bytes) = try unwrap(
      try hex("b0e1 0007 00010203 00000099 bede0001 10aa0000 1234 112233 000003"))
    let unwrapped = try #require(result)
    #expect(Array(bytes[2..<(2 + unwrapped.packetLength)]) == (try hex(Self.original)))
  }

  @Test(arguments: [
    "8061 0007 00010203 00000099", "8061 0007 00010203 00000099 12", "a061 0007 00010203 00000099 0002",
  ])
  func probeWithoutAnOriginalIsNoRetransmission(text: String) throws {
    #expect(try unwrap(try hex(text)).0 == nil)
  }
}
