import Cryptography
import Primitives

/// One entry of a browser's `RTCConfiguration.iceServers`.
package struct ICEServer: Codable, Hashable, Sendable {
  package var urls: [String]
  package var username: String?
  package var credential: String?
}

/// Issues ICE servers with time-limited TURN credentials, as coturn's `use-auth-secret` checks them; sans-IO.
package struct ICEServerIssuer: Sendable {
  private let configuration: TURNConfiguration?

  package init(_ configuration: TURNConfiguration?) {
    self.configuration = configuration
  }

  /// The servers for one user: STUN without, TURN with credentials that end after the configured lifetime.
  package func servers(for user: String, at now: UnixTime) -> [ICEServer] {
    guard let configuration else { return [] }
    let needsCredentials = { (url: String) in url.hasPrefix("turn:") || url.hasPrefix("turns:") }
    let open = configuration.urls.filter { !needsCredentials($0) }
    let guarded = configuration.urls.filter(needsCredentials)
    var servers = open.isEmpty ? [] : [ICEServer(urls: open)]
    if !guarded.isEmpty {
      let username = "\((now + configuration.lifetime).seconds):\(user)"
      let credential = Self.credential(username: username, secret: configuration.sharedSecret)
      servers.append(ICEServer(urls: guarded, username: username, credential: credential))
    }
    return servers
  }

  /// Base64 of HMAC-SHA1 over the username, keyed with the secret that the TURN server shares.
  package static func credential(username: String, secret: String) -> String {
    Array(username.utf8).withUnsafeBytes { message in
      Base64.encode(MessageAuthentication.hmacSHA1(key: Array(secret.utf8), message: message))
    }
  }
}
