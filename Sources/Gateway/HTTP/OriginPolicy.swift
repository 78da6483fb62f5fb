/// Which web origins (RFC 6454) may use the gateway.
struct OriginPolicy: Sendable {
  let allowed: GatewayConfiguration.AllowedOrigins
  let publicBaseURL: String?

  /// Whether a page of `origin` may use what is served at `authority` (the request's Host).
  func allows(origin: String, authority: String?) -> Bool {
    if let separator = origin.range(of: "://"), let authority, origin[separator.upperBound...] == authority {
      return true
    }
    if let publicBaseURL, origin == publicBaseURL { return true }
    switch allowed {
    case .any: return true
    case .list(let origins): return origins.contains(origin)
    }
  }
}
