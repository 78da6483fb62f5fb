import Primitives

/// One HTTP request to another system, checked so that nothing in it can end a line early.
package struct OutgoingRequest: Hashable, Sendable, CustomStringConvertible {
  package struct Header: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package let method: String
  package let url: String
  package let headers: [Header]
  package let body: [UInt8]
  /// From the start to the last byte of the answer.
  package let timeLimit: TimeInterval64

  /// Longest address, in bytes.
  package static let maximumURLLength = 4_096
  /// Most headers.
  package static let maximumHeaders = 64
  /// Longest header, in bytes.
  package static let maximumHeaderLength = 8_192
  /// Longest body, in bytes.
  package static let maximumBodyLength = 4 * 1_024 * 1_024
  package static let defaultTimeLimit = TimeInterval64.seconds(15)

  /// Throws `invalid` for an address that is not http or https, and for a method, header or body that cannot be sent.
  package init(
    method: String = "POST", url: String, headers: [Header] = [], body: [UInt8] = [],
    timeLimit: TimeInterval64 = defaultTimeLimit
  ) throws(OutgoingError) {
    guard Self.host(of: url) != nil else {
      throw OutgoingError(.invalid, "The address has to be http:// or https:// with a host, and no white space.")
    }
    guard (1...16).contains(method.utf8.count), method.utf8.allSatisfy({ (0x41...0x5a).contains($0) }) else {
      throw OutgoingError(.invalid, "The method has to be a word in capitals such as POST.")
    }
    guard headers.count <= Self.maximumHeaders, headers.allSatisfy(Self.isSendable) else {
      throw OutgoingError(.invalid, "A header has a name that is no token, or a value with a line break.")
    }
    guard body.count <= Self.maximumBodyLength else {
      throw OutgoingError(.invalid, "The body is longer than \(Self.maximumBodyLength) bytes.")
    }
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeLimit = timeLimit
  }

  /// Host of an http or https address; nil for any other address.
  package static func host(of url: String) -> String? {
    let lower = url.lowercased()
    guard url.utf8.count <= maximumURLLength, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      let scheme = ["https://", "http://"].first(where: { lower.hasPrefix($0) })
    else { return nil }
    let authority = lower.dropFirst(scheme.count).prefix { !"/?#\\".contains($0) }
    // A name and password in an address end up in logs; providers want them in a header.
    guard !authority.isEmpty, !authority.contains("@") else { return nil }
    if authority.hasPrefix("[") {
      let host = authority.dropFirst().prefix { $0 != "]" }
      return host.isEmpty ? nil : String(host)
    }
    let host = authority.prefix { $0 != ":" }
    return host.isEmpty ? nil : String(host)
  }

  package var host: String { Self.host(of: url) ?? "" }

  /// Method and host alone: the rest may be secret.
  package var description: String { "\(method) to \(host)" }

  /// RFC 9110 §5.1 and §5.5.
  private static func isSendable(_ header: Header) -> Bool {
    let marks = Array("!#$%&'*+-.^_`|~".utf8)
    let length = header.name.utf8.count + header.value.utf8.count
    return !header.name.isEmpty && length <= maximumHeaderLength
      && header.name.utf8.allSatisfy({ $0.isASCIILetterOrDigit || marks.contains($0) })
      && header.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
  }
}

/// What the other system answered.
package struct OutgoingResponse: Hashable, Sendable {
  package let status: Int
  package let headers: [OutgoingRequest.Header]
  package let body: [UInt8]

  package init(status: Int, headers: [OutgoingRequest.Header] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package var isSuccess: Bool { (200..<300).contains(status) }

  /// The first header of that name, however it is spelt.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}
