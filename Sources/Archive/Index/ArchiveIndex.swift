import Incidents
import Primitives

/// The catalogue of all incidents in memory, ordered by time and by word, so that a question is answered in
/// milliseconds among a hundred thousand of them.
///
/// Times, places and other facts are looked at row by row, newest first; words narrow the rows beforehand.
package struct ArchiveIndex: Sendable {
  private var places: [IncidentID: UInt32] = [:]
  private var entries: [CatalogEntry] = []
  private var rows: [IndexRow] = []
  /// The numbers of each row's words, sorted.
  private var rowWords: [[UInt32]] = []
  /// Rows by time and identifier, oldest first.
  private var order: [UInt32] = []
  private var isSorted = true
  /// Where what had to make room ends: nothing before it comes in again.
  private var horizon: ArchiveCursor?
  private var vocabulary = WordIndex()
  /// Agencies and types by number: rows hold the numbers.
  private var names: [String: UInt32] = [:]

  /// Incidents in memory; beyond it the oldest eighth is put away, and is found no more.
  package let maximumEntries: Int
  /// Matches that are counted.
  package static let maximumCount = 10_000

  package static let standardMaximum = 1_000_000

  package init(maximumEntries: Int = standardMaximum) {
    self.maximumEntries = max(8, maximumEntries)
  }

  package var count: Int { entries.count }

  /// Different words, of all kinds.
  package var wordCount: Int { vocabulary.count }

  package func entry(_ id: IncidentID) -> CatalogEntry? { places[id].map { entries[Int($0)] } }

  /// All entries that `isIncluded` wants, in no order.
  package func entries(where isIncluded: (CatalogEntry) -> Bool) -> [CatalogEntry] { entries.filter(isIncluded) }

  /// The words of an incident, with their marks, sorted; to be stored with the entry.
  package func words(of id: IncidentID) -> [String] {
    places[id].map { rowWords[Int($0)].map { vocabulary[$0] }.sorted() } ?? []
  }

  /// Takes an entry in, instead of the one that is there, and adds words to those that it has.
  package mutating func put(_ entry: CatalogEntry, adding words: some Sequence<String>) {
    let row: UInt32
    if let known = places[entry.id] {
      row = known
      entries[Int(row)] = entry
      rows[Int(row)] = hotRow(of: entry)
    } else {
      if entries.count >= maximumEntries { makeRoom() }
      if let horizon, entry.cursor < horizon { return }
      row = append(entry)
    }
    add(words, to: row)
  }

  private mutating func append(_ entry: CatalogEntry) -> UInt32 {
    let row = UInt32(entries.count)
    places[entry.id] = row
    if let last = order.last, entry.cursor < entries[Int(last)].cursor { isSorted = false }
    entries.append(entry)
    rows.append(hotRow(of: entry))
    rowWords.append([])
    order.append(row)
    return row
  }

  private mutating func add(_ words: some Sequence<String>, to row: UInt32) {
    var known = rowWords[Int(row)]
    rowWords[Int(row)] = []
    for word in words {
      guard known.count < SearchWords.maximumPerIncident else { break }
      let number = vocabulary.number(of: word)
      let place = known.partition(before: number)
      if place < known.count, known[place] == number { continue }
      known.insert(number, at: place)
      vocabulary.add(row, to: number)
    }
    rowWords[Int(row)] = known
  }

  private mutating func makeRoom() {
    sort()
    var smaller = ArchiveIndex(maximumEntries: maximumEntries)
    let dropped = maximumEntries / 8 + 1
    smaller.horizon = order.dropFirst(dropped).first.map { entries[Int($0)].cursor }
    for row in order.dropFirst(dropped) {
      smaller.put(entries[Int(row)], adding: rowWords[Int(row)].map { vocabulary[$0] })
    }
    self = smaller
  }

  private mutating func hotRow(of entry: CatalogEntry) -> IndexRow {
    IndexRow(entry, agency: number(of: entry.agency), type: entry.type.map { number(of: $0.lowercased()) } ?? 0)
  }

  /// The number of an agency or type, from 1.
  private mutating func number(of name: String) -> UInt32 {
    if let known = names[name] { return known }
    let number = UInt32(names.count + 1)
    names[name] = number
    return number
  }

  private mutating func sort() {
    guard !isSorted else { return }
    let entries = entries
    order.sort { entries[Int($0)].cursor < entries[Int($1)].cursor }
    isSorted = true
  }
}

// MARK: - Searching

extension ArchiveIndex {
  /// What matches and may be known of, newest first.
  package mutating func search(_ query: ArchiveQuery, as rights: SearchRights) -> ArchivePage {
    guard rights.isAnything else { return ArchivePage() }
    sort()
    guard
      let filter = IndexFilter(
        query, agency: names[rights.facts.agency], types: names, isServer: rights.facts.role == .system)
    else { return ArchivePage() }
    let matcher = WordMatcher(query, vocabulary: vocabulary, capacity: entries.count)
    let tied = rowsTied(to: rights.facts)
    var page = ArchivePage()
    let limit = min(max(1, query.limit), ArchiveQuery.maximumLimit)
    let end = query.to.map { time in order.partition(by: { entries[Int($0)].openedAt < time }) } ?? order.count
    for row in order[..<end].reversed() {
      let hot = rows[Int(row)]
      if let from = query.from, hot.openedAt < from.microseconds { break }
      guard filter.takes(hot), matcher.mayTake(row) else { continue }
      let relations = relations(of: row, hot, rights.facts, tied)
      guard rights.mayFind(relations), matcher.takes(row, withTalk: rights.maySearchTalk(relations)) else { continue }
      let isCounted = take(row, relations, rights, query.cursor, limit, &page)
      if !isCounted { break }
    }
    return page
  }

  /// Counts a match, and puts it on the page if it belongs there; false when nothing more need be looked at.
  private func take(
    _ row: UInt32, _ relations: Relations, _ rights: SearchRights, _ cursor: ArchiveCursor?, _ limit: Int,
    _ page: inout ArchivePage
  ) -> Bool {
    if page.count < Self.maximumCount { page.count += 1 } else { page.isCountExact = false }
    // Most matches are counted and not shown: their entries, with all their texts, are not touched.
    if page.rows.count == limit {
      if page.next == nil { page.next = page.rows.last?.entry.cursor }
      return page.isCountExact
    }
    if let cursor {
      let openedAt = rows[Int(row)].openedAt
      if openedAt > cursor.openedAt.microseconds { return true }
      if openedAt == cursor.openedAt.microseconds, entries[Int(row)].cursor >= cursor { return true }
    }
    page.rows.append(.init(entry: entries[Int(row)], mayReplay: rights.mayReplay(relations)))
    return true
  }

  /// Rows that somebody is or was on: of all others, agency and exercise say how they stand to them.
  private func rowsTied(to facts: PrincipalFacts) -> RowSet {
    var set = RowSet(capacity: entries.count)
    for name in [facts.actorID, facts.desk, facts.unit] {
      guard let name else { continue }
      for row in vocabulary.rows(with: SearchWords.marked(.tie, name)) { set.insert(row) }
    }
    return set
  }

  private func relations(
    of row: UInt32, _ hot: IndexRow, _ facts: PrincipalFacts, _ tied: RowSet
  ) -> Relations {
    if tied.contains(row) { return entries[Int(row)].ties.relations(of: facts) }
    // The filter has let through what is of the agency alone, and everything to the server, which needs no relation.
    return hot.isExercise ? [.agency, .welcome, .exercise] : [.agency, .welcome]
  }
}

extension CatalogEntry {
  /// Its place in the order of results.
  package var cursor: ArchiveCursor { ArchiveCursor(openedAt: openedAt, id: id) }
}

extension Array {
  /// The first index whose element is not before the one that is looked for; the array is sorted.
  fileprivate func partition(by isBefore: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension [UInt32] {
  fileprivate func partition(before number: UInt32) -> Int { partition(by: { $0 < number }) }
}
