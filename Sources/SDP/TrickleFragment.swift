/// An `application/trickle-ice-sdpfrag` body: candidates and credentials without a whole description (RFC 8840 §9).
///
/// WHIP and WHEP send it in PATCH requests, in both directions (RFC 9725 §4.3).
package struct TrickleFragment: Hashable, Sendable {
  /// Session-level credentials; nil when only the sections have them, or none.
  package var credentials: SDPICECredentials?
  package var isICELite: Bool
  package var sections: [Section]
  /// Whether `a=end-of-candidates` stands before the first m-line, for all of them.
  package var endsEverySection: Bool

  /// The candidates of one m-line.
  package struct Section: Hashable, Sendable {
    /// The m-line that the fragment pretends to have; `audio 9 UDP/TLS/RTP/SAVPF 0` by default.
    package var mediaLine: String
    package var mid: String?
    package var credentials: SDPICECredentials?
    /// Values of `a=candidate`, without `candidate:`.
    package var candidates: [String]
    package var hasAllCandidates: Bool

    package init(
      mediaLine: String = "audio 9 UDP/TLS/RTP/SAVPF 0", mid: String?, credentials: SDPICECredentials? = nil,
      candidates: [String] = [], hasAllCandidates: Bool = false
    ) {
      self.mediaLine = mediaLine
      self.mid = mid
      self.credentials = credentials
      self.candidates = candidates
      self.hasAllCandidates = hasAllCandidates
    }
  }

  package init(
    credentials: SDPICECredentials? = nil, isICELite: Bool = false, sections: [Section] = [],
    endsEverySection: Bool = false
  ) {
    self.credentials = credentials
    self.isICELite = isICELite
    self.sections = sections
    self.endsEverySection = endsEverySection
  }

  /// The fragment's credentials, wherever they stand: everything is bundled on one transport.
  package var anyCredentials: SDPICECredentials? {
    credentials ?? sections.lazy.compactMap(\.credentials).first
  }

  /// All candidates, each once, at most ``SDPLimits/maximumCandidates``.
  package var candidates: [String] {
    var result: [String] = []
    for candidate in sections.lazy.flatMap(\.candidates) where !result.contains(candidate) {
      guard result.count < SDPLimits.maximumCandidates else { break }
      result.append(candidate)
    }
    return result
  }

  /// Whether no candidate follows.
  package var hasAllCandidates: Bool {
    endsEverySection || !sections.isEmpty && sections.contains(where: \.hasAllCandidates)
  }
}

extension TrickleFragment {
  /// Parses a fragment with CRLF or LF line ends, within ``SDPLimits``.
  ///
  /// Candidates before the first `m=`, as some WHIP clients send them, become a section without mid. Whole descriptions
  /// pass too, because their other lines are ignored.
  package init(parsing text: String) throws(SDPError) {
    var levels = [Level(mediaLine: nil)]
    for line in try SDPLine.lines(of: text) {
      switch line.type {
      case "m":
        guard levels.count <= SDPLimits.maximumMediaSections else {
          throw SDPError(.tooLarge, line: line.number, text: line.text, reason: "the fragment has too many m-lines")
        }
        levels.append(Level(mediaLine: try MediaSection(parsing: line)))
      case "a": levels[levels.count - 1].attributes.append(try SDPAttribute(parsing: line))
      default: continue
      }
    }
    let session = levels[0]
    var sections: [Section] = []
    if !session.candidates.isEmpty { sections.append(Section(mid: nil, candidates: session.candidates)) }
    for level in levels.dropFirst() { sections.append(try level.section()) }
    self.init(
      credentials: try session.iceCredentials(), isICELite: session.has("ice-lite"), sections: sections,
      endsEverySection: session.has("end-of-candidates"))
    guard anyCredentials != nil || !self.candidates.isEmpty || hasAllCandidates else {
      throw SDPError(.malformed, reason: "the fragment has neither credentials nor candidates")
    }
  }

  /// The fragment as text, with CRLF line ends.
  package func serialize() -> String {
    var attributes: [SDPAttribute] = []
    if isICELite { attributes.append(SDPAttribute("ice-lite")) }
    attributes += credentials.map(\.attributes) ?? []
    if endsEverySection { attributes.append(SDPAttribute("end-of-candidates")) }
    var text = attributes.map { $0.text + "\r\n" }.joined()
    for section in sections {
      text += "m=\(section.mediaLine)\r\n"
      var attributes = section.mid.map { [SDPAttribute("mid", $0)] } ?? []
      attributes += section.credentials.map(\.attributes) ?? []
      attributes += section.candidates.map { SDPAttribute("candidate", $0) }
      if section.hasAllCandidates { attributes.append(SDPAttribute("end-of-candidates")) }
      for attribute in attributes { text += attribute.text + "\r\n" }
    }
    return text
  }

  /// The session's attributes, or those of one m-line.
  private struct Level: SDPAttributeHolder {
    var mediaLine: MediaSection?
    var attributes: [SDPAttribute] = []

    func section() throws(SDPError) -> Section {
      let line = mediaLine.map { String($0.text.dropFirst(2)) } ?? ""
      return Section(
        mediaLine: line, mid: attribute("mid")?.value, credentials: try iceCredentials(), candidates: candidates,
        hasAllCandidates: has("end-of-candidates"))
    }
  }
}

extension SDPICECredentials {
  fileprivate var attributes: [SDPAttribute] {
    [SDPAttribute("ice-ufrag", usernameFragment), SDPAttribute("ice-pwd", password)]
  }
}
