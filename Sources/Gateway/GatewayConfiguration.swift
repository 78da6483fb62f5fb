/// How one ``GatewayServer`` listens, what it hands out and how much it takes.
package struct GatewayConfiguration: Sendable {
  /// Whether connections are encrypted by this listener.
  package enum TLS: Sendable {
    /// Plain HTTP: for localhost, where browsers allow cameras, or behind an agency's own proxy.
    case none
    /// HTTPS with a certificate chain and private key in PEM files.
    case files(certificateChain: String, privateKey: String)
  }

  /// Which other web origins may use the API from a page; pages of the gateway itself always may.
  package enum AllowedOrigins: Hashable, Sendable {
    case list([String])
    case any
  }

  /// Address or name to listen on.
  package var host: String
  /// 0 picks a free port; ``GatewayServer/boundPort()`` says which.
  package var port: Int
  package var tls: TLS
  /// Scheme, host and port under which clients reach the gateway, without a trailing slash; nil when a proxy does not
  /// change them.
  package var publicBaseURL: String?
  package var turn: TURNConfiguration?
  package var agency: AgencyIdentity
  /// The folder of Leaflet's files, as Debian's libjs-leaflet installs it; pages go without maps when it is missing.
  package var mapLibrary: String?
  package var allowedOrigins: AllowedOrigins
  package var limits: GatewayLimits

  /// Where Debian keeps Leaflet.
  package static let debianMapLibrary = "/usr/share/javascript/leaflet"

  package init(
    host: String = "127.0.0.1", port: Int = 0, tls: TLS = .none, publicBaseURL: String? = nil,
    turn: TURNConfiguration? = nil, agency: AgencyIdentity = .init(name: "agency"),
    mapLibrary: String? = debianMapLibrary, allowedOrigins: AllowedOrigins = .list([]), limits: GatewayLimits = .init()
  ) {
    self.host = host
    self.port = port
    self.tls = tls
    self.publicBaseURL = publicBaseURL
    self.turn = turn
    self.agency = agency
    self.mapLibrary = mapLibrary
    self.allowedOrigins = allowedOrigins
    self.limits = limits
  }
}

/// How interchange documents name the agency.
package struct AgencyIdentity: Hashable, Sendable {
  package var name: String
  /// Its domain, which identifies it (NENA-STA-010 §2.1.1); made of its name and our host when there is none.
  package var domain: String?

  package init(name: String, domain: String? = nil) {
    self.name = name
    self.domain = domain
  }
}

/// The relays that clients may use, with the secret that they share with us (coturn's `static-auth-secret`).
package struct TURNConfiguration: Sendable {
  /// `stun:`, `turn:` and `turns:` URIs (RFC 7064, RFC 7065).
  package var urls: [String]
  package var sharedSecret: String
  /// Seconds for which credentials open new allocations.
  package var lifetime: Int64

  package init(urls: [String], sharedSecret: String, lifetime: Int64 = 3600) {
    self.urls = urls
    self.sharedSecret = sharedSecret
    self.lifetime = lifetime
  }
}

/// Every bound of the gateway that an operator may want to move.
package struct GatewayLimits: Sendable {
  /// Largest SDP offer in bytes; more is answered with 413.
  package var maximumOfferBytes = 64 << 10
  /// Largest trickle or restart fragment in bytes; more is answered with 413.
  package var maximumFragmentBytes = 16 << 10
  /// Connections at a time; more wait to be accepted.
  package var maximumConnections = 8192
  /// WebSockets at a time; more are refused with 503.
  package var maximumWebSockets = 4096
  /// Sessions of media at a time; more are refused with 503.
  package var maximumSessions = 16384
  /// Largest WebSocket message in bytes; an offer, escaped for JSON, has to fit.
  ///
  /// More is closed with 1009.
  package var maximumWebSocketMessageBytes = 160 << 10
  /// Messages of a client that wait to be handled; more is closed with 1008.
  package var maximumQueuedMessages = 256
  /// Messages and bytes that wait for a slow reader; more is closed with 1013.
  package var maximumPendingMessages = 512
  package var maximumPendingBytes = 1 << 20
  /// Failed sign-ins a minute and address; more are answered with 429.
  package var maximumTokenFailures = 20
  /// A connection that has sent no whole request head by then is closed.
  package var firstRequestTimeout = Duration.seconds(10)
  /// A connection between requests is closed after this.
  package var idleTimeout = Duration.seconds(60)
  /// A WebSocket that carries no token has this long to say hello.
  package var helloTimeout = Duration.seconds(10)
  /// A WebSocket is pinged this often.
  package var heartbeatInterval = Duration.seconds(15)
  /// A WebSocket that has sent nothing, not even a pong, for this long is closed.
  package var heartbeatTimeout = Duration.seconds(40)
  /// A closing WebSocket has this long to read what is left for it.
  package var closeTimeout = Duration.seconds(5)
  /// The same for one whose frames can no longer be told apart.
  package var brokenCloseTimeout = Duration.seconds(1)
  /// A session whose WebSocket is gone waits this long for the page to come back.
  package var resumeGrace = Duration.seconds(30)
  /// Sessions are compared with the media plane this often.
  package var sessionCheckInterval = Duration.seconds(60)

  package init() {}
}
