import Foundation
import Incidents
import Interchange
import JSON
import Primitives
import Testing

/// An incident that is told event by event, a second apart unless said otherwise.
struct Story {
  static let start = UTCTime(microseconds: 1_795_403_482_123_456)
  static let staff = Actor(id: "op-1", role: .operator, name: "Operator One")

  private(set) var incident: Incident
  private(set) var time = Story.start

  init(
    id: String = "inc-2026-0001", priority: Priority = .p1, type: String? = "Cardiac arrest", exercise: Bool = false,
    place: JSONValue? = nil
  ) throws {
    let payload = JSONValue.members([
      "agency": "leitstelle-nord", "priority": .string(priority.rawValue), "type": type.map { .string($0) },
      "exercise": .bool(exercise), "origin": "operator", "place": place,
    ])
    let event = JournalEvent(
      incident: try #require(IncidentID(id)), number: 1, time: time, actor: Self.staff,
      kind: EventKind.opened.rawValue, payload: payload, clientID: nil, previousHash: JournalEvent.genesisHash)
    incident = try Incident(opening: event)
  }

  /// Applies what the schema of the kind accepts, so that no test stands on what cannot happen.
  mutating func add(_ kind: EventKind, _ payload: JSONValue, after seconds: Double = 1) throws {
    try kind.traits.payload.validate(payload)
    time = time + TimeInterval64.seconds(seconds)
    incident.apply(
      JournalEvent(
        incident: incident.id, number: incident.number + 1, time: time, actor: Self.staff, kind: kind.rawValue,
        payload: payload, clientID: nil, previousHash: incident.hash))
  }

  mutating func locate(_ caller: String = "c1", _ members: KeyValuePairs<String, JSONValue>) throws {
    var payload: [String: JSONValue] = ["caller": .string(caller), "lat": 42.5463, "lon": -73.2512, "source": "device"]
    payload["fixedAt"] = .string(time.description)
    for (name, value) in members { payload[name] = value }
    try add(.location, .object(payload))
  }

  /// A cardiac arrest with two callers, one of them live, three units, files and hostile texts.
  static func full(exercise: Bool = false) throws -> Story {
    var story = try Story(
      exercise: exercise, place: ["lat": 53.5503, "lon": 9.9929, "radius": 40, "text": "Rathausmarkt 1 <Hof & Keller>"])
    try story.add(.assigned, ["account": "op-1", "role": "operator", "name": "Operator One"])
    try story.add(.callerAdded, ["caller": "c1", "name": "Ayşe \"A\" O'Neill", "phone": "+4917112345678"])
    try story.add(.callerAdded, ["caller": "c2"])
    try story.add(.callerStage, ["caller": "c1", "stage": "live"])
    try story.locate("c1", ["lat": 53.550341, "lon": 9.992872, "accuracy": 12.5, "confidence": 68])
    try story.locate("c2", ["lat": 53.55, "lon": 9.99, "source": "network", "accuracy": 850.24])
    try story.add(.unitAssigned, ["unit": "rtw-3", "name": "RTW 3", "service": "ems"])
    try story.add(.unitAssigned, ["unit": "hlf-1", "service": "fire"])
    try story.add(.unitAssigned, ["unit": "pol-9"])
    try story.add(.unitStatus, ["unit": "rtw-3", "status": "enroute"])
    try story.add(
      .unitLocation, ["unit": "rtw-3", "lat": 53.56, "lon": 10.01, "eta": "2026-11-23T03:15:00Z"])
    try story.add(.unitStoodDown, ["unit": "pol-9"])
    try story.add(
      .fileAdded,
      [
        "file": "f1", "name": "scene]]>.jpg", "type": "image/jpeg", "size": 1_234, "purpose": "photo",
        "sha256": .string(String(repeating: "ab", count: 32)),
      ])
    return story
  }
}

extension InterchangeContext {
  static let test = InterchangeContext(
    baseURL: "https://sightline.example/", agencyID: "leitstelle-nord.example", agencyName: "Leitstelle Nord & Süd",
    elementID: "video.leitstelle-nord.example", now: UTCTime(microseconds: 1_795_403_600_000_000))
}

extension EIDO.Note {
  static let samples = [
    EIDO.Note(number: 31, text: "Breathing <stopped> & CPR\nsince 3:12", author: Story.staff, time: Story.start),
    EIDO.Note(
      number: 32, text: "AED at the town hall", author: Actor(id: "dis-2", role: .dispatcher, name: "Dispatcher Two"),
      time: Story.start),
  ]
}

/// The documents in fixtures/interchange, which Tests/Interop checks against the published schemas.
enum Golden {
  private static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("fixtures/interchange")

  /// Compares with the document of that name, or writes it when SIGHTLINE_WRITE_GOLDEN is set.
  static func check(_ text: String, _ name: String, at location: SourceLocation = #_sourceLocation) throws {
    let file = folder.appendingPathComponent(name)
    if ProcessInfo.processInfo.environment["SIGHTLINE_WRITE_GOLDEN"] != nil {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    #expect(text == golden, "fixtures/interchange/\(name) differs", sourceLocation: location)
  }
}
