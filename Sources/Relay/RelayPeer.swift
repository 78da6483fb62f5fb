import Primitives
import RTP

/// What the relay knows of one peer: its sources and slots, which SSRC is what, and its feedback state.
struct RelayPeer {
  var sources: [SourceHandle] = []
  var slots: [SlotHandle] = []
  /// The ids of the peer's header extensions; the m-lines of a bundle share them (RFC 8843 §9.1).
  var extensions = RTPExtensionMap()
  var bindings = BindingTable()
  /// Made with the first packet that has a transport-wide number.
  var feedback: TransportFeedbackRecorder?
  /// What is lost on the way to the peer.
  var loss = LinkLoss()
  /// Whether its sound is sent with repetitions now.
  var repeatsSound = false
  /// The SSRC that our reports to this peer come from.
  let reportSSRC: SSRC
  let canonicalName: String
  /// Server wall clock minus the peer's clock, in NTP units, as its first sender report told it.
  ///
  /// Fixed for the session, so that its audio and video stay on one time line.
  var clockOffset: UInt64?
  /// How urgent its pictures are.
  var tier = Tier(priority: 3, audience: .onlooker)
  /// The path to it; made with its first slot.
  var link: SendingLinkPointer?
  /// Whether it was asked to send less (``Relay/callerLimit(of:now:)``).
  var isLimited = false
  var nextReportAt = MonotonicTime.zero
  var nextFeedbackAt = MonotonicTime.zero
}

extension RelayPeer {
  /// Gives back the memory of the path; nothing may be sent afterwards.
  func freeLink() {
    guard let link else { return }
    link.pointee.deallocate()
    link.deinitialize(count: 1)
    link.deallocate()
  }
}

/// Where the packets of an SSRC go.
struct Binding: BitwiseCopyable {
  enum Role: BitwiseCopyable {
    case media
    case retransmission
  }

  var ssrc: SSRC
  var stream: StreamHandle
  var role: Role
}

/// The SSRCs of one peer.
///
/// Few, so that a linear search beats a hash; the last hit is looked at first.
struct BindingTable {
  private var bindings: [Binding] = []
  private var lastHit = 0

  /// SSRCs that one peer may use: a bound against a peer that invents new ones.
  static let maximumCount = 32

  @inline(__always)
  mutating func find(_ ssrc: SSRC) -> Binding? {
    if lastHit < bindings.count, bindings[lastHit].ssrc == ssrc { return bindings[lastHit] }
    guard let index = bindings.firstIndex(where: { $0.ssrc == ssrc }) else { return nil }
    lastHit = index
    return bindings[index]
  }

  /// The SSRC that was seen first.
  var first: SSRC? { bindings.first?.ssrc }

  var isFull: Bool { bindings.count >= Self.maximumCount }

  mutating func insert(_ binding: Binding) {
    bindings.removeAll { $0.ssrc == binding.ssrc }
    bindings.append(binding)
  }

  mutating func removeAll(of stream: StreamHandle) {
    bindings.removeAll { $0.stream == stream }
    lastHit = 0
  }
}
