import Primitives
import RTP
import SRTP
import STUN

func fuzzSTUN(_ bytes: UnsafeRawBufferPointer) {
  _ = STUNMessage.peekUsername(bytes)
  guard let message = try? STUNMessage(parsing: bytes) else { return }
  let key = Array("password".utf8)
  _ = message.integrity(key: key, in: bytes)
  _ = message.unknownRequiredAttributes
  let written = message.serialize(integrityKey: key, fingerprint: true)
  written.withUnsafeBytes { buffer in
    let again = try? STUNMessage(parsing: buffer)
    require(again?.attributes == message.attributes, "\(message) does not read back")
    require(again?.integrity(key: key, in: buffer) == .valid(.sha1), "our own integrity is wrong")
  }
}

func fuzzRTP(_ bytes: UnsafeRawBufferPointer) {
  guard let base = bytes.baseAddress, let header = try? RTPHeader(parsing: bytes) else { return }
  require(header.headerLength + header.payloadLength <= bytes.count, "\(header) is longer than its packet")
  _ = header.payload(in: bytes).reduce(0, &+)
  var structure: DependencyStructure?
  for element in RTPExtensions(of: header, in: base) {
    let value = element.value
    _ = (AbsoluteSendTime(parsing: value), AudioLevel(parsing: value), VideoOrientation(parsing: value))
    _ = (TransportSequence.parse(value), DependencyDescriptor.startsKeyframe(value))
    if let parsed = try? DependencyDescriptor.parse(value, structure: structure), let new = parsed.newStructure {
      structure = new
    }
    let found = header.extensionValue(id: element.id, in: base)
    require(found != nil, "an element that was iterated is not found")
  }
  withCopy(bytes) { copy in
    guard let unwrapped = RTX.unwrap(copy, header: header, ssrc: SSRC(1), payloadType: PayloadType(96)) else { return }
    require(unwrapped.packetStart + unwrapped.packetLength <= copy.count, "a retransmission grew")
  }
}

func fuzzRTCP(_ bytes: UnsafeRawBufferPointer) {
  guard let packets = try? RTCPCompound.parse(bytes) else { return }
  for case .transportFeedback(let feedback) in packets { feedback.forEachPacket { _, _ in } }
  guard !packets.isEmpty else { return }
  let written = RTCPCompound.serialize(packets)
  let again = written.withUnsafeBytes { try? RTCPCompound.parse($0) }
  require(again?.count == packets.count, "\(packets) do not read back")
}

/// The first byte chooses the codec.
func fuzzCodecs(_ bytes: UnsafeRawBufferPointer) {
  guard let first = bytes.first else { return }
  let payload = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
  switch first % 5 {
  case 0:
    _ = VideoCodec.h264.isKeyframeStart(payload)
    repack(payload, H264Packetizer(maximumPayloadSize: 100), VideoCodec.h264)
    repack(payload, H264Packetizer(maximumPayloadSize: 1_200), VideoCodec.h264)
  case 1:
    _ = VideoCodec.vp8.isKeyframeStart(payload)
    if let descriptor = try? VP8Descriptor(parsing: payload) {
      withCopy(payload) { copy in
        copy.baseAddress.map { descriptor.rewrite($0, pictureID: 0x7fff, baseLayerIndex: 255) }
      }
    }
    repack(payload, VP8Packetizer(maximumPayloadSize: 100), VideoCodec.vp8)
  case 2:
    _ = VideoCodec.vp9.isKeyframeStart(payload)
    if let descriptor = try? VP9Descriptor(parsing: payload) {
      withCopy(payload) { copy in
        copy.baseAddress.map { descriptor.rewrite($0, pictureID: 0x7fff, baseLayerIndex: 255) }
      }
    }
    repack(payload, VP9Packetizer(maximumPayloadSize: 100), VideoCodec.vp9)
  case 3:
    _ = VideoCodec.av1.isKeyframeStart(payload)
    if let units = AV1Payload(payload) { for unit in units { _ = unit.reduce(0, &+) } }
    repack(payload, AV1Packetizer(maximumPayloadSize: 100), VideoCodec.av1)
  default:
    _ = OpusPacket.sampleCount(payload)
    if let redundant = try? RedundantAudio(parsing: payload) {
      let blocks = (0..<redundant.repeatedCount).map { redundant[$0] }
      require(blocks.allSatisfy { $0.offset + $0.length <= redundant.primaryOffset }, "blocks reach too far")
      require(redundant.primaryOffset + redundant.primaryLength == payload.count, "\(redundant) is no whole payload")
    }
    repack(payload, OpusPacketizer(maximumPayloadSize: 1_200), nil)
  }
}

private func repack(_ frame: UnsafeRawBufferPointer, _ packetizer: some Packetizer, _ codec: VideoCodec?) {
  var packetizer = packetizer
  for payload in packetizer.packetize(frame) {
    payload.withUnsafeBytes { bytes in _ = codec?.isKeyframeStart(bytes) }
  }
}

/// The first byte chooses profile and backend; the rest arrives as it is, and goes through both ends once.
func fuzzSRTP(_ bytes: UnsafeRawBufferPointer) {
  guard let first = bytes.first, let context = makeContext(first) else { return }
  let packet = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
  for isControl in [false, true] {
    withCopy(packet) { copy in
      guard let base = copy.baseAddress else { return }
      let result =
        isControl
        ? context.unprotectRTCP(base, length: copy.count) : context.unprotectRTP(base, length: copy.count)
      if case .accepted(let length) = result { require(length <= copy.count, "a packet grew") }
    }
  }
  roundTrip(packet, through: context)
}

private let engines = SRTPBackendKind.allCases.compactMap { try? FuzzEngine(SRTPEngine($0)) }

/// libFuzzer and the regression tests drive one input after another on one thread.
private struct FuzzEngine: @unchecked Sendable {
  let engine: SRTPEngine

  init(_ engine: SRTPEngine) { self.engine = engine }
}

private func makeContext(_ choice: UInt8) -> SRTPContext? {
  guard !engines.isEmpty else { return nil }
  let profile = SRTPProfile.allCases[Int(choice) % SRTPProfile.allCases.count]
  let keys = SRTPKeys(
    masterKey: Array(repeating: 1, count: profile.keyLength), masterSalt: Array(repeating: 2, count: profile.saltLength)
  )
  let engine = engines[Int(choice) / SRTPProfile.allCases.count % engines.count].engine
  return try? SRTPContext(engine: engine, profile: profile, local: keys, remote: keys)
}

private func roundTrip(_ packet: UnsafeRawBufferPointer, through context: SRTPContext) {
  guard packet.count <= 1_400, let header = try? RTPHeader(parsingProtected: packet) else { return }
  withCopy(packet, room: SRTPProfile.maximumOverhead) { copy in
    guard let base = copy.baseAddress else { return }
    let length = context.outbound.protectRTP(
      packet: base, headerLength: header.headerLength, payload: base + header.headerLength,
      payloadLength: packet.count - header.headerLength, rolloverCounter: 0)
    guard length > 0 else { return }
    require(length <= copy.count, "protection wrote behind the end")
    switch context.unprotectRTP(base, length: length) {
    case .accepted(let opened):
      require(
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(copy)[..<opened]).elementsEqual(packet),
        "the packet that came out is another one")
    case .rejected(let reason):
      // The raw bytes above may by chance have been a packet of this number.
      require(reason == .replayed || reason == .tooOld, "what we protected does not open: \(reason)")
    }
  }
}
