import Incidents
import JSON

/// The words by which an incident is found, each with a mark in front that says what it is.
///
/// Words are lower-case runs of letters and digits, so that `Hauptstr. 12` is found by `haupt 12`. Languages that write
/// without spaces are found by the beginning of what stands between two marks.
package enum SearchWords {
  /// What a word is; its raw value stands in front of the word.
  package enum Kind: Character, Sendable, CaseIterable {
    /// People: their identifiers, names and numbers.
    case person = "p"
    /// The incident's own: number, type, place.
    case headline = "h"
    /// What was said and written: not for everybody who may know of the incident.
    case talk = "t"
    /// Accounts, desks and units that are or were on it, whole.
    case tie = "x"
  }

  /// Words that are kept of one text, and of one incident.
  package static let maximumPerText = 500
  package static let maximumPerIncident = 4_000
  /// Longest word in characters; more of it is cut off.
  package static let maximumLength = 40

  /// The words of a text, without marks.
  package static func split(_ text: String) -> [String] {
    var words: [String] = []
    var word = ""
    for scalar in text.lowercased().unicodeScalars {
      if isPart(scalar) {
        word.unicodeScalars.append(scalar)
      } else if !word.isEmpty {
        words.append(String(word.prefix(maximumLength)))
        word = ""
        if words.count >= maximumPerText { return words }
      }
    }
    if !word.isEmpty { words.append(String(word.prefix(maximumLength))) }
    return words
  }

  private static func isPart(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar.isASCII else { return scalar.properties.isAlphabetic || scalar.properties.numericType != nil }
    return ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
  }

  /// The words of what somebody typed to find a person: a number stays one word, however it is spaced.
  package static func split(person text: String) -> [String] {
    let isNumber = text.unicodeScalars.allSatisfy { ("0"..."9").contains($0) || "+ -/().".unicodeScalars.contains($0) }
    guard isNumber else { return split(text) }
    let digits = String(text.filter { ("0"..."9").contains($0) }.prefix(maximumLength))
    return digits.isEmpty ? [] : [digits]
  }

  /// What an event adds to the words of its incident.
  package static func words(of event: JournalEvent) -> Set<String> {
    var words: Set<String> = []
    if event.actor.role != .system { add(person: event.actor.id, event.actor.name, to: &words) }
    let payload = event.payload
    guard let kind = EventKind(rawValue: event.kind) else { return words }
    switch kind {
    case .opened:
      add(.headline, event.incident.value, to: &words)
      addHeadline(payload, to: &words)
    case .classified: addHeadline(payload, to: &words)
    case .merged: add(.headline, payload["into"]?.string, to: &words)
    case .absorbed:
      add(.headline, payload["from"]?.string, to: &words)
      for caller in payload["callers"]?.array ?? [] { addCaller(caller, to: &words) }
    case .callerAdded: addCaller(payload, to: &words)
    case .assigned: addTie(payload["account"]?.string, payload["name"]?.string, to: &words)
    case .unitAssigned: addTie(payload["unit"]?.string, payload["name"]?.string, to: &words)
    case .linkCreated: add(person: payload["link"]?.string, payload["name"]?.string, to: &words)
    case .watching: add(person: payload["account"]?.string, payload["name"]?.string, to: &words)
    case .chat, .note: add(.talk, payload["text"]?.string, to: &words)
    case .triage: for answer in (payload["fields"]?.object ?? [:]).values { add(.talk, answer.string, to: &words) }
    case .fileAdded: add(.talk, payload["name"]?.string, to: &words)
    case .stateChanged: add(.talk, payload["reason"]?.string, to: &words)
    case .mergeSuggested, .unassigned, .unitStatus, .unitLocation, .unitStoodDown, .presence, .speaking, .typing,
      .callerStage, .deviceState, .location, .command, .commandResult, .linkSent, .linkDelivery, .linkRevoked,
      .chatDelivered, .chatRead, .realTimeText, .fileRejected, .snapshotTaken, .source, .revealed, .view, .recording,
      .replayOpened, .exportRequested, .exportDecided, .exportFinished, .retentionHold, .retentionDeleted, .account,
      .signIn, .settings, .access:
      break
    }
    return words
  }

  static func marked(_ kind: Kind, _ word: String) -> String { "\(kind.rawValue)\(word)" }

  private static func add(_ kind: Kind, _ text: String?, to words: inout Set<String>) {
    guard let text else { return }
    for word in split(text) { words.insert(marked(kind, word)) }
  }

  private static func add(person id: String?, _ name: String?, to words: inout Set<String>) {
    add(.person, id, to: &words)
    add(.person, name, to: &words)
  }

  private static func addCaller(_ payload: JSONValue, to words: inout Set<String>) {
    add(person: payload["caller"]?.string, payload["name"]?.string, to: &words)
    add(.person, payload["phone"]?.string, to: &words)
  }

  private static func addTie(_ id: String?, _ name: String?, to words: inout Set<String>) {
    add(person: id, name, to: &words)
    if let id { words.insert(marked(.tie, id)) }
  }

  private static func addHeadline(_ payload: JSONValue, to words: inout Set<String>) {
    add(.headline, payload["type"]?.string, to: &words)
    add(.headline, payload["place"]?["text"]?.string, to: &words)
  }
}
