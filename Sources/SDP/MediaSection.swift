/// An m-line and what belongs to it (RFC 8866 §5.14).
package struct MediaSection: Sendable, SDPAttributeHolder {
  /// The media as written: `audio`, `video`, `application` or something else.
  package var media: String
  package var port: UInt16
  /// For example `UDP/TLS/RTP/SAVPF`.
  package var transport: String
  /// Payload types of RTP media, or what the transport calls its formats (`webrtc-datachannel`).
  package var formats: [String]
  /// The section's `i c b k` lines, in order.
  package var lines: [SDPLine]
  package var attributes: [SDPAttribute]
  /// 1-based line of the m-line; 0 for a section that we wrote.
  package var line: Int

  package init(
    media: String, port: UInt16 = 9, transport: String, formats: [String],
    lines: [SDPLine] = [SDPLine("c", "IN IP4 0.0.0.0")], attributes: [SDPAttribute] = [], line: Int = 0
  ) {
    self.media = media
    self.port = port
    self.transport = transport
    self.formats = formats
    self.lines = lines
    self.attributes = attributes
    self.line = line
  }

  init(parsing line: SDPLine) throws(SDPError) {
    func malformed(_ reason: String) -> SDPError {
      SDPError(.malformed, line: line.number, text: line.text, reason: reason)
    }
    let fields = line.value.words
    guard fields.count >= 4 else { throw malformed("m= has a media, a port, a protocol and at least one format") }
    guard fields[0].isToken else { throw malformed("the media is no proper name") }
    // `9/2` means two ports (RFC 8866 §5.14); WebRTC uses one.
    guard let port: UInt16 = (fields[1].splitOnce("/")?.head ?? fields[1]).decimal() else {
      throw malformed("the port is not a number from 0 to 65535")
    }
    guard fields.count - 3 <= SDPLimits.maximumFormats else {
      throw SDPError(
        .tooLarge, line: line.number, text: line.text, reason: "more than \(SDPLimits.maximumFormats) formats")
    }
    self.init(
      media: String(fields[0]), port: port, transport: String(fields[2]), formats: fields[3...].map(String.init),
      lines: [], line: line.number)
  }

  /// The m-line as text, without its end.
  package var text: String { "m=\(media) \(port) \(transport) \(formats.joined(separator: " "))" }

  func serialize(into text: inout String) {
    text += self.text + "\r\n"
    for line in lines { text += line.text + "\r\n" }
    for attribute in attributes { text += attribute.text + "\r\n" }
  }

  /// An error about this m-line.
  func error(_ code: SDPError.Code, _ reason: String) -> SDPError {
    SDPError(code, line: line, text: text, reason: reason)
  }
}

extension MediaSection: Hashable {
  /// Compares the content: the line is only where it came from.
  package static func == (left: MediaSection, right: MediaSection) -> Bool {
    left.text == right.text && left.lines == right.lines && left.attributes == right.attributes
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(text)
    hasher.combine(lines)
    hasher.combine(attributes)
  }
}

/// What an RTP m-line carries.
package enum SDPMediaKind: String, Hashable, Sendable {
  case audio
  case video
}

/// Which way media flows, seen from whoever wrote the description (RFC 8866 §6.7).
package enum MediaDirection: String, Hashable, Sendable {
  case sendrecv
  case sendonly
  case recvonly
  case inactive

  package init(sends: Bool, receives: Bool) {
    self = sends ? (receives ? .sendrecv : .sendonly) : (receives ? .recvonly : .inactive)
  }

  package var sends: Bool { self == .sendrecv || self == .sendonly }

  package var receives: Bool { self == .sendrecv || self == .recvonly }

  /// The same flow seen from the other side.
  package var reversed: MediaDirection { MediaDirection(sends: receives, receives: sends) }
}

extension MediaSection {
  /// The kind of an RTP m-line over DTLS-SRTP; nil for anything that we cannot carry as RTP.
  ///
  /// The three older spellings of the protocol mean the same (RFC 8829 §5.1.2).
  package var kind: SDPMediaKind? {
    let secured = ["UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVP"]
    return secured.contains(transport) ? SDPMediaKind(rawValue: media) : nil
  }

  /// Whether this is an SCTP association for data channels (RFC 8841 §4).
  package var isDataChannel: Bool {
    media == "application" && (transport == "UDP/DTLS/SCTP" || transport == "TCP/DTLS/SCTP")
      && formats.first == "webrtc-datachannel"
  }

  /// Whether the section asks for nothing: port 0 without `a=bundle-only` (RFC 3264 §6, RFC 8843 §6).
  package var isRejected: Bool { port == 0 && !has("bundle-only") }

  /// The section's identification tag (RFC 5888 §4); nil without `a=mid`.
  package func mid() throws(SDPError) -> String? {
    guard let attribute = attribute("mid") else { return nil }
    guard let value = attribute.value, value.isToken else { throw attribute.malformed("the mid is no proper token") }
    return value
  }

  /// The section's direction; the session's applies when it says nothing, and `sendrecv` when neither does.
  package func direction(in session: SessionDescription) -> MediaDirection {
    for attributes in [attributes, session.attributes] {
      for attribute in attributes {
        if attribute.value == nil, let direction = MediaDirection(rawValue: attribute.name) { return direction }
      }
    }
    return .sendrecv
  }
}
