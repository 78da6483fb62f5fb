import HTTPTypes
import Hummingbird

/// How somebody shows who they are.
enum Credentials: Sendable {
  case none
  /// A bearer token of an account (`sl_…`), or a link's signed token.
  case token(String)
  /// A signed-in browser's cookie; a request that changes something repeats the session's CSRF token.
  case session(secret: String, csrf: String?, needsCSRF: Bool)
}

/// The cookie of a signed-in browser (RFC 6265).
enum SessionCookie {
  static let name = "sightline-session"

  /// The `Set-Cookie` value that keeps `secret` for as long as the browser runs.
  static func set(_ secret: String, isSecure: Bool) -> String {
    "\(name)=\(secret); Path=/; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
  }

  /// The `Set-Cookie` value that takes it away.
  static func clear(isSecure: Bool) -> String { set("", isSecure: isSecure) + "; Max-Age=0" }

  /// The secret in `Cookie` field values.
  static func secret(in fields: [String]) -> String? {
    for pair in fields.flatMap({ $0.split(separator: ";") }) {
      let parts = pair.split(separator: "=", maxSplits: 1)
      if parts.count == 2, parts[0].trimmingSpaces() == name { return parts[1].trimmingSpaces() }
    }
    return nil
  }
}

extension Request {
  /// Token before cookie: whoever sends a token means it.
  var credentials: Credentials {
    if let presentedToken { return .token(presentedToken) }
    guard let secret = sessionSecret else { return .none }
    let isSafe = [.get, .head, .options].contains(method)
    return .session(secret: secret, csrf: headers[.csrfToken], needsCSRF: !isSafe)
  }

  var sessionSecret: String? { SessionCookie.secret(in: headers[values: .cookie]) }
}
