import DTLS
import Foundation
import Logging
import MediaClient
import MediaServer
import Primitives
import SDP
import ServiceLifecycle

/// A caller made of a recorded clip: a real WebRTC peer on a socket of its own, which returns when it is cut off.
struct SimulatedCaller: Service {
  let clip: Clip
  let media: MediaServer
  let incident: IncidentID
  private let identity: DTLSIdentity
  private let logger: Logger

  /// Wait before it calls again after it was cut off.
  private static let retryDelay = Duration.seconds(1)

  init(clip: Clip, media: MediaServer, incident: IncidentID, logger: Logger) throws {
    self.clip = clip
    self.media = media
    self.incident = incident
    self.logger = logger
    identity = try DTLSIdentity()
  }

  func run() async throws {
    let loop = try ClientLoop.start(name: "demo-caller")
    try await withGracefulShutdownHandler {
      while !Task.isShuttingDownGracefully {
        do {
          try await call(on: loop)
        } catch let error as MediaError {
          // The node is busy: like a person, it tries again.
          logger.notice("simulated caller: \(error)")
        }
        try? await Task.sleep(for: Self.retryDelay)
      }
    } onGracefulShutdown: {
      Task { await loop.stop() }
    }
  }

  /// One call, from offer to hang-up.
  private func call(on loop: ClientLoopHandle) async throws {
    let (events, sink) = AsyncStream.makeStream(of: ClientPeer.ClientEvent.self)
    let (clip, media, incident, identity) = (clip, media, incident, identity)
    let offer = await loop.perform { _ in
      Result { try ClientOffer(.publish(clip.codec), on: IPAddress(v4: 0x7f00_0001), identity: identity) }
    }
    guard let offer else { return }
    let offered = try offer.get()
    let answer = try await media.connect(
      PeerRequest(
        incident: incident, permissions: .publish, name: "simulated caller", offer: offered.description.serialize()))
    let description = try SessionDescription(parsing: answer.sdp)
    let started = await loop.perform { loop in
      Result {
        let peer = try ClientPeer(offered, answer: description, clip: clip, receiver: nil, loop: loop) {
          sink.yield($0)
        }
        try loop.add(peer)
      }
    }
    guard let started else { return }
    try started.get()
    for await event in events {
      if case .closed = event { return }
    }
  }
}
