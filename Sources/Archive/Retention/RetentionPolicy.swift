import JSON
import Primitives

/// A kind of data that has a time of its own.
///
/// Journals have none: they are append-only, and prove what was deleted.
package enum RetentionClass: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Recorded segments.
  case media
  /// Single pictures out of streams.
  case stills
  /// What callers' pages uploaded afterwards.
  case late

  /// Where its files are in an archive.
  package var folder: ArchivePath.Folder {
    switch self {
    case .media: .media
    case .stills: .stills
    case .late: .late
    }
  }

  package static func < (left: RetentionClass, right: RetentionClass) -> Bool { left.rawValue < right.rawValue }
}

/// How long an agency keeps what, in days after an incident's end; what it does not name is kept for ever.
package struct RetentionPolicy: Hashable, Sendable {
  package var days: [RetentionClass: Int]

  /// A century.
  package static let maximumDays = 36_500

  package static let keepAll = RetentionPolicy(days: [:])

  package init(days: [RetentionClass: Int]) {
    self.days = days.mapValues { min(max(1, $0), Self.maximumDays) }
  }

  /// Reads what ``json`` wrote; members that it does not know are passed over.
  package init(json: JSONValue) {
    var days: [RetentionClass: Int] = [:]
    for kind in RetentionClass.allCases { days[kind] = json[kind.rawValue]?.integer }
    self.init(days: days)
  }

  package var json: JSONValue {
    .object(Dictionary(uniqueKeysWithValues: days.map { ($0.key.rawValue, .integer($0.value)) }))
  }

  /// Members of a policy, for the interface.
  package static let fields: [Schema.Field] = RetentionClass.allCases.map {
    .optional($0.rawValue, .integer(1...maximumDays), "Days after the incident's end; for ever if not given.")
  }

  /// Whether the time of a class is over for an incident that ended at `end`.
  package func isOver(_ kind: RetentionClass, endedAt end: UTCTime, now: UTCTime) -> Bool {
    guard let days = days[kind] else { return false }
    return now - end >= .seconds(Double(days) * 86_400)
  }

  /// The rule in words; nil for a class without one.
  package func rule(_ kind: RetentionClass) -> String? {
    days[kind].map { "\(kind.rawValue): \($0) \($0 == 1 ? "day" : "days") after the incident's end" }
  }

  /// The policy in words, for the audit journal.
  package var description: String {
    let rules = days.keys.sorted().compactMap { kind in days[kind].map { "\(kind.rawValue) \($0) days" } }
    return rules.isEmpty ? "everything is kept" : rules.joined(separator: ", ")
  }
}
