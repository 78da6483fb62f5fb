import HTTPTypes

extension HTTPField.Name {
  private static func make(_ name: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(name) else { preconditionFailure("not a field name: \(name)") }
    return name
  }

  /// RFC 8288.
  static let link = make("Link")
  /// RFC 5789 §3.1.
  static let acceptPatch = make("Accept-Patch")
  /// RFC 9725 §4.2.
  static let acceptPost = make("Accept-Post")
  /// RFC 6455 §4.2.2.
  static let secWebSocketVersion = make("Sec-WebSocket-Version")
  /// What a signed-in page repeats, out of the answer to its sign-in.
  static let csrfToken = make("X-CSRF-Token")
  /// What a link bearer's page made up for itself when it was opened first.
  static let pageKey = make("Sightline-Key")
  /// When a picture was taken, ISO 8601.
  static let pictureTime = make("Sightline-Picture-Time")
  static let permissionsPolicy = make("Permissions-Policy")
  static let referrerPolicy = make("Referrer-Policy")
}
