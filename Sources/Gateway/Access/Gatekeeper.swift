import ControlRoom
import Identity
import Incidents
import MediaServer
import Primitives
import Synchronization

/// Decides who comes in: verifies tokens and sessions, and slows down guessers.
final class Gatekeeper: Sendable {
  private let authority: TokenAuthority
  private let room: ControlRoom
  private let links: LinkDesk
  private let metrics: GatewayMetrics
  private let clock: GatewayClock
  private let limiter: Mutex<FailureLimiter>

  init(
    authority: TokenAuthority, room: ControlRoom, links: LinkDesk, metrics: GatewayMetrics, clock: GatewayClock,
    maximumFailures: Int
  ) {
    self.authority = authority
    self.room = room
    self.links = links
    self.metrics = metrics
    self.clock = clock
    limiter = Mutex(FailureLimiter(maximumFailures: maximumFailures))
  }

  /// Who presents `credentials`.
  ///
  /// - Parameters:
  ///   - key: What a link bearer's page made up for itself.
  ///   - starts: Whether a session starts with it.
  ///   - isAfterCall: Whether a caller whose call has just ended may come.
  func admit(
    _ credentials: Credentials, from address: String, key: String? = nil, starts: Bool = false,
    isAfterCall: Bool = false
  ) async throws(Problem) -> Principal {
    switch credentials {
    case .none: throw refusal(.missingToken, name: "missing", from: address)
    case .token(let text) where text.hasPrefix(BearerToken.prefix):
      do throws(Refusal) {
        return try room.signIns.admit(bearer: text)
      } catch {
        throw refusal(.invalidToken, name: "bad_bearer", from: address)
      }
    case .token(let text): return try await admit(link: text, from: address, key: key, starts: starts, isAfterCall)
    case .session(let secret, let csrf, let needsCSRF):
      do throws(Refusal) {
        return try await room.signIns.admit(session: secret, csrf: csrf, needsCSRF: needsCSRF).principal
      } catch {
        throw error.code == .signInRequired
          ? refusal(Problem(error), name: "no_session", from: address) : Problem(error)
      }
    }
  }

  /// The bearer of a link; whether a link that is genuine still opens anything is the link desk's to say.
  private func admit(
    link text: String, from address: String, key: String?, starts: Bool, _ isAfterCall: Bool
  ) async throws(Problem) -> Principal {
    let token: AccessToken
    do {
      token = try authority.verify(text, at: clock.wall())
    } catch .expired(let expired) {
      // A call goes on when its link's time is over: the desk knows which have begun.
      token = expired
    } catch {
      throw refusal(.invalidToken, name: error.name, from: address)
    }
    do throws(Refusal) {
      let link = SignedLink(token)
      if isAfterCall, let principal = try await links.admit(afterCall: link) { return principal }
      return try await links.admit(link, key: key, starts: starts)
    } catch {
      switch error.code {
      case .linkExpired: throw refusal(.expiredToken, name: "expired", from: address)
      case .linkUsed, .linkEnded, .linkRevoked: throw refusal(Problem(error), name: error.code.rawValue, from: address)
      default: throw Problem(error)
      }
    }
  }

  /// Notes a refused right.
  func noteForbidden() { metrics.noteRejectedToken(reason: "forbidden") }

  private func refusal(_ problem: Problem, name: String, from address: String) -> Problem {
    metrics.noteRejectedToken(reason: name)
    let wait = limiter.withLock { $0.noteFailure(from: address, now: clock.monotonic()) }
    return wait.map(Problem.tooManyFailures(retryAfter:)) ?? problem
  }
}

extension SignedLink {
  /// Callers and devices are what their token says; everybody else who comes by a link is a guest.
  init(_ token: AccessToken) {
    let role: Role =
      switch token.kind {
      case .caller: .caller
      case .device: .device
      case .operator, .dispatcher, .responder, .guest, .supervisor, .viewer: .guest
      }
    self.init(
      id: token.tokenID, subject: token.subject, incident: token.incident, role: role, name: token.name,
      directions: token.directions, expiresAt: UTCTime(seconds: token.expiresAt.seconds))
  }
}
