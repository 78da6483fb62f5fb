import HTTPTypes
import NIOHTTP1

/// A request to become a WebSocket (RFC 6455 §4.1), as far as it decides whether that is granted.
struct UpgradeRequest: Sendable {
  /// The subprotocol's name (RFC 6455 §1.9).
  static let subprotocol = "sightline.v1"
  static let path = "/ws"

  /// The token of the query or of the list of subprotocols; browsers cannot set an Authorization header here.
  private let presentedToken: String?
  /// The session cookie's secret; it counts only for pages of our own.
  private let sessionSecret: String?
  /// What a link bearer's page made up for itself.
  let key: String?
  /// Empty when the client names none.
  private let subprotocols: [String]
  private let origin: String?
  private let authority: String?

  init(_ head: HTTPRequestHead) {
    let query = head.uri.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
    let part = { (name: String) in
      query.split(separator: "&").first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
    }
    let queryToken = part("token=")
    key = part("key=").map { String($0.prefix(Self.maximumKeyLength)) }
    sessionSecret = SessionCookie.secret(in: head.headers["cookie"])
    let names = head.headers[canonicalForm: "sec-websocket-protocol"].map(String.init)
    subprotocols = names
    let bearer = head.headers.first(name: "authorization").flatMap { value -> String? in
      let parts = value.split(separator: " ", maxSplits: 1)
      return parts.count == 2 && parts[0].lowercased() == "bearer" ? parts[1].trimmingSpaces() : nil
    }
    presentedToken = bearer ?? queryToken ?? names.first { $0 != Self.subprotocol }
    isEIDO = head.uri.split(separator: "?", maxSplits: 1).first.map(String.init) == EIDOSession.path
    origin = head.headers.first(name: "origin")
    authority = head.headers.first(name: "host")
  }

  /// Whether another system wants to follow incidents as EIDOs, rather than a client of ours the metadata channel.
  let isEIDO: Bool

  /// Longest key that is looked at, in characters.
  static let maximumKeyLength = 64

  /// What is shown with the handshake; the cookie of a foreign page's request counts for nothing.
  var credentials: Credentials {
    if let presentedToken { return .token(presentedToken) }
    guard let sessionSecret, let origin, let authority, origin.hasSuffix("://\(authority)") else { return .none }
    return .session(secret: sessionSecret, csrf: nil, needsCSRF: false)
  }

  /// Where the client reached us.
  func base(usesTLS: Bool) -> String { "\(usesTLS ? "https" : "http")://\(authority ?? "localhost")" }

  /// Whether `head` is a whole opening handshake for this address (RFC 6455 §4.2.1).
  static func isOne(_ head: HTTPRequestHead) -> Bool {
    let headers = head.headers
    return head.method == .GET && head.version == .http1_1
      && [path, EIDOSession.path].contains(head.uri.split(separator: "?", maxSplits: 1).first.map(String.init))
      && headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
      && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
      && headers["sec-websocket-key"].count == 1 && headers["sec-websocket-version"] == ["13"]
  }

  /// The headers of the answer 101.
  ///
  /// The token is looked at only afterwards: a page cannot read the status of a refused upgrade, but it can read an
  /// error message and a close code.
  func accept(_ origins: OriginPolicy) throws(Problem) -> HTTPHeaders {
    if let origin, !origins.allows(origin: origin, authority: authority) {
      throw Problem(.forbidden, "Pages of this origin may not connect here.")
    }
    if subprotocols.isEmpty { return [:] }
    if isEIDO { return ["Sec-WebSocket-Protocol": subprotocols[0]] }
    guard subprotocols.contains(Self.subprotocol) else {
      throw Problem(.badRequest, "This server speaks the subprotocol \(Self.subprotocol).")
    }
    return ["Sec-WebSocket-Protocol": Self.subprotocol]
  }
}
