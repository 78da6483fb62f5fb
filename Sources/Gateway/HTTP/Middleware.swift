import ControlRoom
import HTTPTypes
import Hummingbird
import Logging
import Primitives
import NIOCore

/// One line a request and the counters.
///
/// Addresses with tokens or session names in them are never written: the route's
/// pattern says which resource it was.
struct AccessLog: RouterMiddleware {
  typealias Context = GatewayContext

  let metrics: GatewayMetrics
  let clock: GatewayClock

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let start = clock.monotonic()
    let response = try await next(request, context)
    metrics.noteRequest(status: response.status.code)
    context.logger.info(
      "request",
      metadata: [
        "method": .string(String(request.method.rawValue.prefix(16))),
        "route": .string(context.endpointPath ?? "-"),
        "status": .stringConvertible(response.status.code),
        "milliseconds": .stringConvertible((clock.monotonic() - start).milliseconds),
        "from": .string(context.remoteAddress),
      ])
    return response
  }
}

/// Turns every error into a problem document, so that each refusal says what to do next.
struct ProblemAnswers: RouterMiddleware {
  typealias Context = GatewayContext

  let counters: ControlRoomCounters

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let problem as Problem {
      return problem.response
    } catch let refusal as Refusal {
      counters.noteRefusal(refusal.code)
      return Problem(refusal).response
    } catch let error as HTTPError where error.status == .notFound {
      return Problem.notFound.response
    } catch {
      // The description could quote what the client sent: only its type is written.
      context.logger.error("request failed", metadata: ["error": "\(type(of: error))"])
      return Problem.internalError.response
    }
  }
}

/// What browsers are told about every answer.
struct SecurityHeaders: RouterMiddleware {
  typealias Context = GatewayContext

  /// Whether this listener itself encrypts.
  let usesTLS: Bool

  /// For what says nothing of its own; asked each time, since settings change while the node runs.
  let policy: @Sendable () -> ContentSecurityPolicy

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    // A route may be stricter, for files that somebody uploaded.
    if response.headers[.contentSecurityPolicy] == nil {
      response.headers[.contentSecurityPolicy] = policy().text
    }
    response.headers[.permissionsPolicy] =
      "camera=(self), microphone=(self), geolocation=(self), display-capture=(self), screen-wake-lock=(self)"
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.xContentTypeOptions] = "nosniff"
    if usesTLS { response.headers[.strictTransportSecurity] = "max-age=31536000" }
    return response
  }
}

/// Lets the pages of allowed origins use the API (Fetch standard, CORS protocol).
///
/// There are no cookies to protect: every
/// request carries its own token.
struct CrossOriginAccess: RouterMiddleware {
  typealias Context = GatewayContext

  let origins: OriginPolicy

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    response.headers.append(HTTPField(name: .vary, value: "Origin"))
    guard let origin = request.headers[.origin],
      origins.allows(origin: origin, authority: request.head.authority)
    else { return response }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[.accessControlExposeHeaders] = "Location, Link, ETag, Accept-Patch, Retry-After"
    if request.method == .options {
      response.headers[.accessControlAllowMethods] = response.headers[.allow] ?? "GET, HEAD, OPTIONS"
      response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type, If-Match"
      response.headers[.accessControlMaxAge] = "600"
    }
    return response
  }
}
