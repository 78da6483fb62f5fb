import JSON
import Primitives

/// Something that happened, or went on for a while, on the clock of the recording.
package struct TimedCue: Hashable, Sendable {
  /// What a player tells apart: one row of the timeline each.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case location
    case chat
    case note
    /// Priority, type, place and state: what staff decided.
    case decision
    /// How a caller's session went.
    case stage
    /// Somebody watched, from then to then.
    case watching
    case revealed
    case command
    case snapshot
    case file
    /// Who works on it, which units, which links.
    case people
    case stream
    /// What was done with the recording.
    case archive
  }

  package let kind: Kind
  /// Number of the event that began it.
  package let number: Int
  /// Number of the last event that changed it.
  package internal(set) var changedBy: Int
  package let start: UTCTime
  /// Nil for a moment, and for what goes on.
  package internal(set) var end: UTCTime?
  /// Whether it goes on until ``end``, and is no moment.
  package let isSpan: Bool
  /// Who did it, as others see them.
  package let who: String
  /// In plain words.
  package let text: String
  /// What a map or a list needs besides the words.
  package let details: JSONValue

  /// The cue with times as microseconds from `epoch`.
  package func json(from epoch: UTCTime) -> JSONValue {
    .members([
      "kind": .string(kind.rawValue), "number": .integer(number), "at": .integer(start.offset(from: epoch)),
      "end": end.map { .integer($0.offset(from: epoch)) }, "span": isSpan ? true : nil, "who": .string(who),
      "text": .string(text), "details": details == .null ? nil : details,
    ])
  }
}
