import Incidents
import JSON
import Primitives
import Testing

/// Odd fixes are kept, but marked.
@Suite("Locations")
struct LocationTests {
  private static func story() throws -> Story {
    var story = try Story()
    try story.add(.callerAdded, ["caller": "c1"])
    return story
  }

  private static func marks(
    _ story: inout Story, _ latitude: Double, _ longitude: Double, after seconds: Double,
    accuracy: Double? = 10
  ) throws -> Set<LocationMark> {
    let time = Story.start + .seconds(seconds)
    try story.add(.location, Story.location("c1", latitude, longitude, at: time, accuracy: accuracy))
    return try #require(story.incident.caller("c1")?.track.last).marks
  }

  @Test func aPlainFixHasNoMarks() throws {
    var story = try Self.story()
    #expect(try Self.marks(&story, 52.5, 13.4, after: 0) == [])
    story.now = Story.start + .seconds(10)
    #expect(try Self.marks(&story, 52.501, 13.4, after: 10) == [])
    #expect(story.incident.caller("c1")?.location?.latitude == 52.501)
  }

  @Test func anOlderFixIsOutOfOrderAndNotTheNewest() throws {
    var story = try Self.story()
    story.now = Story.start + .seconds(20)
    _ = try Self.marks(&story, 52.5, 13.4, after: 20)
    #expect(try Self.marks(&story, 52.5005, 13.4, after: 10) == [.outOfOrder])
    #expect(story.incident.caller("c1")?.location?.latitude == 52.5)
    #expect(story.incident.caller("c1")?.track.count == 2, "it is kept")
  }

  /// 0.1 degree of latitude is 11.1 km: in 10 s more than 1,100 m/s, in 60 s some 185.
  @Test func aJumpIsImpossible() throws {
    var story = try Self.story()
    _ = try Self.marks(&story, 52.5, 13.4, after: 0)
    story.now = Story.start + .seconds(60)
    #expect(try Self.marks(&story, 52.6, 13.4, after: 10) == [.impossible])
    #expect(story.incident.caller("c1")?.location?.latitude == 52.5)
    #expect(try Self.marks(&story, 52.6, 13.4, after: 60) == [], "from the last sound one it can be reached")
  }

  @Test func accuracyIsAllowedFor() throws {
    var story = try Self.story()
    _ = try Self.marks(&story, 52.5, 13.4, after: 0, accuracy: 12_000)
    story.now = Story.start + .seconds(1)
    #expect(try Self.marks(&story, 52.6, 13.4, after: 1) == [])
  }

  @Test("clocks that run ahead", arguments: [(60.0, false), (60.000001, true), (86_400.0, true)])
  func fromTheFuture(seconds: Double, isMarked: Bool) throws {
    var story = try Self.story()
    #expect(try Self.marks(&story, 52.5, 13.4, after: seconds).contains(.fromTheFuture) == isMarked)
    #expect((story.incident.caller("c1")?.location == nil) == isMarked)
  }

  @Test("old fixes", arguments: [(-300.0, false), (-301.0, true), (-1e9, true)])
  func stale(seconds: Double, isMarked: Bool) throws {
    var story = try Self.story()
    #expect(try Self.marks(&story, 52.5, 13.4, after: seconds).contains(.stale) == isMarked)
  }

  @Test func aFixFromTheFutureDoesNotMakeTheNextOutOfOrder() throws {
    var story = try Self.story()
    _ = try Self.marks(&story, 10, 10, after: 5_000)
    #expect(try Self.marks(&story, 52.5, 13.4, after: 0) == [])
  }

  @Test func withoutATimeItIsNow() throws {
    var story = try Self.story()
    try story.add(.location, Story.location("c1", 52.5, 13.4))
    #expect(story.events.last?.payload["fixedAt"] == .string(Story.start.description))
  }

  @Test func snapshotsShowMarksOnlyWhereThereAreSome() throws {
    var story = try Self.story()
    _ = try Self.marks(&story, 52.5, 13.4, after: 0)
    _ = try Self.marks(&story, 0, 0, after: 5_000)
    let track = story.incident.snapshot(for: .staff, viewer: "o")["callers"]?.array?.first?["track"]?.array ?? []
    #expect(track.map { $0["marks"] } == [nil, ["fromTheFuture", "impossible"]] as [JSONValue?])
  }

  @Test func trackIsBounded() throws {
    var story = try Self.story()
    for second in 0..<Incident.maximumTrack * 2 {
      story.now = Story.start + .seconds(Double(second))
      try story.add(.location, Story.location("c1", 52.5, 13.4))
      #expect(try #require(story.incident.caller("c1")).track.count <= Incident.maximumTrack)
    }
    #expect(story.incident.caller("c1")?.track.last?.fixedAt == story.now)
  }

  /// Published great-circle distances: a degree of a meridian on the mean sphere is 111.195 km; JFK to LHR is some 5,540 km.
  @Test(
    "distances",
    arguments: [
      (0.0, 0.0, 1.0, 0.0, 111_195.0), (0, 0, 0, 180, 20_015_114), (90, 0, -90, 0, 20_015_114),
      (52.5, 13.4, 52.5, 13.4, 0),
      (0, 179.5, 0, -179.5, 111_195), (40.6413, -73.7781, 51.4700, -0.4543, 5_540_000),
    ])
  func distances(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ metres: Double) {
    #expect(abs(Geodesy.distance(a, b, c, d) - metres) <= metres * 0.005)
    #expect(abs(Geodesy.distance(c, d, a, b) - metres) <= metres * 0.005)
  }
}
