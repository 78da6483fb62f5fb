import Incidents
import Primitives

/// What somebody looks for; what is nil or empty is not asked for.
package struct ArchiveQuery: Hashable, Sendable {
  /// Opened at or after, and before.
  package var from: UTCTime?
  package var to: UTCTime?
  package var box: GeoBox?
  /// As the agency's registry words it; letters count the same in either case.
  package var type: String?
  package var priorities: Set<Priority> = []
  package var states: Set<IncidentState> = []
  package var outcomes: Set<Outcome> = []
  /// Real ones or exercises, never both.
  package var isExercise = false
  package var isRecorded: Bool?
  package var isHeld: Bool?
  /// Beginnings of words of a person's identifier, name or number; all have to be there.
  package var person: String?
  /// Beginnings of words of anything that is known of the incident; all have to be there.
  package var text: String?
  /// Where the page before ended.
  package var cursor: ArchiveCursor?
  package var limit = standardLimit

  package static let standardLimit = 50
  package static let maximumLimit = 100
  /// Words of one question; more are not looked at.
  package static let maximumWords = 8

  package init() {}
}

/// A part of the earth between two parallels and two meridians; `west` beyond `east` leads over the antimeridian.
package struct GeoBox: Hashable, Sendable {
  /// Degrees, WGS 84.
  package let south: Double
  package let west: Double
  package let north: Double
  package let east: Double

  /// Nil for what is no place on earth, or upside down.
  package init?(south: Double, west: Double, north: Double, east: Double) {
    guard (-90...90).contains(south), (-90...90).contains(north), south <= north, (-180...180).contains(west),
      (-180...180).contains(east)
    else { return nil }
    self.south = south
    self.west = west
    self.north = north
    self.east = east
  }

  /// Parses `south,west,north,east`.
  package init?(_ text: String) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Double(String($0)) }
    guard parts.count == 4, let south = parts[0], let west = parts[1], let north = parts[2], let east = parts[3] else {
      return nil
    }
    self.init(south: south, west: west, north: north, east: east)
  }

  package func contains(latitude: Double, longitude: Double) -> Bool {
    guard latitude >= south, latitude <= north else { return false }
    return west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east
  }
}

/// A place in the order of results: newest first, and by identifier where two began at once.
package struct ArchiveCursor: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let openedAt: UTCTime
  package let id: IncidentID

  package init(openedAt: UTCTime, id: IncidentID) {
    self.openedAt = openedAt
    self.id = id
  }

  /// Parses what ``description`` prints.
  package init?(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let microseconds = Int64(parts[0]), let id = IncidentID(String(parts[1])) else {
      return nil
    }
    self.init(openedAt: UTCTime(microseconds: microseconds), id: id)
  }

  package var description: String { "\(openedAt.microseconds).\(id)" }

  package static func < (left: ArchiveCursor, right: ArchiveCursor) -> Bool {
    left.openedAt == right.openedAt ? left.id.value < right.id.value : left.openedAt < right.openedAt
  }
}

/// What was found.
package struct ArchivePage: Hashable, Sendable {
  package struct Row: Hashable, Sendable {
    package let entry: CatalogEntry
    /// Whether whoever asked may replay it.
    package let mayReplay: Bool
  }

  package var rows: [Row] = []
  /// All that match, not only those of this page; counted up to ``ArchiveIndex/maximumCount``.
  package var count = 0
  /// Whether ``count`` is all, and not only as far as was counted.
  package var isCountExact = true
  /// Where the next page begins; nil after the last.
  package var next: ArchiveCursor?
}
