import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Primitives

/// What a request carries along: Hummingbird's own values and the address of the other end.
struct GatewayContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let remoteAddress: String

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    remoteAddress = source.channel.remoteAddress.limiterKey
  }
}

extension SocketAddress? {
  /// What failures are counted by: the IPv4 address, or the IPv6 network that one customer has.
  var limiterKey: String {
    switch self {
    case .v4(let address): address.host.isEmpty ? (self?.ipAddress ?? "unknown") : address.host
    case .v6: (self?.ipAddress).map(Self.network) ?? "unknown"
    case .unixDomainSocket, nil: "local"
    }
  }

  private static func network(_ address: String) -> String {
    guard let parsed = try? SocketAddress(ipAddress: address, port: 0), case .v6(let inner) = parsed else {
      return address
    }
    let bytes = withUnsafeBytes(of: inner.address.sin6_addr) { Array($0) }
    let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
    return bytes.starts(with: mappedPrefix) ? address : "\(Hex.encode(bytes.prefix(8)))/64"
  }
}

extension Request {
  /// The presented token: the Authorization header's (RFC 6750 §2.1), else the query's `token`.
  ///
  /// A header of another scheme counts as an empty token, so that it is refused and not overlooked.
  var presentedToken: String? {
    if let authorization = headers[.authorization] {
      let parts = authorization.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, parts[0].lowercased() == "bearer" else { return "" }
      return parts[1].trimmingSpaces()
    }
    return queryToken
  }

  /// The token in the query, for devices that take an address and nothing else.
  var queryToken: String? {
    uri.queryParameters["token"].map(String.init)
  }

  /// The content type without its parameters, in lower case.
  var mediaType: String? {
    headers[.contentType]?.split(separator: ";").first.map { $0.trimmingSpaces().lowercased() }
  }

  /// The whole body as text, if it is UTF-8 and no longer than `limit` bytes.
  func text(upTo limit: Int) async throws -> String {
    if let announced = headers[.contentLength].flatMap(Int.init), announced > limit {
      throw Problem.tooLarge(limit: limit)
    }
    do {
      var buffer = try await body.collect(upTo: limit)
      guard let text = try? buffer.readUTF8ValidatedString(length: buffer.readableBytes) else {
        throw Problem(.badRequest, "The body is not UTF-8 text.")
      }
      return text
    } catch is NIOTooManyBytesError {
      throw Problem.tooLarge(limit: limit)
    }
  }
}

extension GatewayContext {
  /// The incident that the path names.
  func incident() throws(Problem) -> IncidentID {
    guard let incident = parameters.get("incident").flatMap({ IncidentID($0) }) else { throw .notFound }
    return incident
  }
}
