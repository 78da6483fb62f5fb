import Primitives
import RTP
import SDP

/// Tells a server when its packets came (draft-holmer-rmcat-transport-wide-cc-extensions-01), as often as browsers do.
struct ArrivalReporter {
  private let reporter: SSRC
  /// Id of the transport-wide number's header extension.
  private let id: UInt8
  private var recorder = TransportFeedbackRecorder()
  private var media = SSRC(0)
  /// When the next feedback is due; nil while there is no news.
  private(set) var deadline: MonotonicTime?

  /// What libwebrtc comes to at more than a few hundred kbit/s.
  private static let interval = TimeInterval64.milliseconds(50)

  /// Nil when the server does not number its packets.
  init?(_ session: NegotiatedSession, reporter: SSRC) {
    let ids = session.sources.compactMap { $0.extensionIDs[HeaderExtensionURI.transportWideCC] }
    guard let id = ids.first else { return nil }
    self.id = id
    self.reporter = reporter
  }

  /// Notes a packet; its header is in the clear even where the packet is not.
  mutating func note(_ header: RTPHeader, in packet: UnsafeRawBufferPointer, now: MonotonicTime) {
    guard let base = packet.baseAddress, let sequence = header.transportSequence(id: id, in: base) else { return }
    media = header.ssrc
    recorder.record(sequence, arrival: now)
    deadline = deadline ?? now + Self.interval
  }

  /// The feedback to send now.
  mutating func dueFeedback(now: MonotonicTime) -> [TransportFeedback] {
    guard let deadline, deadline <= now else { return [] }
    self.deadline = nil
    return recorder.takeFeedback(senderSSRC: reporter, mediaSSRC: media)
  }
}
