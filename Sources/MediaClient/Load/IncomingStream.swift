import Primitives
import RTP
import SDP

/// What one payload type of a session means to its receiver.
struct IncomingFormat: Sendable {
  let clockRate: UInt32
  /// Nil for sound.
  let video: VideoCodec?
  let acceptsNACK: Bool
  /// The payload type whose packets this one carries again (RFC 4588 §8.6); nil for media itself.
  let retransmits: PayloadType?
}

/// One RTP stream that a viewer receives: what came, what is missing and what to ask for.
struct IncomingStream {
  let ssrc: SSRC
  let payloadType: PayloadType
  let format: IncomingFormat
  private(set) var statistics: ReceptionStatistics
  private(set) var account = SequenceAccount()
  private var unwrapper = SequenceUnwrapper()
  private var repairs: NACKGenerator?

  init(ssrc: SSRC, payloadType: PayloadType, format: IncomingFormat, asksAgain: Bool) {
    self.ssrc = ssrc
    self.payloadType = payloadType
    self.format = format
    statistics = ReceptionStatistics(clockRate: format.clockRate)
    repairs = asksAgain && format.acceptsNACK ? NACKGenerator() : nil
  }

  /// When ``takeRound(now:)`` has something to say; nil while nothing is missing.
  var deadline: MonotonicTime? { repairs?.deadline }

  /// Notes a packet of the stream itself.
  mutating func note(_ number: SequenceNumber, timestamp: UInt32, now: MonotonicTime) -> SequenceAccount.Arrival {
    statistics.update(sequenceNumber: number, timestamp: timestamp, arrival: now)
    return insert(number, now: now)
  }

  /// Notes a packet that came again on the stream's retransmission stream.
  mutating func noteRepair(_ number: SequenceNumber, now: MonotonicTime) -> SequenceAccount.Arrival {
    insert(number, now: now)
  }

  mutating func note(_ report: SenderReport, now: MonotonicTime) {
    statistics.noteSenderReport(ntpTime: report.ntpTime, arrival: now)
  }

  mutating func makeReportBlock(now: MonotonicTime) -> ReportBlock? {
    statistics.makeReportBlock(ssrc: ssrc, now: now)
  }

  /// The packets to ask for now.
  mutating func takeRound(now: MonotonicTime) -> NACKGenerator.Round {
    guard let deadline, deadline <= now else { return NACKGenerator.Round() }
    return repairs?.takeRound(now: now, roundTripTime: nil) ?? NACKGenerator.Round()
  }

  private mutating func insert(_ number: SequenceNumber, now: MonotonicTime) -> SequenceAccount.Arrival {
    let extended = unwrapper.unwrap(number)
    _ = repairs?.insert(extended, now: now)
    return account.insert(extended)
  }
}

extension [PayloadType: IncomingFormat] {
  /// Everything that the peer may send.
  init(_ session: NegotiatedSession) {
    self.init()
    for codec in session.sources.flatMap(\.codecs) {
      let video: VideoCodec? =
        switch codec.codec {
        case .vp8: .vp8
        case .vp9: .vp9
        case .h264: .h264
        case .av1: .av1
        case .opus, .red: nil
        }
      self[codec.payloadType] = IncomingFormat(
        clockRate: codec.clockRate, video: video, acceptsNACK: codec.supports(.nack), retransmits: nil)
      if let retransmission = codec.retransmission {
        self[retransmission] = IncomingFormat(
          clockRate: codec.clockRate, video: video, acceptsNACK: false, retransmits: codec.payloadType)
      }
    }
  }
}
