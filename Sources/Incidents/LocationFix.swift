import JSON
import Primitives

/// What measured a place.
package enum LocationSource: String, Hashable, Sendable, CaseIterable {
  /// The caller's browser.
  case device
  /// Advanced Mobile Location by SMS or HTTPS.
  case aml
  /// Set on the map by staff.
  case manual
  /// The network's cell or another system.
  case network
}

/// What is odd about a fix; it is kept all the same.
package enum LocationMark: String, Hashable, Sendable, CaseIterable {
  /// Measured before one that is known already.
  case outOfOrder
  /// Could only have been reached faster than ``LocationFix/maximumSpeed``.
  case impossible
  /// Measured in the future, as our clock has it.
  case fromTheFuture
  /// Older than ``LocationFix/maximumAge`` when it arrived.
  case stale
}

/// One measured place of a caller.
package struct LocationFix: Hashable, Sendable {
  package let caller: String
  /// Degrees, WGS 84.
  package let latitude: Double
  package let longitude: Double
  /// Metres.
  package let accuracy: Double?
  /// Per cent.
  package let confidence: Double?
  package let altitude: Double?
  package let heading: Double?
  package let speed: Double?
  package let source: LocationSource
  package let fixedAt: UTCTime
  /// When it reached us.
  package let receivedAt: UTCTime
  package let marks: Set<LocationMark>

  /// Metres per second; faster than an airliner is a mistake.
  package static let maximumSpeed = 340.0
  package static let maximumAge = TimeInterval64.seconds(300)
  /// How far a phone's clock may run ahead of ours.
  package static let clockTolerance = TimeInterval64.seconds(60)
}
