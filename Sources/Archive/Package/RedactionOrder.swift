import JSON
import Primitives

/// What is to be hidden in the redacted copies of a recording: regions that are blurred and spans that are silent.
package struct RedactionOrder: Hashable, Sendable {
  /// A rectangle of a track's picture, in parts of its width and height from the upper left corner, for a while.
  package struct Region: Hashable, Sendable {
    package var track: TrackID
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double
    package var from: UTCTime
    package var to: UTCTime
  }

  /// A span in which a track says nothing.
  package struct Mute: Hashable, Sendable {
    package var track: TrackID
    package var from: UTCTime
    package var to: UTCTime
  }

  package var regions: [Region]
  package var mutes: [Mute]

  package static let maximumRegions = 256
  package static let maximumMutes = 256

  package init(regions: [Region], mutes: [Mute]) {
    self.regions = regions
    self.mutes = mutes
  }

  /// Names of the tracks that something is hidden in, in order.
  package var tracks: [TrackID] { Set(regions.map(\.track) + mutes.map(\.track)).sorted() }

  private static let track = Schema.string(1...TrackID.maximumLength)
  private static let time = Schema.string(20...40, format: .dateTime)

  /// What ``init(json:)`` takes.
  package static let schema = Schema.object([
    .optional(
      "regions",
      .array(
        .object([
          .required("track", track, "The track, as the replay names it."),
          .required("x", .number(0...1), "Left edge, in parts of the width."),
          .required("y", .number(0...1), "Upper edge, in parts of the height."),
          .required("w", .number(0...1), "Width, in parts of the width."),
          .required("h", .number(0...1), "Height, in parts of the height."),
          .required("from", time, "When it begins to be blurred."),
          .required("to", time, "When it ends."),
        ]), count: 0...maximumRegions), "Regions to be blurred."),
    .optional(
      "mutes",
      .array(
        .object([
          .required("track", track, "The track, as the replay names it."),
          .required("from", time, "When it falls silent."),
          .required("to", time, "When it is heard again."),
        ]), count: 0...maximumMutes), "Spans to be silent."),
  ])

  /// Reads what the schema has let through; throws a text for whoever asked, when it makes no sense.
  package init(json: JSONValue) throws(PackageError) {
    var regions: [Region] = []
    for value in json["regions"]?.array ?? [] {
      let (track, from, to) = try Self.span(value)
      guard let x = value["x"]?.double, let y = value["y"]?.double, let width = value["w"]?.double,
        let height = value["h"]?.double, width > 0, height > 0, x + width <= 1.000_001, y + height <= 1.000_001
      else {
        throw PackageError(.damaged, "A region has x, y, w and h within the picture: x + w and y + h are 1 at most.")
      }
      regions.append(
        Region(track: track, x: x, y: y, width: min(width, 1 - x), height: min(height, 1 - y), from: from, to: to))
    }
    var mutes: [Mute] = []
    for value in json["mutes"]?.array ?? [] {
      let (track, from, to) = try Self.span(value)
      mutes.append(Mute(track: track, from: from, to: to))
    }
    guard regions.count <= Self.maximumRegions, mutes.count <= Self.maximumMutes else {
      throw PackageError(.tooLarge, "At most \(Self.maximumRegions) regions and \(Self.maximumMutes) mutes.")
    }
    guard !regions.isEmpty || !mutes.isEmpty else {
      throw PackageError(.damaged, "Say what is to be hidden: regions or mutes, at least one.")
    }
    self.init(regions: regions, mutes: mutes)
  }

  private static func span(_ value: JSONValue) throws(PackageError) -> (TrackID, UTCTime, UTCTime) {
    guard let track = value["track"]?.string.flatMap({ TrackID($0) }) else {
      throw PackageError(.damaged, "track is a name such as the replay shows: lower-case letters, digits and -.")
    }
    guard let from = value["from"]?.string.flatMap({ UTCTime($0) }),
      let to = value["to"]?.string.flatMap({ UTCTime($0) }),
      from < to
    else { throw PackageError(.damaged, "from and to are times (RFC 3339), from before to.") }
    return (track, from, to)
  }

  package var json: JSONValue {
    [
      "regions": .array(
        regions.map {
          [
            "track": .string($0.track.value), "x": .number($0.x), "y": .number($0.y), "w": .number($0.width),
            "h": .number($0.height), "from": .string($0.from.description), "to": .string($0.to.description),
          ]
        }),
      "mutes": .array(
        mutes.map {
          ["track": .string($0.track.value), "from": .string($0.from.description), "to": .string($0.to.description)]
        }),
    ]
  }

  /// What concerns one track.
  package func of(_ track: TrackID) -> RedactionOrder {
    RedactionOrder(regions: regions.filter { $0.track == track }, mutes: mutes.filter { $0.track == track })
  }
}
