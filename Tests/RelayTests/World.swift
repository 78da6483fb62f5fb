import Primitives
import RTP
import Relay
import SRTP
import Testing

/// A relay with senders and viewers around it: real SRTP towards the viewers, simulated time.
final class World {
  let relay: Relay
  private(set) var now = MonotonicTime(nanoseconds: 100_000_000_000)
  private(set) var viewers: [PeerHandle: Viewer] = [:]
  /// Every message of ``EgressBuffer`` so far, in order.
  private(set) var messages: [SentMessage] = []
  /// RTCP that the relay sent, by receiver.
  private(set) var feedback: [PeerHandle: [RTCPPacket]] = [:]
  private(set) var datagrams: [[UInt8]] = []
  /// Slots whose view changed.
  private(set) var views: [SlotHandle] = []
  private(set) var statuses: [(source: SourceHandle, status: SourceStatus)] = []
  /// Keyframes that this relay wants of sources which another one receives.
  private(set) var keyframesWanted: [(source: SourceHandle, stream: SSRC)] = []
  private var egress = EgressBuffer()
  private let engine: SRTPEngine
  private var nextSSRC: UInt32 = 0x5000_0000

  init(seed: UInt64 = 1) throws {
    relay = Relay(random: .seeded(seed))
    engine = try SRTPEngine(.openSSL)
  }

  /// The server's wall clock: it runs as the simulated time does.
  var wall: NTPTimestamp { NTPTimestamp(unixNanoseconds: 1_700_000_000_000_000_000 + now.nanoseconds) }

  func addCaller() -> PeerHandle { relay.addPeer(canonicalName: "caller") }

  func addSource(
    of peer: PeerHandle, kind: SourceKind = .video, mid: String = "0", formats: [RelayedFormat] = [.vp8],
    extensions: RTPExtensionMap = .test, announced: [(media: SSRC, retransmission: SSRC?)] = [],
    acceptsNACK: Bool = true, redundancy: PayloadType? = nil
  ) throws -> SourceHandle {
    try #require(
      relay.addSource(
        SourceParameters(
          peer: peer, kind: kind, mid: mid, formats: formats, extensions: extensions, announced: announced,
          acceptsNACK: acceptsNACK, redundancy: redundancy)))
  }

  /// A viewer with one slot of each list of formats; its keys are known at once unless `isActive` is false.
  func addViewer(
    _ slots: [(SourceKind, [RelayedFormat])] = [(.video, [.vp8])], redundancy: PayloadType? = nil,
    transportExtension: UInt8 = 0, isActive: Bool = true
  ) throws -> Viewer {
    let viewer = try Viewer(peer: relay.addPeer(canonicalName: "viewer"), engine: engine)
    for (kind, formats) in slots {
      let parameters = SlotParameters(
        peer: viewer.peer, kind: kind, ssrc: SSRC(nextSSRC), retransmissionSSRC: SSRC(nextSSRC + 1), formats: formats,
        transportExtension: transportExtension, canonicalName: "server", redundancy: kind == .audio ? redundancy : nil)
      nextSSRC += 2
      viewer.slots.append(
        Viewer.Slot(
          handle: try #require(relay.addSlot(parameters)), ssrc: parameters.ssrc,
          retransmissionSSRC: parameters.retransmissionSSRC))
    }
    viewers[viewer.peer] = viewer
    if isActive { activate(viewer) }
    return viewer
  }

  func activate(_ viewer: Viewer) {
    relay.activate(viewer.peer, outbound: viewer.server.outbound, now: now)
  }

  func remove(_ peer: PeerHandle) {
    relay.remove(peer)
    viewers[peer] = nil
  }

  func connect(_ viewer: Viewer, slot: Int = 0, to source: SourceHandle?) {
    relay.connect(viewer.slots[slot].handle, to: source, now: now)
    flush()
  }

  /// Gives packets to the relay as one turn of a media thread.
  func send(_ packets: [[UInt8]], from peer: PeerHandle) {
    send(packets.map { ($0, peer) })
  }

  /// Gives packets of several senders to the relay as one turn.
  func send(_ packets: [(packet: [UInt8], peer: PeerHandle)]) {
    for (packet, peer) in packets {
      if !packet.withUnsafeBytes({ relay.receiveRTP($0, from: peer, now: now) }) { flush() }
    }
    flush()
  }

  func sendRTCP(_ packets: [RTCPPacket], from peer: PeerHandle) {
    sendRTCP(bytes: RTCPCompound.serialize(packets), from: peer)
  }

  func sendRTCP(bytes: [UInt8], from peer: PeerHandle) {
    bytes.withUnsafeBytes { relay.receiveRTCP($0, from: peer, now: now, wall: wall) }
    flush()
  }

  /// Lets time pass, with the ticks that a media thread makes.
  func advance(_ milliseconds: Int64) {
    let end = now + .milliseconds(milliseconds)
    while now < end {
      now = min(end, now + Relay.tickInterval)
      relay.tick(now: now, wall: wall)
      collectOutputs()
      flush()
    }
  }

  /// What the relay asked of or told a peer since the last call.
  func takeFeedback(to peer: PeerHandle) -> [RTCPPacket] {
    defer { feedback[peer] = nil }
    return feedback[peer] ?? []
  }

  func takeMessages() -> [SentMessage] {
    defer { messages = [] }
    return messages
  }

  func flush() {
    var isFinished = false
    var rounds = 0
    while !isFinished {
      isFinished = relay.flush(into: &egress, now: now)
      #expect(egress.count > 0 || isFinished, "a flush that neither writes nor finishes")
      for place in 0..<egress.count { deliver(egress.messages[place]) }
      egress.clear()
      rounds += 1
      guard rounds < 10_000 else {
        Issue.record("flush never finishes")
        return
      }
    }
  }

  private func deliver(_ message: EgressBuffer.Message) {
    var sizes: [Int] = []
    var offset = 0
    while offset < Int(message.length) {
      let size = min(Int(message.segmentSize), Int(message.length) - offset)
      let start = egress.memory + Int(message.offset) + offset
      viewers[message.destination]?.receive(UnsafeRawBufferPointer(start: start, count: size), at: now)
      sizes.append(size)
      offset += size
    }
    #expect(sizes.count == Int(message.segments), "the kernel would split \(sizes) otherwise")
    messages.append(SentMessage(destination: message.destination, sizes: sizes, codePoint: message.codePoint))
  }

  private func collectOutputs() {
    for output in relay.takeOutputs() {
      switch output {
      case .rtcp(let bytes, let peer):
        datagrams.append(bytes)
        do {
          feedback[peer, default: []] += try bytes.withUnsafeBytes { try RTCPCompound.parse($0) }
        } catch {
          Issue.record("the relay made RTCP that does not parse: \(error)")
        }
      case .sourceChanged(let source, let status): statuses.append((source, status))
      case .viewChanged(let slot, _): views.append(slot)
      case .keyframeWanted(let source, let stream): keyframesWanted.append((source, stream))
      }
    }
  }
}

/// One send to one peer, and the datagrams that the kernel makes of it.
struct SentMessage {
  let destination: PeerHandle
  let sizes: [Int]
  let codePoint: DSCP
}

extension RTPExtensionMap {
  /// The ids that these tests negotiate.
  static let test: RTPExtensionMap = {
    var map = RTPExtensionMap()
    map[.mid] = 1
    map[.rid] = 2
    map[.repairedRID] = 3
    map[.transportSequence] = 4
    map[.audioLevel] = 5
    return map
  }()
}

extension RelayedFormat {
  static let vp8 = RelayedFormat(payloadType: PayloadType(96), format: .vp8, retransmission: PayloadType(97))
  static let opus = RelayedFormat(payloadType: PayloadType(111), format: .opus)

  /// `format` at the payload type `number`, with its retransmissions at the next one.
  static func at(_ number: UInt8, _ format: MediaFormat) -> RelayedFormat {
    RelayedFormat(
      payloadType: PayloadType(number), format: format, retransmission: PayloadType(number + 1))
  }
}
