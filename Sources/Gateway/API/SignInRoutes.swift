import ControlRoom
import HTTPTypes
import Hummingbird
import Identity
import Incidents
import JSON
import Outgoing
import Primitives

/// Signing in, and one's own affairs: password, second factor, bearer tokens.
enum SignInRoutes {
  private static let tag = "identity"
  private static let password = Schema.string(1...512)
  private static let code = Schema.string(6...6)

  static var routes: [APIRoute] { sessionRoutes + ownRoutes + tokenRoutes }

  // MARK: - Sessions

  private static let signInBody = Schema.object([
    .required("userName", .string(1...128), "As an admin gave it."),
    .required("password", password, "The password."),
    .optional("code", .string(1...16), "The second factor's six digits, where the account has one."),
  ])

  private static var sessionRoutes: [APIRoute] {
    [
      APIRoute(
        .post, "/api/v1/sign-in", .everyone, tag: tag,
        "Sign in; the session comes as a cookie, the answer holds the CSRF token that changes have to repeat.",
        body: .json(signInBody)
      ) { call in
        let body = call.body
        let signedIn = try await call.room.signIns.signIn(
          userName: body["userName"]?.string ?? "", password: body["password"]?.string ?? "",
          code: body["code"]?.string, from: call.context.remoteAddress)
        var response = Response.json(view(signedIn.account, signedIn.session))
        response.headers[.setCookie] = SessionCookie.set(signedIn.secret, isSecure: call.services.usesTLS)
        return response
      },
      APIRoute(.post, "/api/v1/sign-out", .everyone, tag: tag, "End the session of the cookie.", success: (204, nil)) {
        call in
        if let secret = call.request.sessionSecret {
          let session = try await call.room.signIns.admit(
            session: secret, csrf: call.request.headers[.csrfToken], needsCSRF: true
          ).session
          try await call.room.signIns.signOut(session, from: call.context.remoteAddress)
        }
        var response = Response.done
        response.headers[.setCookie] = SessionCookie.clear(isSecure: call.services.usesTLS)
        return response
      },
      APIRoute(
        .post, "/api/v1/unlock", .everyone, tag: tag, "Open a session again that was locked for resting.",
        body: .json(.object([.required("password", password, "The account's password.")]))
      ) { call in
        guard let secret = call.request.sessionSecret else { throw Refusal.signInRequired }
        let session = try await call.room.signIns.unlock(
          secret, password: call.body["password"]?.string ?? "", from: call.context.remoteAddress)
        guard let account = call.room.accounts.account(id: session.account) else { throw Refusal.signInRequired }
        return .json(view(account, session))
      },
      APIRoute(.post, "/api/v1/lock", .account, tag: tag, "Lock the session of the cookie.", success: (204, nil)) {
        call in
        guard let secret = call.request.sessionSecret else { throw Refusal.signInRequired }
        try await call.room.signIns.lock(
          call.room.signIns.admit(session: secret, csrf: nil, needsCSRF: false).session)
        return .done
      },
    ]
  }

  private static func view(_ account: Account, _ session: Session) -> JSONValue {
    ["account": account.publicView, "csrfToken": .string(session.csrfToken)]
  }

  // MARK: - Oneself

  private static var ownRoutes: [APIRoute] {
    [
      APIRoute(.get, "/api/v1/me", .anyone, tag: tag, "Who one is, and by what.") { call in
        let principal = try call.principal()
        var csrf: JSONValue?
        if let secret = call.request.sessionSecret, call.request.presentedToken == nil {
          csrf = .string(
            try await call.room.signIns.admit(session: secret, csrf: nil, needsCSRF: false).session.csrfToken)
        }
        return .json(
          .members([
            "id": .string(principal.actor.id), "role": .string(principal.role.rawValue),
            "name": .string(principal.actor.name), "csrfToken": csrf,
            "incident": principal.facts.linkedIncident.map { .string($0.value) },
            "account": call.room.accounts.account(id: principal.actor.id)?.publicView,
          ]))
      },
      APIRoute(
        .get, "/api/v1/me/audit", .account, tag: tag, "What was written down of oneself lately, newest first."
      ) { call in
        .json(["events": .array(try await call.room.audit.recentEvents(of: call.principal().actor.id).map(\.json))])
      },
      APIRoute(
        .post, "/api/v1/me/password", .account, tag: tag, "Change one's password; all sessions end, so sign in again.",
        body: .json(
          .object([
            .required("present", password, "The present password."), .required("new", password, "The new one."),
          ])), success: (204, nil)
      ) { call in
        let account = try await call.checkedAccount(password: "present")
        _ = try await call.room.accounts.change(
          account.id, .password(call.body["new"]?.string ?? ""), by: account.actor)
        return .done
      },
      APIRoute(
        .post, "/api/v1/me/second-factor", .account, tag: tag,
        "Begin a second factor: the secret for an authenticator app, which counts once a code of it was confirmed.",
        body: .json(.object([.required("password", password, "The account's password.")]))
      ) { call in
        let account = try await call.checkedAccount(password: "password")
        let secret = try call.room.signIns.beginFactor(of: account)
        let address = secret.address(
          userName: account.userName, issuer: call.services.administration.settings.current.serviceName)
        return .json(
          .members([
            "secret": .string(Base32.encode(secret.key)), "address": .string(address),
            "qr": QRCode.svg(for: address).map { .string($0) },
          ]))
      },
      APIRoute(
        .post, "/api/v1/me/second-factor/confirm", .account, tag: tag, "Confirm the second factor with a code.",
        body: .json(.object([.required("code", code, "What the app shows now.")])), success: (204, nil)
      ) { call in
        try await call.room.signIns.confirmFactor(of: call.account(), code: call.body["code"]?.string ?? "")
        return .done
      },
      APIRoute(
        .post, "/api/v1/me/second-factor/remove", .account, tag: tag, "Take the second factor off.",
        body: .json(.object([.required("password", password, "The account's password.")])), success: (204, nil)
      ) { call in
        let account = try await call.checkedAccount(password: "password")
        try await call.room.signIns.removeFactor(of: account.id, by: account.actor)
        return .done
      },
    ]
  }

  // MARK: - Tokens

  private static let tokenBody = Schema.object([
    .required("name", .string(1...64), "What it is for."),
    .optional("days", .integer(1...SignInDesk.maximumTokenDays), "How long it lasts; 90 if not given."),
  ])

  private static var tokenRoutes: [APIRoute] {
    [
      APIRoute(.get, "/api/v1/me/tokens", .account, tag: tag, "One's bearer tokens, without their secrets.") { call in
        let tokens = call.room.signIns.tokens(of: try call.account().id)
        return .json(["tokens": .array(tokens.map(view))])
      },
      APIRoute(
        .post, "/api/v1/me/tokens", .account, tag: tag, "Make a bearer token; its secret is shown this once.",
        body: .json(tokenBody), success: (201, "application/json")
      ) { call in
        let account = try call.account()
        let (secret, token) = try await call.room.signIns.makeToken(
          for: account, name: call.body["name"]?.string ?? "", days: call.body["days"]?.integer ?? 90,
          by: account.actor)
        guard case .object(var members) = view(token) else { throw Problem.internalError }
        members["secret"] = .string(secret)
        return .json(.object(members), status: .created)
      },
      APIRoute(
        .delete, "/api/v1/me/tokens/:token", .account, tag: tag, "End one of one's bearer tokens at once.",
        success: (204, nil)
      ) { call in
        let account = try call.account()
        try await call.room.signIns.revokeToken(call.parameter("token"), of: account.id, by: account.actor)
        return .done
      },
    ]
  }

  private static func view(_ token: BearerToken) -> JSONValue {
    [
      "id": .string(token.id), "name": .string(token.name), "createdAt": .string(token.createdAt.description),
      "expiresAt": .string(token.expiresAt.description),
    ]
  }
}

extension APICall {
  /// The account of whoever asks.
  func account() throws -> Account {
    guard let account = room.accounts.account(id: try principal().actor.id) else { throw Refusal.forbidden }
    return account
  }

  /// The account, after the body's `name` was found to be its password.
  fileprivate func checkedAccount(password name: String) async throws -> Account {
    let account = try account()
    try await room.signIns.check(password: body[name]?.string ?? "", of: account, from: context.remoteAddress)
    return account
  }
}
