import Primitives

/// Why the value of a `candidate` attribute cannot be used.
package enum ICECandidateError: Error, Hashable, Sendable {
  /// Longer than ``ICECandidate/maximumAttributeLength``.
  case tooLong
  /// A part is missing or does not follow RFC 8839 §5.1; names the part.
  case malformed(String)
  /// The address is a name, such as an mDNS one: resolve it or leave the candidate out; checks from there still arrive.
  case unresolvedName
  /// A transport other than UDP and TCP.
  case unknownTransport
}

extension ICECandidate {
  /// Longest accepted attribute value, in bytes.
  package static let maximumAttributeLength = 512

  /// Parses the attribute's value, with or without `candidate:` or `a=candidate:` before it (RFC 8839 §5.1).
  package init(parsing text: some StringProtocol) throws(ICECandidateError) {
    guard text.utf8.count <= Self.maximumAttributeLength else { throw .tooLong }
    var words = String(text).split { $0 == " " || $0.isNewline }.map { String($0) }
    guard words.count >= 8, words[6] == "typ" else { throw .malformed("typ") }
    for prefix in ["a=", "candidate:"] where words[0].hasPrefix(prefix) {
      words[0].removeFirst(prefix.count)
    }

    guard (1...32).contains(words[0].utf8.count), words[0].utf8.allSatisfy({ $0.isICECharacter }) else {
      throw .malformed("foundation")
    }
    guard let component = UInt16(words[1]), (1...256).contains(component) else { throw .malformed("component") }
    guard let priority = UInt32(words[3]) else { throw .malformed("priority") }
    guard let port = UInt16(words[5]) else { throw .malformed("port") }
    guard let type = ICECandidateType(rawValue: words[7]) else { throw .malformed("type") }
    let transport = try Self.parseTransport(words[2])
    let address = try Self.parseAddress(words[4], port: port)
    self.init(
      foundation: words[0], component: component, transport: transport, priority: priority, address: address,
      type: type)
    try parseExtensions(words.dropFirst(8))
  }

  /// The attribute's value as SDP wants it after `a=`: `candidate:` and what follows (RFC 8839 §5.1).
  package var attribute: String {
    var text = "candidate:\(foundation) \(component) \(transport) \(priority) \(address.ip) \(address.port)"
    text += " typ \(type.rawValue)"
    if let relatedAddress { text += " raddr \(relatedAddress.ip) rport \(relatedAddress.port)" }
    if let tcpType { text += " tcptype \(tcpType.rawValue)" }
    if let usernameFragment { text += " ufrag \(usernameFragment)" }
    return text
  }

  private static func parseTransport(_ word: String) throws(ICECandidateError) -> TransportProtocol {
    switch word.lowercased() {
    case "udp": .udp
    case "tcp": .tcp
    default: throw .unknownTransport
    }
  }

  private static func parseAddress(_ word: String, port: UInt16) throws(ICECandidateError) -> TransportAddress {
    if let address = TransportAddress(word, port: port) { return address }
    throw word.contains(":") || word.utf8.allSatisfy({ $0.isDigitOrDot }) ? .malformed("address") : .unresolvedName
  }

  /// Reads name and value pairs; unknown names are skipped, as RFC 8839 §5.1 asks.
  private mutating func parseExtensions(_ words: ArraySlice<String>) throws(ICECandidateError) {
    var related: (ip: IPAddress?, port: UInt16?) = (nil, nil)
    var index = words.startIndex
    while index + 1 < words.endIndex {
      let value = words[index + 1]
      switch words[index] {
      case "raddr": related.ip = IPAddress(value)
      case "rport": related.port = UInt16(value)
      case "tcptype": tcpType = ICETCPType(rawValue: value)
      case "ufrag": usernameFragment = value
      default: break
      }
      index += 2
    }
    if let ip = related.ip, let port = related.port { relatedAddress = TransportAddress(ip: ip, port: port) }
    guard (transport == .tcp) == (tcpType != nil) else { throw .malformed("tcptype") }
  }
}

extension UInt8 {
  /// `ice-char` of RFC 8839 §5.1.
  fileprivate var isICECharacter: Bool {
    isASCIILetterOrDigit || self == UInt8(ascii: "+") || self == UInt8(ascii: "/")
  }

  fileprivate var isDigitOrDot: Bool { (0x30...0x39).contains(self) || self == UInt8(ascii: ".") }
}
