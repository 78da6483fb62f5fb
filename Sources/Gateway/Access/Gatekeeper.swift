import MediaServer
import Primitives
import Synchronization

/// Decides who comes in: verifies bearer tokens, holds them against what is asked, and slows down guessers.
final class Gatekeeper: Sendable {
  private let authority: TokenAuthority
  private let sessions: SessionDirectory
  private let metrics: GatewayMetrics
  private let clock: GatewayClock
  private let limiter: Mutex<FailureLimiter>

  init(
    authority: TokenAuthority, sessions: SessionDirectory, metrics: GatewayMetrics, clock: GatewayClock,
    maximumFailures: Int
  ) {
    self.authority = authority
    self.sessions = sessions
    self.metrics = metrics
    self.clock = clock
    limiter = Mutex(FailureLimiter(maximumFailures: maximumFailures))
  }

  /// The claims of a presented token.
  ///
  /// A token outlives its expiry for as long as a session that it opened is alive: links are short-lived so that they
  /// cannot open anything later, not so that a call dies in the middle.
  func admit(_ presented: String?, from address: String) throws(Problem) -> AccessToken {
    guard let presented else { throw refusal(.missingToken, name: "missing", from: address) }
    do {
      return try authority.verify(presented, at: clock.wall())
    } catch {
      switch error {
      case .expired(let token) where sessions.hasSession(openedBy: token.tokenID):
        return token
      case .expired:
        throw refusal(.expiredToken, name: error.name, from: address)
      case .malformed, .unsupportedAlgorithm, .unknownKey, .badSignature, .notYetValid:
        throw refusal(.invalidToken, name: error.name, from: address)
      }
    }
  }

  /// As ``admit(_:from:)``, and the token must be for `incident` and allow `directions`.
  func admit(
    _ presented: String?, from address: String, to incident: IncidentID, directions: MediaPermissions
  ) throws(Problem) -> AccessToken {
    let token = try admit(presented, from: address)
    guard token.incident == incident, token.directions.isSuperset(of: directions) else {
      metrics.noteRejectedToken(reason: "forbidden")
      throw .forbidden
    }
    return token
  }

  private func refusal(_ problem: Problem, name: String, from address: String) -> Problem {
    metrics.noteRejectedToken(reason: name)
    let wait = limiter.withLock { $0.noteFailure(from: address, now: clock.monotonic()) }
    return wait.map(Problem.tooManyFailures(retryAfter:)) ?? problem
  }
}
