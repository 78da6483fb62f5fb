import Primitives

/// How something is sent to people.
package enum MessageWay: String, Hashable, Sendable, CaseIterable {
  case sms, email
}

/// How sending went lately, one way.
package struct SendingRecord: Hashable, Sendable {
  /// Failures since the last message that was taken.
  package struct Trouble: Hashable, Sendable {
    package let since: UTCTime
    /// The latest failure in words.
    package let text: String

    package init(since: UTCTime, text: String) {
      self.since = since
      self.text = text
    }
  }

  /// Messages that were handed over since the start.
  package private(set) var accepted = 0
  /// Messages that were not, since the start.
  package private(set) var failed = 0
  package private(set) var lastAcceptedAt: UTCTime?
  package private(set) var trouble: Trouble?

  package init() {}

  mutating func note(failure: String?, at now: UTCTime) {
    if let failure {
      failed += 1
      trouble = Trouble(since: trouble?.since ?? now, text: failure)
    } else {
      accepted += 1
      lastAcceptedAt = now
      trouble = nil
    }
  }
}
