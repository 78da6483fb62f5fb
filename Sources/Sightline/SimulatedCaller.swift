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
  /// Who calls, in the journal, and as others see them.
  let subject: String
  let name: String
  /// What the caller does between opening the link and calling.
  let prepare: @Sendable () async -> Void
  private let identity: DTLSIdentity
  private let logger: Logger

  /// Wait before it calls again after it was cut off.
  private static let retryDelay = Duration.seconds(1)
  /// Wait before it asks again after it was let in no more.
  private static let refusalDelay = Duration.seconds(5)

  init(
    clip: Clip, desks: GatewayDesks, incident: IncidentID, subject: String = "simulated-caller",
    name: String = "simulated caller", logger: Logger, prepare: @escaping @Sendable () async -> Void = {}
  ) throws {
    self.clip = clip
    self.desks = desks
    self.incident = incident
    self.subject = subject
    self.name = name
    self.prepare = prepare
    self.logger = logger
    identity = try DTLSIdentity()
  }

  /// Calls until the node shuts down.
  func run() async throws {
    let loop = try ClientLoop.start(name: "demo-caller")
    try await withGracefulShutdownHandler {
      // An incident that has ended may be opened again; a service that returned would end the node.
      while !Task.isShuttingDownGracefully, !Task.isCancelled {
        try await keepCalling(on: loop)
        try? await Task.sleep(for: Self.refusalDelay)
      }
    } onGracefulShutdown: {
      Task { await loop.stop() }
    }
  }

  /// Calls until it is let in no more, or the task is cancelled.
  func callUntilCancelled() async throws {
    let loop = try ClientLoop.start(name: "caller")
    do {
      try await keepCalling(on: loop)
    } catch {
      await loop.stop()
      throw error
    }
    await loop.stop()
  }

  private func keepCalling(on loop: ClientLoopHandle) async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
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
  }

  /// One call, from offer to hang-up.
  private func call(on loop: ClientLoopHandle) async throws {
    let (events, sink) = AsyncStream.makeStream(of: ClientPeer.ClientEvent.self)
    let (clip, identity, link) = (clip, identity, link)
    _ = try await desks.links.admit(link, key: nil, starts: true)
    await prepare()
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
      id: "simulated-\(Hex.encode(random.bytes(4)))", subject: subject, incident: incident, role: .caller,
      name: name, directions: .publish, expiresAt: now + .seconds(60))
  }
}
