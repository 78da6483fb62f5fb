import Incidents
import Primitives

/// What is asked of every row, packed so that looking at all of them is quick: no object is touched.
struct IndexRow: Sendable {
  /// Microseconds since 1970.
  let openedAt: Int64
  /// Degrees; not a number where nothing is known.
  let latitude: Double
  let longitude: Double
  let agency: UInt32
  /// 0 for none.
  let type: UInt32
  /// A bit of ``IndexFilter``'s sets each.
  let state: UInt16
  let outcome: UInt16
  let priority: UInt8
  let isExercise: Bool
  let isRecorded: Bool
  let isHeld: Bool

  init(_ entry: CatalogEntry, agency: UInt32, type: UInt32) {
    openedAt = entry.openedAt.microseconds
    latitude = entry.latitude ?? .nan
    longitude = entry.longitude ?? .nan
    self.agency = agency
    self.type = type
    state = IndexFilter.bits([entry.state])
    outcome = entry.outcome.map { IndexFilter.bits([$0]) } ?? 0
    priority = UInt8(truncatingIfNeeded: IndexFilter.bits([entry.priority]))
    isExercise = entry.isExercise
    isRecorded = entry.recording != .none
    isHeld = entry.isHeld
  }
}

/// What a query asks of rows, apart from time, words and rights.
struct IndexFilter {
  private let agency: UInt32?
  private let type: UInt32?
  private let states: UInt16
  private let outcomes: UInt16
  private let priorities: UInt8
  private let isExercise: Bool
  private let isRecorded: Bool?
  private let isHeld: Bool?
  private let box: GeoBox?

  /// Nil when nothing can match.
  ///
  /// - Parameters:
  ///   - agency: The asker's, by number; nil when there is no incident of it.
  ///   - types: Numbers by lower-case name.
  init?(_ query: ArchiveQuery, agency: UInt32?, types: [String: UInt32], isServer: Bool) {
    guard agency != nil || isServer else { return nil }
    self.agency = isServer ? nil : agency
    if let wanted = query.type {
      guard let number = types[wanted.lowercased()] else { return nil }
      type = number
    } else {
      type = nil
    }
    states = query.states.isEmpty ? .max : Self.bits(query.states)
    outcomes = query.outcomes.isEmpty ? .max : Self.bits(query.outcomes)
    priorities = query.priorities.isEmpty ? .max : UInt8(truncatingIfNeeded: Self.bits(query.priorities))
    isExercise = query.isExercise
    isRecorded = query.isRecorded
    isHeld = query.isHeld
    box = query.box
  }

  func takes(_ row: IndexRow) -> Bool {
    guard agency == nil || row.agency == agency, type == nil || row.type == type, row.isExercise == isExercise,
      row.state & states != 0, row.priority & priorities != 0, outcomes == .max || row.outcome & outcomes != 0,
      isRecorded == nil || row.isRecorded == isRecorded, isHeld == nil || row.isHeld == isHeld
    else { return false }
    return box?.contains(latitude: row.latitude, longitude: row.longitude) ?? true
  }

  /// A bit for each value, by its place among all.
  static func bits<Value: CaseIterable & Hashable>(_ values: Set<Value>) -> UInt16 {
    var bits: UInt16 = 0
    for (place, value) in Value.allCases.enumerated() where values.contains(value) { bits |= 1 << UInt16(place) }
    return bits
  }
}

/// The rows that a query's words leave.
struct WordMatcher {
  /// Rows with a word each, once among what everybody may search and once among what was said.
  private var wanted: [(open: RowSet, talk: RowSet)] = []

  init(_ query: ArchiveQuery, vocabulary: WordIndex, capacity: Int) {
    for word in query.person.map(Self.personWords) ?? [] {
      var open = RowSet(capacity: capacity)
      vocabulary.collect(SearchWords.marked(.person, word), into: &open)
      wanted.append((open, RowSet(capacity: 0)))
    }
    for word in query.text.map(Self.words) ?? [] {
      var (open, talk) = (RowSet(capacity: capacity), RowSet(capacity: capacity))
      for kind in [SearchWords.Kind.person, .headline] {
        vocabulary.collect(SearchWords.marked(kind, word), into: &open)
      }
      vocabulary.collect(SearchWords.marked(.talk, word), into: &talk)
      wanted.append((open, talk))
    }
  }

  private static func words(_ text: String) -> ArraySlice<String> {
    SearchWords.split(text).prefix(ArchiveQuery.maximumWords)
  }

  private static func personWords(_ text: String) -> ArraySlice<String> {
    SearchWords.split(person: text).prefix(ArchiveQuery.maximumWords)
  }

  /// Whether the row has all words, to somebody who may search all of it.
  func mayTake(_ row: UInt32) -> Bool { takes(row, withTalk: true) }

  func takes(_ row: UInt32, withTalk: Bool) -> Bool {
    wanted.allSatisfy { $0.open.contains(row) || (withTalk && $0.talk.contains(row)) }
  }
}
