import ControlRoom
import Foundation
import HTTPTypes
import Hummingbird
import MediaServer
import NIOCore

/// A refusal with words for the person who meets it: a problem document over HTTP (RFC 9457), an `error` on a WebSocket.
package struct Problem: Error, Hashable, Sendable {
  /// What a program can tell apart.
  package enum Code: String, Hashable, Sendable, CaseIterable {
    case missingToken
    case invalidToken
    case expiredToken
    case forbidden
    case tooManyFailures
    case notFound
    case methodNotAllowed
    case unsupportedMediaType
    case tooLarge
    case badRequest
    case badDescription
    case preconditionRequired
    case preconditionFailed
    case unknownSession
    case unknownSlot
    case full
    case unavailable
    case upgradeRequired
    case unknownKind
    case rangeNotSatisfiable
    case internalError
    // The control room's refusals (``Refusal``).
    case badEnvelope
    case wrongVersion
    case badPayload
    case serverOnly
    case wrongState
    case unknownSubject
    case idReused
    case clockSkew
    case tooFast
    case slowReader
    case signInRequired
    case badCredentials
    case codeRequired
    case sessionLocked
    case csrf
    case lockedOut
    case linkExpired
    case linkUsed
    case linkEnded
    case linkRevoked
    case damaged
  }

  package var code: Code
  /// What happened and what to do next, in plain words.
  package var detail: String
  var headers: HTTPFields = [:]

  init(_ code: Code, _ detail: String, headers: HTTPFields = [:]) {
    self.code = code
    self.detail = detail
    self.headers = headers
  }

  /// The HTTP status that says the same.
  var status: HTTPResponse.Status {
    switch code {
    case .missingToken, .invalidToken, .expiredToken, .signInRequired, .badCredentials, .codeRequired, .linkExpired,
      .linkUsed, .linkEnded, .linkRevoked:
      .unauthorized
    case .forbidden, .serverOnly, .csrf: .forbidden
    case .sessionLocked: HTTPResponse.Status(code: 423, reasonPhrase: "Locked")
    case .tooManyFailures, .tooFast, .lockedOut: .tooManyRequests
    case .notFound, .unknownSession: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .unsupportedMediaType: .unsupportedMediaType
    case .tooLarge: .contentTooLarge
    case .badRequest, .badDescription, .unknownKind, .badEnvelope, .wrongVersion, .badPayload, .clockSkew: .badRequest
    case .wrongState, .idReused, .unknownSubject, .damaged: .conflict
    case .rangeNotSatisfiable: .rangeNotSatisfiable
    case .preconditionRequired: .preconditionRequired
    case .preconditionFailed: .preconditionFailed
    case .unknownSlot: .conflict
    case .full, .unavailable, .slowReader: .serviceUnavailable
    case .upgradeRequired: .upgradeRequired
    case .internalError: .internalServerError
    }
  }

  /// The problem document's JSON (RFC 9457 §3); `code` is our extension member.
  var document: String {
    struct Document: Encodable {
      var type = "about:blank"
      var title: String
      var status: Int
      package var detail: String
      var code: String
    }
    let document = Document(
      title: status.reasonPhrase, status: status.code, detail: detail, code: code.rawValue)
    return JSONText.encode(document)
  }

  /// The whole HTTP answer.
  var response: Response {
    var fields = headers
    fields[.contentType] = "application/problem+json"
    fields[.cacheControl] = "no-store"
    return Response(status: status, headers: fields, body: .init(byteBuffer: ByteBuffer(string: document)))
  }
}

extension Problem {
  /// No token at all: no error code, so that the client learns only the scheme (RFC 6750 §3.1).
  static let missingToken = Problem(
    .missingToken, "This needs an access token. Open the link that you were sent, or ask for a new one.",
    headers: [.wwwAuthenticate: "Bearer"])

  static let invalidToken = Problem(
    .invalidToken, "The access token is not one of ours. Open the link exactly as you were sent it.",
    headers: [.wwwAuthenticate: #"Bearer error="invalid_token", error_description="not a token of this service""#])

  static let expiredToken = Problem(
    .expiredToken, "The link is no longer valid. Ask for a new one.",
    headers: [.wwwAuthenticate: #"Bearer error="invalid_token", error_description="expired""#])

  static let forbidden = Problem(
    .forbidden, "The access token is valid, but not for this. Use the link for this incident and this purpose.",
    headers: [.wwwAuthenticate: #"Bearer error="insufficient_scope""#])

  static func tooManyFailures(retryAfter seconds: Int) -> Problem {
    Problem(
      .tooManyFailures, "Too many refused access tokens from this address. Wait \(seconds) seconds, then try again.",
      headers: [.retryAfter: String(seconds)])
  }

  static let unknownSession = Problem(
    .unknownSession, "There is no such session, or no longer. Start a new one with a new offer.")

  static let notFound = Problem(.notFound, "There is nothing here. Check the address.")

  static let full = Problem(
    .full, "The server has as many sessions as it takes. Try again in a few seconds.",
    headers: [.retryAfter: String(retrySeconds)])

  static let internalError = Problem(.internalError, "Something went wrong on our side. Try again.")

  static func tooLarge(limit: Int) -> Problem {
    Problem(.tooLarge, "The body is larger than the \(limit) bytes that are accepted here.")
  }

  /// Seconds after which a refusal for lack of room may have passed.
  static let retrySeconds = 5

  /// What a message that cannot be understood is answered with.
  package init(_ reason: EnvelopeError.Reason) {
    switch reason {
    case .malformed(let text): self.init(.badRequest, text)
    case .tooLarge(let text): self.init(.tooLarge, text)
    case .unknownKind: self.init(.unknownKind, "This server does not know messages of this kind.")
    case .unknownSession: self = .unknownSession
    }
  }

  /// What the media plane's refusal means to a client.
  init(_ error: MediaError) {
    switch error.code {
    case .badDescription: self.init(.badDescription, error.text)
    case .notPermitted: self.init(.forbidden, error.text)
    case .unknownPeer: self.init(.unknownSession, error.text)
    case .unknownSlot: self.init(.unknownSlot, error.text)
    case .full: self.init(.full, error.text, headers: [.retryAfter: String(Self.retrySeconds)])
    case .unavailable: self.init(.unavailable, error.text, headers: [.retryAfter: String(Self.retrySeconds)])
    }
  }
}

extension Problem {
  /// What the control room's refusal means over HTTP.
  package init(_ refusal: Refusal) {
    var headers: HTTPFields = [:]
    if let wait = refusal.retryAfter { headers[.retryAfter] = String(max(1, Int(wait.seconds.rounded(.up)))) }
    switch refusal.code {
    case .signInRequired, .linkExpired, .linkUsed, .linkEnded, .linkRevoked: headers[.wwwAuthenticate] = "Bearer"
    case .forbidden: headers[.wwwAuthenticate] = #"Bearer error="insufficient_scope""#
    default: break
    }
    // Every code of the control room is one of ours by name; a test holds them together.
    self.init(Code(rawValue: refusal.code.rawValue) ?? .internalError, refusal.text, headers: headers)
  }
}

/// JSON the way everything here writes it: sorted keys, slashes as they are.
enum JSONText {
  static func encode(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      preconditionFailure("a message of strings and integers cannot fail to encode: \(type(of: value))")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
