import Primitives
import RTP

/// An RTP packet on its way into a recording: in the clear, its header taken apart.
///
/// Packets of padding alone come too, with an empty payload: without their sequence numbers they would count as lost.
package struct RecordedPacket: Hashable, Sendable {
  /// What the payload type stands for.
  package enum Format: Hashable, Sendable {
    case video(VideoCodec)
    case opus
    /// Opus with earlier packets repeated before it (RFC 2198).
    case red
  }

  package var format: Format
  package var ssrc: SSRC
  /// Extended to 64 bits, so that it never wraps.
  package var sequence: Int64
  /// In units of the format's clock rate.
  package var rtpTimestamp: UInt32
  package var marker: Bool
  /// Degrees clockwise from the video orientation extension; nil in a packet without it (3GPP TS 26.114 §7.4.5).
  package var rotation: Int?
  /// When the server received it.
  package var arrival: UTCTime
  package var payload: [UInt8]

  package init(
    format: Format, ssrc: SSRC, sequence: Int64, rtpTimestamp: UInt32, marker: Bool, rotation: Int? = nil,
    arrival: UTCTime, payload: [UInt8]
  ) {
    self.format = format
    self.ssrc = ssrc
    self.sequence = sequence
    self.rtpTimestamp = rtpTimestamp
    self.marker = marker
    self.rotation = rotation
    self.arrival = arrival
    self.payload = payload
  }
}

extension RecordedPacket.Format {
  package var kind: TrackKind {
    switch self {
    case .video: .video
    case .opus, .red: .audio
    }
  }

  /// Ticks per second of the RTP timestamp.
  package var clockRate: UInt32 {
    switch self {
    case .video: VideoCodec.clockRate
    case .opus, .red: OpusPacket.clockRate
    }
  }

  /// Whether one assembler takes packets of both: plain and redundant Opus may alternate in a stream.
  func sharesAssembler(with other: RecordedPacket.Format) -> Bool {
    switch (self, other) {
    case (.video(let mine), .video(let theirs)): mine == theirs
    case (.opus, .opus), (.opus, .red), (.red, .opus), (.red, .red): true
    case (.video, .opus), (.video, .red), (.opus, .video), (.red, .video): false
    }
  }
}

/// A whole picture or sound packet of one stream, its time still the sender's.
package struct CodedFrame: Hashable, Sendable {
  /// The RTP timestamp, extended to 64 bits.
  package var rtpTime: Int64
  /// Ticks that the frame lasts, as an Opus packet tells; nil for video.
  package var ticks: Int64?
  package var isKeyframe: Bool
  package var format: TrackFormat
  /// In the form in which files hold it (``MediaFrame``).
  package var bytes: [UInt8]
  /// When its first packet came.
  package var firstArrival: UTCTime
  /// When the packet came that completed it.
  package var arrival: UTCTime

  package init(
    rtpTime: Int64, ticks: Int64?, isKeyframe: Bool, format: TrackFormat, bytes: [UInt8], firstArrival: UTCTime,
    arrival: UTCTime
  ) {
    self.rtpTime = rtpTime
    self.ticks = ticks
    self.isKeyframe = isKeyframe
    self.format = format
    self.bytes = bytes
    self.firstArrival = firstArrival
    self.arrival = arrival
  }
}

/// Extends 32-bit timestamps to 64 bits by the nearest-value rule.
package struct TimestampUnwrapper: Hashable, Sendable {
  /// The latest extended timestamp, once there is one.
  package private(set) var last: Int64?

  package init() {}

  /// The extended form of `timestamp`, which becomes the one that the next is near to.
  package mutating func unwrap(_ timestamp: UInt32) -> Int64 {
    let value = nearest(to: timestamp)
    last = value
    return value
  }

  /// The extended form of `timestamp`, without remembering it.
  package func nearest(to timestamp: UInt32) -> Int64 {
    guard let last else { return Int64(timestamp) }
    let step = Int32(bitPattern: timestamp &- UInt32(truncatingIfNeeded: last))
    return last &+ Int64(step)
  }
}
