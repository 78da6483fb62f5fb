import Primitives
import SRTP
import Testing

/// What both ends hold in these tests: master keys made from a seed, the same in each backend.
struct TestKeys {
  let server: SRTPKeys
  let client: SRTPKeys

  init(_ profile: SRTPProfile, seed: UInt64 = 1) {
    var random = RandomSource.seeded(seed)
    server = SRTPKeys(masterKey: random.bytes(profile.keyLength), masterSalt: random.bytes(profile.saltLength))
    client = SRTPKeys(masterKey: random.bytes(profile.keyLength), masterSalt: random.bytes(profile.saltLength))
  }
}

/// Both ends of one SRTP association.
struct TestPair {
  let server: SRTPContext
  let client: SRTPContext

  init(_ backend: SRTPBackendKind, _ profile: SRTPProfile, seed: UInt64 = 1) throws {
    let engine = try SRTPEngine(backend)
    let keys = TestKeys(profile, seed: seed)
    server = try SRTPContext(engine: engine, profile: profile, local: keys.server, remote: keys.client)
    client = try SRTPContext(engine: engine, profile: profile, local: keys.client, remote: keys.server)
  }
}

/// The backends that this machine runs.
let availableBackends = SRTPBackendKind.allCases.filter { (try? SRTPEngine($0)) != nil }

/// Those of them that use our own packet format.
let cipherBackends = availableBackends.filter { $0 != .libsrtp2 }

struct Combination: CustomTestStringConvertible {
  let backend: SRTPBackendKind
  let profile: SRTPProfile
  var testDescription: String { "\(backend) \(profile)" }

  static let all = availableBackends.flatMap { backend in
    SRTPProfile.allCases.map { Combination(backend: backend, profile: $0) }
  }
}

/// An RTP packet with `sequence`'s lower 16 bits as its number.
func rtpPacket(
  ssrc: UInt32 = 0x1234_5678, sequence: UInt64, csrcs: Int = 0, extensionWords: Int? = nil, payload: [UInt8]
) -> (bytes: [UInt8], headerLength: Int) {
  var writer = ByteWriter()
  writer.write(UInt8(0x80 | csrcs | (extensionWords == nil ? 0 : 0x10)))
  writer.write(UInt8(96))
  writer.write(UInt16(truncatingIfNeeded: sequence))
  writer.write(UInt32(truncatingIfNeeded: sequence &* 3_000))
  writer.write(ssrc)
  for source in 0..<csrcs { writer.write(UInt32(source)) }
  if let extensionWords {
    writer.write(UInt16(0xbede))
    writer.write(UInt16(extensionWords))
    for word in 0..<extensionWords { writer.write(UInt32(word) &* 0x0101_0101) }
  }
  let headerLength = writer.count
  writer.write(payload)
  return (writer.bytes, headerLength)
}

/// An RTCP receiver report without blocks, then `extra` bytes.
func rtcpPacket(ssrc: UInt32 = 0x1234_5678, extra: [UInt8] = []) -> [UInt8] {
  var writer = ByteWriter()
  writer.write(UInt32(0x80c9_0001))
  writer.write(ssrc)
  writer.write(extra)
  return writer.bytes
}

extension SRTPContext {
  /// `bytes` protected, from a payload in other memory when `copies`; empty on failure.
  func protect(_ packet: (bytes: [UInt8], headerLength: Int), rollover: UInt32 = 0, copies: Bool = false) -> [UInt8] {
    let payload = Array(packet.bytes[packet.headerLength...])
    var buffer = packet.bytes + [UInt8](repeating: 0xaa, count: SRTPProfile.maximumOverhead)
    let length = buffer.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return 0 }
      return payload.withUnsafeBytes { payload in
        let inPlace = UnsafeRawPointer(start + packet.headerLength)
        if copies { (start + packet.headerLength).initializeMemory(as: UInt8.self, repeating: 0, count: payload.count) }
        return outbound.protectRTP(
          packet: start, headerLength: packet.headerLength,
          payload: copies ? payload.baseAddress ?? inPlace : inPlace, payloadLength: payload.count,
          rolloverCounter: rollover)
      }
    }
    return Array(buffer.prefix(length))
  }

  func protectRTCP(_ packet: [UInt8]) -> [UInt8] {
    var buffer = packet + [UInt8](repeating: 0xaa, count: SRTPProfile.maximumOverhead)
    let length = buffer.withUnsafeMutableBytes { buffer in
      buffer.baseAddress.map { outbound.protectRTCP($0, length: packet.count, capacity: buffer.count) } ?? 0
    }
    return Array(buffer.prefix(length))
  }

  func unprotect(_ packet: [UInt8]) -> Unprotected { receive(packet) { unprotectRTP($0, length: $1) } }

  func unprotectRTCP(_ packet: [UInt8]) -> Unprotected { receive(packet) { unprotectRTCP($0, length: $1) } }

  /// Runs `open` on a copy between canaries, which it must leave alone.
  private func receive(_ packet: [UInt8], _ open: (UnsafeMutableRawPointer, Int) -> SRTPResult) -> Unprotected {
    let canary = [UInt8](repeating: 0xc5, count: 64)
    var buffer = canary + packet + canary
    let result = buffer.withUnsafeMutableBytes { buffer in
      buffer.baseAddress.map { open($0 + canary.count, packet.count) }
    }
    let isIntact = buffer.starts(with: canary) && buffer.suffix(canary.count).elementsEqual(canary)
    #expect(isIntact, "wrote outside the packet")
    switch result {
    case .accepted(let length): return .plain(Array(buffer[canary.count..<(canary.count + length)]))
    case .rejected(let reason): return .rejected(reason)
    case nil: return .rejected(.malformed)
    }
  }
}

/// What came out of unprotecting a copy of a packet.
enum Unprotected: Hashable {
  case plain([UInt8])
  case rejected(SRTPRejection)
}

func hex(_ text: String) throws -> [UInt8] {
  try #require(Hex.decode(text.filter { !$0.isWhitespace }))
}
