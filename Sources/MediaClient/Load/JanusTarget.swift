import Foundation
import SDP
import Synchronization

/// Janus with its video room plugin, over its own JSON API on HTTP: for comparison, since it has no WHEP.
///
/// One room a caller. Publishers offer as everywhere; to a viewer Janus offers, and the viewer answers. Each participant
/// has a session of its own, which lives as long as it is asked for events or kept alive.
package final class JanusTarget: SignallingTarget {
  package var name: String { "Janus \(address)" }
  private let address: String
  private let http = HTTPExchange()
  private let sessions = Mutex<[LoadParticipant: JanusSession]>([:])
  /// What viewers subscribe to, by caller.
  private let feeds = Mutex<[Int: Feed]>([:])

  private struct Feed {
    let room: UInt64
    let publisher: UInt64
  }

  /// Janus forgets a session after 60 s of silence.
  private static let keepAliveInterval = Duration.seconds(25)
  private static let plugin = "janus.plugin.videoroom"

  package init(address: String) {
    self.address = address
  }

  package func join(
    _ participant: LoadParticipant, from endpoint: ClientEndpoint, codec: MediaCodec
  ) async throws -> SignalledSession {
    var session = try await JanusSession(http, address)
    try await session.attach(Self.plugin)
    let signalled: SignalledSession
    switch participant.role {
    case .caller: signalled = try await publish(participant, session, from: endpoint, codec: codec)
    case .viewer: signalled = try await subscribe(participant, session, from: endpoint)
    }
    let joined = session
    let keeper = Task {
      while (try? await Task.sleep(for: Self.keepAliveInterval)) != nil { try? await joined.keepAlive() }
    }
    session.keeper = keeper
    sessions.withLock { [session] in $0[participant] = session }
    return signalled
  }

  package func leave(_ participant: LoadParticipant) async {
    guard let session = sessions.withLock({ $0.removeValue(forKey: participant) }) else { return }
    session.keeper?.cancel()
    try? await session.destroy()
  }

  private func publish(
    _ participant: LoadParticipant, _ session: JanusSession, from endpoint: ClientEndpoint, codec: MediaCodec
  ) async throws -> SignalledSession {
    var creation = JanusBody("create")
    creation.publishers = 1
    creation.audiocodec = "opus"
    creation.videocodec = codec.rawValue.lowercased()
    // No limit of its own: the clip has the bit rate that it has.
    creation.bitrate = 0
    guard let room = try await session.ask(creation).plugindata?.data.room else {
      throw ClientError("Janus made no room.")
    }
    let publisher = Mutex<UInt64?>(nil)
    let signalled = try await negotiate(participant, from: endpoint, codec: codec) { offer in
      var body = JanusBody("joinandconfigure")
      body.ptype = "publisher"
      body.room = room
      let event = try await session.wait(for: body, jsep: JanusDescription(type: "offer", sdp: offer))
      publisher.withLock { $0 = event.plugindata?.data.id }
      guard let answer = event.jsep else { throw ClientError("Janus sent no answer.") }
      return answer.sdp
    }
    guard let id = publisher.withLock({ $0 }) else { throw ClientError("Janus named no publisher.") }
    feeds.withLock { $0[participant.caller] = Feed(room: room, publisher: id) }
    return signalled
  }

  private func subscribe(
    _ participant: LoadParticipant, _ session: JanusSession, from endpoint: ClientEndpoint
  ) async throws -> SignalledSession {
    guard let feed = feeds.withLock({ $0[participant.caller] }) else {
      throw ClientError("Caller \(participant.caller) is not there.")
    }
    var body = JanusBody("join")
    body.ptype = "subscriber"
    body.room = feed.room
    body.feed = feed.publisher
    guard let offer = try await session.wait(for: body, jsep: nil).jsep else {
      throw ClientError("Janus sent no offer.")
    }
    let answer = try endpoint.answer(offer.sdp)
    _ = try await session.wait(for: JanusBody("start"), jsep: JanusDescription(type: "answer", sdp: answer.text))
    return SignalledSession(negotiated: answer.session, role: .controlled)
  }
}
