import Foundation
import Primitives
import Relay

/// The media of one incident: its peers, its sources, and who wants to hear of changes.
struct Room {
  /// In order of arrival.
  var peers: [PeerHandle] = []
  /// In order of arrival: the first of a kind is what new viewers see.
  var sources: [RoomSource] = []
  /// The incident's, 1 (most urgent) to 4.
  var priority = 3
  var listeners: [UUID: AsyncStream<MediaEvent>.Continuation] = [:]

  var isEmpty: Bool { peers.isEmpty && listeners.isEmpty }

  /// Events kept for a listener that falls behind; it loses the oldest.
  static let maximumPendingEvents = 256

  func tell(_ event: MediaEvent) {
    for listener in listeners.values { listener.yield(event) }
  }
}

struct RoomSource {
  let id: SourceID
  let peer: PeerHandle
  let peerID: PeerID
  let part: PeerPart
  /// Who sends it; empty for nobody in particular.
  let actor: String
  let kind: SourceKind
  let handle: SourceHandle
  var status: SourceStatus

  var overview: SourceOverview {
    let state: SourceState =
      switch status.activity {
      case .waiting: .waiting
      case .live: .live
      case .stalled: .stalled
      }
    return SourceOverview(
      id: id, peer: peerID, kind: kind == .audio ? .audio : .video, state: state, codec: status.format?.name,
      bitrate: status.bitsPerSecond, isSpeaking: status.isSpeaking)
  }
}
