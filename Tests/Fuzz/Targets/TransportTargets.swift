import DTLS
import DataChannel
import Primitives

func fuzzDCEP(_ bytes: UnsafeRawBufferPointer) {
  guard let message = try? DCEPMessage(parsing: bytes) else { return }
  require((try? DCEPMessage(parsing: message.serialize())) == message, "\(message) does not read back")
}

private let identity = try? DTLSIdentity()

/// The first byte chooses the role; then come datagrams, each after its length.
func fuzzDTLS(_ bytes: UnsafeRawBufferPointer) {
  guard let first = bytes.first, let identity else { return }
  let transport = DTLSTransport(
    identity: identity, role: first & 1 == 0 ? .server : .client, expectedPeer: identity.fingerprint(.sha256))
  var now = MonotonicTime(nanoseconds: 1_000_000_000)
  transport.start(now: now)
  for datagram in Parts(UnsafeRawBufferPointer(rebasing: bytes.dropFirst())) {
    transport.receive(datagram, now: now)
    while let answer = transport.nextDatagram() { require(answer.count <= 16_384, "a datagram is too long") }
    while transport.nextApplicationData() != nil {}
    now = now + TimeInterval64.milliseconds(1_100)
    if let deadline = transport.deadline, deadline <= now { transport.handleTimeout(now: now) }
  }
}

/// The first byte chooses whether an association is up; then come packets, each after its length.
///
/// Ports, verification tag, transmission sequence numbers and checksum are put right, since no mutation would hit them.
func fuzzSCTP(_ bytes: UnsafeRawBufferPointer) {
  guard let first = bytes.first else { return }
  let pair = SCTPPair()
  if first & 1 != 0 { pair.connect() }
  for part in Parts(UnsafeRawBufferPointer(rebasing: bytes.dropFirst())) {
    _ = try? SCTPPacketValidator(localPort: 5_000, remotePort: 5_000).validate(part)
    pair.inject(part)
  }
  pair.close()
}

/// Two ends of an association in memory, one of which is attacked by somebody who knows all its secrets.
private final class SCTPPair {
  private static let stack = SCTPStack()
  private let attacked = DataChannelTransport(stack: stack, role: .dtlsServer)
  private let peer = DataChannelTransport(stack: stack, role: .dtlsClient)
  private var now = MonotonicTime(nanoseconds: 1_000_000_000)
  /// What the attacked end's packets must carry, from its INIT.
  private var tag: UInt32 = 0
  /// The peer's first transmission sequence number, from its INIT.
  private var firstNumber: UInt32 = 0

  init() {
    attacked.start(now: now)
    while case .transmit(let packet)? = nextPacket(of: attacked) {
      if packet.count >= 20 { tag = packet.word(at: 16) }
      outbox.append(packet)
    }
  }

  private var outbox: [[UInt8]] = []

  func connect() {
    peer.start(now: now)
    for _ in 0..<8 {
      for packet in outbox { packet.withUnsafeBytes { peer.receive($0, now: now) } }
      outbox = []
      while case .transmit(let packet)? = nextPacket(of: peer) {
        if packet.count >= 32, packet[12] == 1 || packet[12] == 2 { firstNumber = packet.word(at: 28) }
        packet.withUnsafeBytes { attacked.receive($0, now: now) }
      }
      while case .transmit(let packet)? = nextPacket(of: attacked) { outbox.append(packet) }
    }
    require(attacked.state == .connected, "the two ends did not connect: \(attacked.state)")
  }

  func inject(_ part: UnsafeRawBufferPointer) {
    var packet = Array(part)
    guard packet.count >= 12 else { return attacked.receive(part, now: now) }
    packet.set(UInt32(5_000) << 16 | 5_000, at: 0)
    if packet.word(at: 4) != 0 { packet.set(tag, at: 4) }
    numberData(&packet)
    packet.set(0, at: 8)
    packet.set(CRC32C.checksum(packet).byteSwapped, at: 8)
    packet.withUnsafeBytes { attacked.receive($0, now: now) }
    while attacked.poll() != nil {}
    now = now + TimeInterval64.milliseconds(30)
    attacked.handleTimeout(now: now)
    while attacked.poll() != nil {}
  }

  func close() {
    attacked.close()
    peer.close()
    while attacked.poll() != nil {}
    while peer.poll() != nil {}
  }

  /// Makes the numbers of DATA chunks relative to the peer's first one.
  private func numberData(_ packet: inout [UInt8]) {
    var place = 12
    while place + 4 <= packet.count {
      let length = Int(packet[place + 2]) << 8 | Int(packet[place + 3])
      guard length >= 4 else { return }
      if packet[place] == 0, place + 8 <= packet.count {
        packet.set(packet.word(at: place + 4) &+ firstNumber, at: place + 4)
      }
      place += (length + 3) & ~3
    }
  }

  private func nextPacket(of transport: DataChannelTransport) -> DataChannelTransport.Output? {
    while let output = transport.poll() {
      if case .transmit = output { return output }
    }
    return nil
  }
}

extension [UInt8] {
  fileprivate func word(at place: Int) -> UInt32 {
    self[place..<(place + 4)].reduce(0) { $0 << 8 | UInt32($1) }
  }

  fileprivate mutating func set(_ value: UInt32, at place: Int) {
    for index in 0..<4 { self[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)) }
  }
}

/// SCTP's checksum (RFC 9260 appendix A), bit by bit: the fuzzer's inputs are short.
private enum CRC32C {
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0x82f6_3b78) }
    }
  }
}
