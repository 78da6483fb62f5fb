import Primitives

/// What a slot shows.
enum SlotPhase: Equatable {
  /// Nothing is connected.
  case idle
  /// A stream is connected and its next keyframe is awaited.
  case awaitingKeyframe(of: StreamHandle)
  case forwarding(StreamHandle)
  /// The old stream goes on until the new one's keyframe arrives.
  case switching(from: StreamHandle, to: StreamHandle)

  /// The stream that the slot will show when all goes well.
  var target: StreamHandle? {
    switch self {
    case .idle: nil
    case .awaitingKeyframe(let stream), .forwarding(let stream), .switching(_, let stream): stream
    }
  }

  /// What is left to show when a stream goes away.
  func without(_ stream: StreamHandle) -> SlotPhase {
    switch self {
    case .idle: .idle
    case .awaitingKeyframe(let own), .forwarding(let own): own == stream ? .idle : self
    case .switching(let old, let new):
      if new == stream {
        old == stream ? .idle : .forwarding(old)
      } else {
        old == stream ? .awaitingKeyframe(of: new) : self
      }
    }
  }

  func involves(_ stream: StreamHandle) -> Bool {
    switch self {
    case .idle: false
    case .awaitingKeyframe(let own), .forwarding(let own): own == stream
    case .switching(let old, let new): old == stream || new == stream
    }
  }
}

/// How numbers of an incoming stream become numbers of the slot.
struct Mapping: Equatable {
  let stream: StreamHandle
  /// Added to the stream's extended sequence number, as long as nothing was left out.
  let sequenceOffset: Int64
  /// Added to it now: smaller by what was left out since.
  var thinnedOffset: Int64
  /// The slot's first number from which on ``SentRecords`` know better; `.max` while nothing was left out.
  var thinnedFrom: Int64 = .max
  /// Added to the stream's timestamp.
  let timestampOffset: UInt32
  /// The first extended sequence number sent under this mapping.
  let first: Int64
  let shift: PictureShift
}

struct SentCounters: Equatable {
  var packets: UInt32 = 0
  /// Payload bytes, as sender reports count them (RFC 3550 §6.4.1).
  var octets: UInt32 = 0
}
