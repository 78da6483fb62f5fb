import Primitives
import RTP
import Testing

@Suite struct RTPExtensionTests {
  /// A packet with the given extension block (profile and length included) and no payload.
  private func packet(_ block: String) throws -> [UInt8] {
    try hex("9060 0001 00000000 00000001" + block)
  }

  private func elements(_ packet: [UInt8]) throws -> [UInt8: [UInt8]] {
    try withBytes(packet) { bytes in
      let header = try RTPHeader(parsing: bytes)
      guard let base = bytes.baseAddress else { return [:] }
      var result: [UInt8: [UInt8]] = [:]
      for element in RTPExtensions(of: header, in: base) { result[element.id] = Array(element.value) }
      return result
    }
  }

  @Test(arguments: [
    // The examples' shapes of RFC 8285 §4.2 and §4.3, padding between elements included.
    ("bede0003 10aa 21bbcc 0000 33ddeeff00", [1: [0xaa], 2: [0xbb, 0xcc], 3: [0xdd, 0xee, 0xff, 0]]),
    ("10000003 0100 0201aa 00 0304bbccddee", [1: [], 2: [0xaa], 3: [0xbb, 0xcc, 0xdd, 0xee]]),
    // Application bits are free.
    ("100f0001 0502aabb", [5: [0xaa, 0xbb]]),
    // Id 15 ends the block, and so does id 0 with a length.
    ("bede0002 10aa f0bb 20cc0000", [1: [0xaa]]),
    ("bede0002 10aa 01bb 20cc0000", [1: [0xaa]]),
    // An element that does not fit ends the block.
    ("bede0001 10aa 23bb", [1: [0xaa]]),
    ("10000001 0101aa 02", [1: [0xaa]]),
    // Another profile has no elements.
    ("abcd0001 10aa20bb", [:]),
  ])
  func elementsAreFound(block: String, expected: [UInt8: [UInt8]]) throws {
    #expect(try elements(try packet(block)) == expected)
  }

  @Test func oneElementIsLookedUp() throws {
    try withBytes(try packet("bede0002 10aa 21bbcc 000000")) { bytes in
      let header = try RTPHeader(parsing: bytes)
      guard let base = bytes.baseAddress else { return }
      #expect(header.extensionValue(id: 2, in: base).map(Array.init) == [0xbb, 0xcc])
      #expect(header.extensionValue(id: 3, in: base) == nil)
      #expect(header.extensionValue(id: 0, in: base) == nil)
    }
  }

  @Test(arguments: [RTPExtensionWriter.Form.oneByte, .twoByte])
  func writtenBlockIsReadBack(form: RTPExtensionWriter.Form) throws {
    var bytes = try hex("9060 0001 00000000 00000001") + [UInt8](repeating: 0xff, count: 64)
    let length = bytes.withUnsafeMutableBytes { memory -> Int in
      guard let base = memory.baseAddress else { return 0 }
      var writer = RTPExtensionWriter(base + 12, capacity: 64, form: form)
      let mid: [UInt8] = Array("video".utf8)
      mid.withUnsafeBytes { _ = writer.append(id: 4, $0) }
      writer.append(id: 3, 0x1234, byteCount: 2)
      writer.append(id: 0, 0x1234, byteCount: 2)
      writer.append(id: 2, 0x0a_bcde, byteCount: 3)
      return writer.finish()
    }
    #expect(length % 4 == 0)
    let expected: [UInt8: [UInt8]] = [4: Array("video".utf8), 3: [0x12, 0x34], 2: [0x0a, 0xbc, 0xde]]
    #expect(try elements(Array(bytes.prefix(12 + length))) == expected)
  }

  @Test func writerRefusesWhatDoesNotFit() {
    var bytes = [UInt8](repeating: 0xff, count: 64)
    bytes.withUnsafeMutableBytes { memory in
      guard let base = memory.baseAddress else { return }
      var small = RTPExtensionWriter(base, capacity: 8)
      let inSmall = [
        small.append(id: 1, 0, byteCount: 4), small.append(id: 1, 0, byteCount: 3),
        small.append(id: 2, 0, byteCount: 1),
      ]
      #expect(inSmall == [false, true, false])
      let smallLength = small.finish()
      #expect(smallLength == 8)
      var oneByte = RTPExtensionWriter(base, capacity: 64)
      let inOneByte = [
        oneByte.append(id: 15, 0, byteCount: 1),
        oneByte.append(id: 1, UnsafeRawBufferPointer(start: base, count: 17)),
        oneByte.append(id: 1, UnsafeRawBufferPointer(start: base, count: 0)),
      ]
      #expect(inOneByte == [false, false, false])
      let oneByteLength = oneByte.finish()
      #expect(oneByteLength == 0)
    }
    #expect(bytes[8...].allSatisfy { $0 == 0xff })
  }

  @Test func fixedSizeValuesAreOverwrittenInPlace() throws {
    var bytes = try packet("bede0002 12000000 31ffff 00")
    try bytes.withUnsafeMutableBytes { memory in
      let header = try RTPHeader(parsing: UnsafeRawBufferPointer(memory))
      guard let base = memory.baseAddress else { return }
      #expect(AbsoluteSendTime.overwrite(id: 1, now: .milliseconds(1_500), header: header, packet: base))
      #expect(TransportSequence.overwrite(id: 3, sequence: SequenceNumber(0xabcd), header: header, packet: base))
      #expect(!TransportSequence.overwrite(id: 1, sequence: SequenceNumber(1), header: header, packet: base))
      #expect(!TransportSequence.overwrite(id: 9, sequence: SequenceNumber(1), header: header, packet: base))
    }
    #expect(bytes == (try packet("bede0002 12060000 31abcd 00")))
  }

  @Test func absoluteSendTimesSubtractAcrossTheWrap() {
    let before = AbsoluteSendTime(MonotonicTime.milliseconds(63_900))
    let after = AbsoluteSendTime(MonotonicTime.milliseconds(64_100))
    let interval = after.interval(since: before)
    #expect(abs(interval.nanoseconds - 200_000_000) < 8_000)
    #expect(abs(before.interval(since: after).nanoseconds + 200_000_000) < 8_000)
  }

  @Test func audioLevelAndOrientationRoundTrip() {
    #expect(withBytes([0x8a]) { AudioLevel(parsing: $0) } == AudioLevel(voiceActivity: true, attenuation: 10))
    #expect(AudioLevel(voiceActivity: true, attenuation: 200).rawValue == 0xff)
    let orientation = VideoOrientation(isBackCamera: true, isFlipped: false, quarterTurns: 3)
    #expect(orientation.rawValue == 0x0b)
    #expect(withBytes([0x0b]) { VideoOrientation(parsing: $0) } == orientation)
    #expect(withBytes([]) { VideoOrientation(parsing: $0) } == nil)
  }

  @Test(arguments: RTPHeaderExtensionKind.allCases)
  func kindIsFoundByItsURI(kind: RTPHeaderExtensionKind) {
    #expect(RTPHeaderExtensionKind(uri: kind.uri) == kind)
  }

  @Test func unknownURIHasNoKind() {
    #expect(RTPHeaderExtensionKind(uri: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay") == nil)
  }

  @Test func mapAnswersBothWays() {
    var map = RTPExtensionMap()
    #expect(map[.mid] == 0)
    #expect(map.kind(of: 0) == nil)
    map[.mid] = 4
    map[.dependencyDescriptor] = 12
    #expect(map[.mid] == 4)
    #expect(map.kind(of: 12) == .dependencyDescriptor)
    #expect(map.kind(of: 5) == nil)
  }

  @Test func transportSequenceCountsThroughTheWrap() {
    var sequence = TransportSequence(startingAt: SequenceNumber(0xffff))
    let numbers = [sequence.next(), sequence.next()]
    #expect(numbers == [SequenceNumber(0xffff), SequenceNumber(0)])
  }
}
