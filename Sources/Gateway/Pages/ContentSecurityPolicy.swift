import Foundation

/// What a browser may load and run for our pages (Content Security Policy Level 3): nothing but our own files, and map
/// tiles from the configured server.
package struct ContentSecurityPolicy: Hashable, Sendable {
  /// Scheme, host and port of the map tiles' server, if any.
  package var tileOrigin: String?
  /// Hashes of the styles that a page carries inside, `sha256-…`.
  package var styleHashes: [String]

  package init(tileOrigin: String? = nil, styleHashes: [String] = []) {
    self.tileOrigin = tileOrigin
    self.styleHashes = styleHashes
  }

  /// The field's value.
  package var text: String {
    let images = ["'self'", "data:", "blob:", tileOrigin].compactMap { $0 }.joined(separator: " ")
    let styles = (["'self'"] + styleHashes.map { "'\($0)'" }).joined(separator: " ")
    return
      "default-src 'self'; img-src \(images); media-src 'self' blob:; style-src \(styles); object-src 'none'; "
      + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }

  /// The origin of an address or of a template of addresses, such as `https://tiles.example/{z}/{x}/{y}.png`; nil for what
  /// is on our own.
  package static func origin(of template: String) -> String? {
    guard let scheme = template.range(of: "://") else { return nil }
    let host = template[scheme.upperBound...].prefix { $0 != "/" }
    return host.isEmpty ? nil : String(template[..<scheme.upperBound] + host)
  }
}
