/// Who comes first: smaller is more urgent, and a tier is served before the next one gets anything (DESIGN, decision 4).
///
/// The order is DOMAIN's "Order under overload": the incident's priority, then the viewer's part. Sound is not in it: all
/// sound flows before any picture.
package struct Tier: Hashable, Comparable, BitwiseCopyable, Sendable {
  package var rawValue: UInt8

  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Whom a picture goes to.
  package enum Audience: UInt8, CaseIterable, Sendable {
    case control
    case field
    case onlooker
    /// What goes to a caller's phone: the control room's picture.
    case caller
  }

  /// - Parameter priority: The incident's, 1 (most urgent) to 4; others count as the nearest.
  package init(priority: Int, audience: Audience) {
    let row = UInt8(clamping: min(max(priority, 1), 4) - 1)
    rawValue = row * UInt8(Audience.allCases.count) + audience.rawValue
  }

  /// The incident's priority, 1 to 4.
  package var priority: Int { Int(rawValue) / Audience.allCases.count + 1 }

  /// Tiers that there are.
  package static let count = 4 * Audience.allCases.count

  package static func < (left: Tier, right: Tier) -> Bool { left.rawValue < right.rawValue }
}
