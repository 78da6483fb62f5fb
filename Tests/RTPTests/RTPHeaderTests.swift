import Primitives
import RTP
import Testing

@Suite struct RTPHeaderTests {
  /// Marker, payload type 96, one contributing source, a one-byte extension of 4 bytes, 3 bytes of payload, 2 of padding.
  private static let full =
    "b1e0 1234 00010203 cafebabe 0a0b0c0d bede0001 10aa0000 112233 0002"

  @Test func everyFieldIsFoundInItsPlace() throws {
    let header = try withBytes(try hex(Self.full)) { bytes in try RTPHeader(parsing: bytes) }
    #expect(header.marker)
    #expect(header.payloadType == PayloadType(96))
    #expect(header.sequenceNumber == SequenceNumber(0x1234))
    #expect(header.timestamp == 0x0001_0203)
    #expect(header.ssrc == SSRC(0xcafe_babe))
    #expect(header.csrcCount == 1)
    #expect(header.extensionProfile == 0xbede)
    #expect(header.extensionOffset == 20)
    #expect(header.extensionLength == 4)
    #expect(header.headerLength == 24)
    #expect(header.payloadLength == 3)
    #expect(header.paddingLength == 2)
  }

  @Test func payloadOfAProtectedPacketReachesToItsEnd() throws {
    let header = try withBytes(try hex(Self.full)) { bytes in
      try RTPHeader(parsingProtected: bytes)
    }
    #expect(header.payloadLength == 5)
    #expect(header.paddingLength == 0)
  }

  @Test(arguments: [
    ("", RTPError.truncated),
    ("8060 0001 00000000 000000", .truncated),
    ("4060 0001 00000000 00000001", .unsupportedVersion),
    ("8160 0001 00000000 00000001", .truncated),
    ("9060 0001 00000000 00000001 bede", .truncated),
    ("9060 0001 00000000 00000001 bede0001 1000", .truncated),
    ("a060 0001 00000000 00000001", .invalidPadding),
    ("a060 0001 00000000 00000001 00", .invalidPadding),
    ("a060 0001 00000000 00000001 0003", .invalidPadding),
  ])
  func brokenPacketIsRefused(text: String, error: RTPError) throws {
    let bytes = try hex(text)
    #expect(throws: error) { try withBytes(bytes) { bytes in try RTPHeader(parsing: bytes) } }
  }

  @Test func packetOfPaddingOnlyHasNoPayload() throws {
    let bytes = try hex("a060 0001 00000000 00000001 000003")
    let header = try withBytes(bytes) { bytes in try RTPHeader(parsing: bytes) }
    #expect(header.payloadLength == 0)
    #expect(header.paddingLength == 3)
  }

  @Test func writtenHeaderIsParsedBack() throws {
    var packet = [UInt8](repeating: 0, count: 13)
    packet.withUnsafeMutableBytes { memory in
      guard let base = memory.baseAddress else { return }
      RTPHeader.write(
        to: base, marker: true, payloadType: PayloadType(111), sequenceNumber: SequenceNumber(0xfffe),
        timestamp: 0x8000_0001, ssrc: SSRC(77))
    }
    let header = try withBytes(packet) { bytes in try RTPHeader(parsing: bytes) }
    #expect(header.marker)
    #expect(header.payloadType == PayloadType(111))
    #expect(header.sequenceNumber == SequenceNumber(0xfffe))
    #expect(header.timestamp == 0x8000_0001)
    #expect(header.ssrc == SSRC(77))
    #expect(header.payloadLength == 1)
  }

  @Test(arguments: [
    ("8060", RTPPacketFamily.rtp), ("80c8", .rtcp), ("80c0", .rtcp), ("80df", .rtcp), ("80e0", .rtp), ("80bf", .rtp),
  ])
  func familyFollowsTheSecondByte(text: String, family: RTPPacketFamily) throws {
    #expect(withBytes(try hex(text)) { RTPPacketFamily(of: $0) } == family)
  }

  @Test(arguments: ["", "80", "0001", "c0c8"])
  func otherDatagramsHaveNoFamily(text: String) throws {
    #expect(withBytes(try hex(text)) { RTPPacketFamily(of: $0) } == nil)
  }

  @Test func damagedPacketsNeverTrapAndNeverReachOutside() throws {
    for bytes in mutations(of: try hex(Self.full), count: 20_000, seed: 1) {
      withBytes(bytes) { packet in
        guard let base = packet.baseAddress, let header = try? RTPHeader(parsing: packet) else { return }
        #expect(header.headerLength + header.payloadLength + header.paddingLength == packet.count)
        for element in RTPExtensions(of: header, in: base) {
          guard let start = element.value.baseAddress else { continue }
          #expect(start + element.value.count <= base + packet.count)
        }
      }
    }
  }
}
