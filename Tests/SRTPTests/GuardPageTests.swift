import Glibc
import Primitives
import SRTP
import Testing

/// Memory whose next byte faults, so that a read or write past a packet ends the test run.
private struct GuardedMemory: ~Copyable {
  private let start: UnsafeMutableRawPointer
  private static let pageSize = 4_096

  init() throws {
    let start = try #require(
      mmap(nil, 2 * Self.pageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    try #require(start != MAP_FAILED)
    try #require(mprotect(start + Self.pageSize, Self.pageSize, PROT_NONE) == 0)
    self.start = start
  }

  deinit {
    munmap(start, 2 * Self.pageSize)
  }

  /// Runs `body` on a copy of `bytes` that ends where the guard page starts.
  func hold(_ bytes: [UInt8], _ body: (UnsafeMutableRawPointer) -> SRTPResult) -> SRTPResult {
    let copy = start + (Self.pageSize - bytes.count)
    bytes.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: bytes.count) }
    return body(copy)
  }
}

@Suite struct GuardPageTests {
  @Test(arguments: Combination.all)
  func nothingBeyondAReceivedPacketIsTouched(_ combination: Combination) throws {
    let memory = try GuardedMemory()
    let pair = try TestPair(combination.backend, combination.profile)
    for size in [1, 2, 15, 16, 17, 31, 33, 63, 65, 127, 129, 255, 257, 1_088] {
      let plain = rtpPacket(
        sequence: UInt64(size), csrcs: size % 3, extensionWords: 2, payload: Array(repeating: 5, count: size))
      let packet = pair.server.protect(plain)
      let result = memory.hold(packet) { pair.client.unprotectRTP($0, length: packet.count) }
      #expect(result == .accepted(length: plain.bytes.count))
      let report = pair.server.protectRTCP(rtcpPacket(extra: Array(repeating: 5, count: size)))
      let accepted = memory.hold(report) { pair.client.unprotectRTCP($0, length: report.count) }
      #expect(accepted == .accepted(length: 8 + size))
    }
  }

  /// Each first byte announces other CSRCs and extensions than the few bytes that follow can hold.
  @Test(arguments: Combination.all)
  func nothingBeyondAShortPacketIsTouched(_ combination: Combination) throws {
    let memory = try GuardedMemory()
    let client = try TestPair(combination.backend, combination.profile).client
    for first in UInt8(0x80)...0xbf {
      for length in 0...40 {
        let packet = [UInt8]([first] + [UInt8](repeating: 0xff, count: 39)).prefix(length)
        for result in [
          memory.hold(Array(packet)) { client.unprotectRTP($0, length: length) },
          memory.hold(Array(packet)) { client.unprotectRTCP($0, length: length) },
        ] {
          guard case .rejected = result else {
            Issue.record("\(length) bytes that start with \(first) were accepted")
            continue
          }
        }
      }
    }
  }
}
