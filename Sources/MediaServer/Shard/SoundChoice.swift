/// Which of many voices a viewer hears.
///
/// As long as there is a slot for everybody, nothing is chosen. Beyond that the caller and the control room come first:
/// they are what the incident is about, and must not be cut off by a chatty unit. Among equals, who speaks comes before
/// who is silent, and who is heard already before who is not, so that nobody is cut off in the middle of a word:
/// speaking ends only some time after the last one (`SpeakerLevel.hold`).
package enum SoundChoice {
  /// One voice that could be heard.
  package struct Voice: Sendable {
    package var part: PeerPart
    package var isLive: Bool
    package var isSpeaking: Bool
    /// Whether it is on one of the viewer's slots already.
    package var isHeard: Bool

    package init(part: PeerPart, isLive: Bool = true, isSpeaking: Bool, isHeard: Bool) {
      self.part = part
      self.isLive = isLive
      self.isSpeaking = isSpeaking
      self.isHeard = isHeard
    }

    /// Lowest first.
    fileprivate var order: (Int, Int, Int, Int) {
      (isLive ? 0 : 1, comesFirst ? 0 : 1, isSpeaking ? 0 : 1, isHeard ? 0 : 1)
    }

    private var comesFirst: Bool {
      switch part {
      case .caller, .control: true
      case .field, .onlooker: false
      }
    }
  }

  /// The places in `voices` of those to be heard on `slots` slots, in their old order; equals in that order too.
  package static func choose(from voices: [Voice], slots: Int) -> [Int] {
    guard voices.count > slots else { return Array(voices.indices) }
    let ranked = voices.indices.sorted { (voices[$0].order, $0) < (voices[$1].order, $1) }
    return ranked.prefix(slots).sorted()
  }
}

/// Tuples of tuples have no order of their own.
private func < (left: ((Int, Int, Int, Int), Int), right: ((Int, Int, Int, Int), Int)) -> Bool {
  left.0 == right.0 ? left.1 < right.1 : left.0 < right.0
}
