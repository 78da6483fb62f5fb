import JSON
import Primitives

/// Where a phone says that it is while it calls for help (Advanced Mobile Location, ETSI TS 103 625).
///
/// Everything is optional, and nothing is refused: what cannot be read is told in ``problems``, and the rest counts.
/// The identifiers of subscriber and phone (IMSI, IMEI) are not taken over.
package struct AMLReport: Hashable, Sendable {
  /// The caller's number in E.164, where it is told and can be brought into that form.
  package internal(set) var number: String?
  /// Degrees, WGS 84.
  package internal(set) var latitude: Double?
  package internal(set) var longitude: Double?
  /// Metres.
  package internal(set) var accuracy: Double?
  /// Per cent.
  package internal(set) var confidence: Double?
  /// Metres over the ellipsoid.
  package internal(set) var altitude: Double?
  /// Metres.
  package internal(set) var altitudeAccuracy: Double?
  /// Degrees clockwise from north.
  package internal(set) var heading: Double?
  /// Metres per second.
  package internal(set) var speed: Double?
  package internal(set) var fixedAt: UTCTime?
  package internal(set) var method: Method?
  /// The number that was dialled, such as `112`.
  package internal(set) var emergencyNumber: String?
  /// What could not be read; at most ``maximumProblems``, each short and without a place or a number, so that the
  /// gateway that sent it may be told and the log may have it.
  package private(set) var problems: [String] = []

  /// How the place was found.
  package enum Method: String, Hashable, Sendable {
    case satellites
    case wifi
    case cell
    /// Several together.
    case fused
    case unknown
  }

  package static let maximumProblems = 16
  /// Fields of one report that are looked at.
  package static let maximumFields = 128
  /// Longest message or body, in bytes.
  package static let maximumBytes = 65_536

  init() {}

  package var hasPlace: Bool { latitude != nil && longitude != nil }

  /// The payload of a `location` event of that caller; nil when the report has no place.
  package func locationPayload(caller: String) -> JSONValue? {
    guard let latitude, let longitude else { return nil }
    return .members([
      "caller": .string(caller), "source": "aml", "lat": .number(latitude), "lon": .number(longitude),
      "accuracy": accuracy.map { .number($0) }, "confidence": confidence.map { .number($0) },
      "altitude": altitude.map { .number($0) }, "altitudeAccuracy": altitudeAccuracy.map { .number($0) },
      "heading": heading.map { .number($0) }, "speed": speed.map { .number($0) },
      "fixedAt": fixedAt.map { .string($0.description) },
    ])
  }

  mutating func note(_ problem: String) {
    guard problems.count < Self.maximumProblems else { return }
    problems.append(problem)
  }

  /// Without both of its numbers a place is none, and a report that says that it found none has none.
  mutating func settle() {
    if !hasPlace {
      if latitude != nil || longitude != nil { note("Only one of latitude and longitude is there.") }
      (latitude, longitude) = (nil, nil)
    }
    if !hasPlace { note("The report has no place.") }
  }

  /// Forgets a place that the phone itself says is none.
  mutating func dropPlace(_ problem: String) {
    guard hasPlace else { return }
    (latitude, longitude, accuracy) = (nil, nil, nil)
    note(problem)
  }
}
