import JSON
import Primitives

extension LocationFix {
  /// Reads the payload of a `location` event; nil when it lacks what makes a place.
  init?(_ payload: JSONValue, receivedAt: UTCTime) {
    guard let caller = payload["caller"]?.string, let latitude = payload["lat"]?.double,
      let longitude = payload["lon"]?.double, let source = payload["source"]?.string.flatMap(LocationSource.init)
    else { return nil }
    self.caller = caller
    self.latitude = latitude
    self.longitude = longitude
    self.source = source
    accuracy = payload["accuracy"]?.double
    confidence = payload["confidence"]?.double
    altitude = payload["altitude"]?.double
    heading = payload["heading"]?.double
    speed = payload["speed"]?.double
    fixedAt = payload["fixedAt"]?.string.flatMap { UTCTime($0) } ?? receivedAt
    self.receivedAt = receivedAt
    marks = Set((payload["marks"]?.array ?? []).compactMap { $0.string.flatMap(LocationMark.init) })
  }

  /// Whether it can be right.
  var isSound: Bool { marks.isDisjoint(with: [.impossible, .fromTheFuture]) }

  /// What is odd about this fix after those of `track`; odd ones are kept, but marked.
  func judged(after track: [LocationFix], now: UTCTime) -> [LocationMark] {
    var marks: [LocationMark] = []
    if fixedAt > now + Self.clockTolerance { marks.append(.fromTheFuture) }
    if now - fixedAt > Self.maximumAge { marks.append(.stale) }
    let sound = track.filter(\.isSound)
    if let newest = sound.map(\.fixedAt).max(), fixedAt < newest { marks.append(.outOfOrder) }
    if let last = sound.last(where: { $0.fixedAt <= fixedAt }), isUnreachable(from: last) { marks.append(.impossible) }
    return marks
  }

  /// Whether nobody gets here from there in the time between, even if both fixes are off by their accuracy.
  private func isUnreachable(from other: LocationFix) -> Bool {
    let slack = (accuracy ?? Self.assumedAccuracy) + (other.accuracy ?? Self.assumedAccuracy)
    let metres = distance(to: other) - slack
    return metres > Self.maximumSpeed * max(1, (fixedAt - other.fixedAt).seconds)
  }

  /// Metres; for fixes that do not say.
  static let assumedAccuracy = 100.0

  /// Metres.
  package func distance(to other: LocationFix) -> Double {
    Geodesy.distance(latitude, longitude, other.latitude, other.longitude)
  }

  /// The fix as snapshots show it.
  package var json: JSONValue {
    .members([
      "lat": .number(latitude), "lon": .number(longitude), "accuracy": accuracy.map { .number($0) },
      "confidence": confidence.map { .number($0) }, "altitude": altitude.map { .number($0) },
      "heading": heading.map { .number($0) }, "speed": speed.map { .number($0) },
      "source": .string(source.rawValue), "fixedAt": .string(fixedAt.description),
      "receivedAt": .string(receivedAt.description),
      "marks": marks.isEmpty ? nil : .array(marks.map(\.rawValue).sorted().map { .string($0) }),
    ])
  }
}
