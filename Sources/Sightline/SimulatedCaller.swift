import ControlRoom
import DTLS
import Foundation
import Gateway
import Incidents
import Logging
import MediaClient
import MediaServer
import Primitives
import SDP
import ServiceLifecycle

/// A caller made of a recorded clip: a real WebRTC peer on a socket of its own, which returns when it is cut off.
struct SimulatedCaller: Service {
  let clip: Clip
  let desks: GatewayDesks
  let incident: IncidentID
  private let identity: DTLSIdentity
  private let logger: Logger

  /// Wait before it calls again after it was cut off.
  private static let retryDelay = Duration.seconds(1)

  init(clip: Clip, desks: GatewayDesks, incident: IncidentID, logger: Logger) throws {
    self.clip = clip
    self.desks = desks
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
        } catch let error as Problem {
          // The node is busy: like a person, it tries again.
          logger.notice("simulated caller: \(error.detail)")
        } catch let error as Refusal {
          logger.notice("simulated caller: \(error.text)")
          return
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
    let (clip, identity) = (clip, identity)
    let offer = await loop.perform { _ in
      Result { try ClientOffer(.publish(clip.codec), on: IPAddress(v4: 0x7f00_0001), identity: identity) }
    }
    guard let offer else { return }
    let offered = try offer.get()
    let answer = try await desks.connect(offer: offered.description.serialize(), by: link)
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

  /// What lets it in, as a caller's link would; a new one each time, since the end of a call ends its link.
  private var link: SignedLink {
    var random = RandomSource.system
    let now = UTCTime(microseconds: Int64(Date().timeIntervalSince1970 * 1e6))
    return SignedLink(
      id: "demo-\(Hex.encode(random.bytes(4)))", subject: "simulated-caller", incident: incident, role: .caller,
      name: "simulated caller", directions: .publish, expiresAt: now + .seconds(60))
  }
}
