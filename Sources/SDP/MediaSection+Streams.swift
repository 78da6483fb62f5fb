import Primitives

/// The SSRCs that a section announces (RFC 5576).
package struct AnnouncedSources: Hashable, Sendable {
  /// One encoding: a media stream and, when it has one, the stream that repairs it.
  package struct Encoding: Hashable, Sendable {
    package var ssrc: SSRC
    /// The SSRC of its retransmissions (`a=ssrc-group:FID`, RFC 4588 §8.1).
    package var retransmission: SSRC?

    package init(ssrc: SSRC, retransmission: SSRC? = nil) {
      self.ssrc = ssrc
      self.retransmission = retransmission
    }
  }

  /// In the order of `a=ssrc-group:SIM` if there is one, else of the `a=ssrc` lines.
  package var encodings: [Encoding]
  package var cname: String?

  package init(encodings: [Encoding] = [], cname: String? = nil) {
    self.encodings = encodings
    self.cname = cname
  }

  /// Most encodings kept out of one section; more are ignored.
  package static let maximumEncodings = 8
}

/// An `a=extmap` line (RFC 8285 §5).
package struct HeaderExtension: Hashable, Sendable {
  package var id: UInt8
  package var uri: String
  /// Which way it may be used, seen from the writer; Firefox says it, Chromium does not.
  package var direction: MediaDirection

  package init(id: UInt8, uri: String, direction: MediaDirection = .sendrecv) {
    self.id = id
    self.uri = uri
    self.direction = direction
  }

  /// Most extensions kept out of one section; more are ignored.
  package static let maximumCount = 64

  /// The line's value.
  var value: String { "\(id)\(direction == .sendrecv ? "" : "/\(direction.rawValue)") \(uri)" }
}

/// A stream that the section sends or receives by RTP stream id (RFC 8851).
package struct RestrictionIdentifier: Hashable, Sendable {
  package var id: String
  package var direction: MediaDirection
}

extension MediaSection {
  /// The header extensions of the section (RFC 8285 §5); of two lines with the same URI the first counts.
  package func headerExtensions() throws(SDPError) -> [HeaderExtension] {
    var result: [HeaderExtension] = []
    for attribute in attributes("extmap") {
      let words = try attribute.requiredValue().words
      let (idText, directionText) = words[0].splitOnce("/") ?? (words[0], "sendrecv")
      guard words.count >= 2, let id: UInt16 = idText.decimal(), id > 0,
        let direction = MediaDirection(rawValue: String(directionText))
      else { throw attribute.malformed("extmap is an id from 1 on, perhaps /direction, and a URI") }
      // Ids above 255 are for offers that leave the choice to the answerer (RFC 8285 §5); nobody who bundles does.
      guard let id = UInt8(exactly: id), !result.contains(where: { $0.uri == words[1] }) else { continue }
      result.append(HeaderExtension(id: id, uri: String(words[1]), direction: direction))
      guard result.count < HeaderExtension.maximumCount else { break }
    }
    return result
  }

  /// The `a=rid` lines (RFC 8851 §4).
  package func restrictionIdentifiers() throws(SDPError) -> [RestrictionIdentifier] {
    var result: [RestrictionIdentifier] = []
    for attribute in attributes("rid") {
      let words = try attribute.requiredValue().words
      guard words.count >= 2, Self.isRID(words[0]), words[1] == "send" || words[1] == "recv" else {
        throw attribute.malformed("rid is an identifier of letters, digits, '-' or '_', then send or recv")
      }
      result.append(RestrictionIdentifier(id: String(words[0]), direction: words[1] == "send" ? .sendonly : .recvonly))
    }
    return result
  }

  /// The rids that the section sends as simulcast (RFC 8853 §5.1), best first as its writer ordered them.
  ///
  /// Of alternatives (`a,b`) the first counts; the pause mark (`~`) is dropped. Rids without an `a=rid` line are left out,
  /// as the RFC demands. Empty without simulcast.
  package func simulcastSendRIDs() throws(SDPError) -> [String] {
    guard let attribute = attribute("simulcast") else { return [] }
    var words = try attribute.requiredValue().words[...]
    let known = Set(try restrictionIdentifiers().filter { $0.direction == .sendonly }.map(\.id))
    while let direction = words.popFirst() {
      guard direction == "send" || direction == "recv", var list = words.popFirst() else {
        throw attribute.malformed("simulcast is send or recv and a list of rids")
      }
      // Chromium before 2019 wrote `rid=a;b`.
      if list.hasPrefix("rid=") { list = list.dropFirst(4) }
      guard direction == "send" else { continue }
      var rids: [String] = []
      for stream in list.split(separator: ";") {
        let first = stream.split(separator: ",").first ?? stream
        let rid = String(first.hasPrefix("~") ? first.dropFirst() : first)
        guard Self.isRID(rid) else { throw attribute.malformed("simulcast names something that is no rid") }
        if known.contains(rid), !rids.contains(rid) { rids.append(rid) }
      }
      return rids
    }
    return []
  }

  /// The section's SSRCs, with retransmission SSRCs folded into what they repair.
  package func announcedSources() throws(SDPError) -> AnnouncedSources {
    var order: [SSRC] = []
    var cname: String?
    var seen: Set<SSRC> = []
    for attribute in attributes("ssrc") {
      let words = try attribute.requiredValue().words
      guard let value: UInt32 = words[0].decimal() else { throw attribute.malformed("the SSRC is not a 32-bit number") }
      if seen.insert(SSRC(value)).inserted { order.append(SSRC(value)) }
      if cname == nil, words.count > 1, words[1].hasPrefix("cname:") { cname = String(words[1].dropFirst(6)) }
    }
    var repairs: [SSRC: SSRC] = [:]
    var secondary: Set<SSRC> = []
    for attribute in attributes("ssrc-group") {
      let (semantics, members) = try Self.sourceGroup(attribute)
      switch semantics {
      case "SIM": order = members + order.filter { !members.contains($0) }
      case "FID" where members.count == 2:
        repairs[members[0]] = members[1]
        secondary.insert(members[1])
      default: secondary.formUnion(members.dropFirst())
      }
    }
    let encodings = order.filter { !secondary.contains($0) }.prefix(AnnouncedSources.maximumEncodings)
      .map { AnnouncedSources.Encoding(ssrc: $0, retransmission: repairs[$0]) }
    return AnnouncedSources(encodings: encodings, cname: cname)
  }

  /// Most members of one `a=ssrc-group`.
  package static let maximumGroupMembers = 16

  private static func sourceGroup(_ attribute: SDPAttribute) throws(SDPError) -> (Substring, [SSRC]) {
    let value = try attribute.requiredValue()
    let words = value.words
    guard words.count <= maximumGroupMembers + 1 else { throw attribute.malformed("the group has too many members") }
    var members: [SSRC] = []
    for word in words.dropFirst() {
      guard let ssrc: UInt32 = word.decimal() else { throw attribute.malformed("an SSRC is not a 32-bit number") }
      members.append(SSRC(ssrc))
    }
    return (words[0], members)
  }

  /// RFC 8851 §10 as amended: letters, digits, `-` and `_`; at most as long as a one-byte extension can carry.
  private static func isRID(_ text: some StringProtocol) -> Bool {
    (1...16).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
  }
}
