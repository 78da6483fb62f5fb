import Foundation
import FoundationNetworking

/// The few HTTP requests that signalling takes.
struct HTTPExchange: Sendable {
  /// An answer with a body of text.
  struct Reply: Sendable {
    var status: Int
    var location: String?
    var body: String
    /// Of the answered request, for relative locations.
    var url: URL
  }

  private let session: URLSession

  /// Seconds to wait for an answer; servers that let clients wait for events answer within 30.
  private static let timeout: TimeInterval = 40
  private static let connections = 64
  /// Characters of a refusal that are shown.
  private static let shownCharacters = 200

  init() {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpMaximumConnectionsPerHost = Self.connections
    configuration.timeoutIntervalForRequest = Self.timeout
    configuration.httpShouldSetCookies = false
    session = URLSession(configuration: configuration)
  }

  /// Sends a request; an answer other than 2xx is an error.
  func send(
    _ method: String, _ address: String, type: String? = nil, token: String? = nil, body: Data? = nil
  ) async throws -> Reply {
    guard let url = URL(string: address), url.scheme == "http" || url.scheme == "https" else {
      throw ClientError("\(address) is not an http or https URL.")
    }
    var request = URLRequest(url: url)
    request.httpMethod = method
    request.httpBody = body
    if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
    if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
    let (data, response) = try await session.data(for: request)
    let text = String(decoding: data, as: UTF8.self)
    guard let http = response as? HTTPURLResponse else { throw ClientError("\(address) did not answer with HTTP.") }
    guard (200..<300).contains(http.statusCode) else {
      throw ClientError("\(method) \(address): \(http.statusCode) \(text.prefix(Self.shownCharacters))")
    }
    return Reply(
      status: http.statusCode, location: http.value(forHTTPHeaderField: "Location"), body: text,
      url: http.url ?? url)
  }
}
