import Foundation
import SDP
import Synchronization

/// Any server with WHIP for callers (RFC 9725) and WHEP for viewers (draft-ietf-wish-whep).
package final class WHIPTarget: SignallingTarget {
  /// One of the two endpoints.
  package struct Endpoint: Sendable {
    let url: @Sendable (Int) -> String
    let token: @Sendable (Int) -> String?

    /// - Parameters:
    ///   - url: Where to post offers; `{n}` stands for the caller's number.
    ///   - token: The bearer token of a caller's number.
    package init(url: String, token: @escaping @Sendable (Int) -> String?) {
      self.url = { url.replacingOccurrences(of: "{n}", with: String($0)) }
      self.token = token
    }
  }

  package let name: String
  private let whip: Endpoint
  private let whep: Endpoint
  private let http = HTTPExchange()
  private let resources = Mutex<[LoadParticipant: String]>([:])

  package init(name: String, whip: Endpoint, whep: Endpoint) {
    self.name = name
    self.whip = whip
    self.whep = whep
  }

  package func join(
    _ participant: LoadParticipant, from endpoint: ClientEndpoint, codec: MediaCodec
  ) async throws -> SignalledSession {
    let server = server(for: participant)
    return try await negotiate(participant, from: endpoint, codec: codec) { offer in
      let reply = try await http.send(
        "POST", server.url(participant.caller), type: "application/sdp", token: server.token(participant.caller),
        body: Data(offer.utf8))
      if let location = reply.location.flatMap({ URL(string: $0, relativeTo: reply.url)?.absoluteString }) {
        resources.withLock { $0[participant] = location }
      }
      return reply.body
    }
  }

  package func leave(_ participant: LoadParticipant) async {
    guard let resource = resources.withLock({ $0.removeValue(forKey: participant) }) else { return }
    _ = try? await http.send("DELETE", resource, token: server(for: participant).token(participant.caller))
  }

  private func server(for participant: LoadParticipant) -> Endpoint {
    switch participant.role {
    case .caller: whip
    case .viewer: whep
    }
  }
}
