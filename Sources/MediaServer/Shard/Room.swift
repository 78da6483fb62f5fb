import Foundation
import Primitives
import Relay

/// The media of one incident: its peers, its sources, and who wants to hear of changes.
///
/// An incident has its home on one media thread. A crowd of viewers is spread over others, too: there it has an annex, with
/// peers of its own and mirrors of the home's sources (decision record 0020).
struct Room {
  /// In order of arrival.
  var peers: [PeerHandle] = []
  /// In order of arrival: the first of a kind is what new viewers see.
  var sources: [RoomSource] = []
  /// The incident's, 1 (most urgent) to 4.
  var priority = 3
  var listeners: [UUID: AsyncStream<MediaEvent>.Continuation] = [:]
  /// The media thread of the incident's home; nil if this is it.
  var home: Int?
  /// Media threads with an annex, a bit each; only at home.
  var annexes: UInt64 = 0
  /// The viewers in annexes, in order of arrival; only at home.
  private(set) var distantPeers: [PeerOverview] = []

  var isEmpty: Bool { peers.isEmpty && listeners.isEmpty && annexes == 0 }

  /// Events kept for a listener that falls behind; it loses the oldest.
  static let maximumPendingEvents = 256

  func tell(_ event: MediaEvent) {
    for listener in listeners.values { listener.yield(event) }
  }

  /// Keeps what an annex tells of its viewers.
  mutating func note(distant peer: PeerOverview) {
    let place = distantPeers.firstIndex { $0.id == peer.id }
    switch (peer.state, place) {
    case (.closed, let place?): distantPeers.remove(at: place)
    case (.closed, nil): break
    case (_, let place?): distantPeers[place] = peer
    case (_, nil): distantPeers.append(peer)
    }
  }
}

struct RoomSource {
  let id: SourceID
  /// Nil for a source that another media thread receives.
  let peer: PeerHandle?
  let peerID: PeerID
  let part: PeerPart
  /// Who sends it; empty for nobody in particular.
  let actor: String
  let kind: SourceKind
  let parameters: SourceParameters
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
