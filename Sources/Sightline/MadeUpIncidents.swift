import Incidents
import JSON
import Primitives
import Storage

/// A stream of ended incidents, one every four minutes, in and around Hamburg.
struct MadeUpIncidents {
  private let agency: String
  private var random: RandomSource
  private var serial = 0
  private static let start = UTCTime(seconds: 1_735_689_600)

  private static let types = [
    "Cardiac arrest", "Breathing difficulty", "Fall", "Road accident", "Fire", "Burglary", "Assault", "Chest pain",
    "Stroke", "Childbirth", "Drowning", "Gas leak",
  ]
  private static let streets = [
    "Hauptstraße", "Bahnhofstraße", "Gartenweg", "Lindenallee", "Marktplatz", "Hafenstraße", "Schulstraße", "Mühlenweg",
    "Elbchaussee", "Reeperbahn", "Steinweg", "Dorfstraße",
  ]
  private static let people = [
    "Anna Berg", "Jonas Winter", "Mia Krüger", "Paul Sommer", "Lena Vogt", "Emil Brandt", "Ida Lorenz", "Ben Hansen",
  ]
  private static let sayings = [
    "The patient is awake and breathing", "He does not answer any more", "There is smoke on the second floor",
    "The door is locked, neighbours have a key", "She fell from the ladder and cannot move her leg",
    "Please move the camera closer to the face", "An ambulance is on its way", "Two cars, one person is trapped",
    "The dog is gone, nobody is hurt", "I can see the blue lights now",
  ]

  init(agency: String, seed: UInt64) {
    self.agency = agency
    random = .seeded(seed)
  }

  /// The journal of the next one.
  mutating func next() -> [JournalEvent] {
    serial += 1
    var story = Story(id: identifier(), beginning: Self.start + .seconds(Double(serial) * 240))
    let taker = Actor(id: "op-\(pick(40))", role: .operator, name: Self.people[pick(Self.people.count)])
    let caller = Actor(id: "c-\(serial)", role: .caller, name: "Caller")
    story.add(.opened, opening(), by: taker, after: 0)
    story.add(
      .assigned, ["account": .string(taker.id), "role": "operator", "name": .string(taker.name)], by: taker, after: 1)
    let phone = "+49151\(1_000_000 + pick(9_000_000))"
    story.add(
      .callerAdded, ["caller": .string(caller.id), "name": "Caller", "phone": .string(phone)], by: taker, after: 5)
    let isRecorded = pick(10) < 7
    if isRecorded { story.add(.recording, ["state": "started"], by: .system, after: 20) }
    for _ in 0..<3 {
      story.add(.chat, ["text": .string(saying())], by: pick(2) == 0 ? caller : taker, after: 60)
    }
    story.add(.note, ["text": .string(saying())], by: taker, after: 120)
    let outcome = Outcome.allCases[pick(Outcome.allCases.count)]
    story.add(.stateChanged, ["state": "ended", "outcome": .string(outcome.rawValue)], by: taker, after: 300)
    if isRecorded { story.add(.recording, ["state": "sealed"], by: .system, after: 302) }
    return story.events
  }

  /// Such as `25-000123`.
  private func identifier() -> IncidentID {
    let text = "\(25 + serial / 120_000)-" + String(1_000_000 + serial % 120_000).dropFirst()
    guard let id = IncidentID(text) else { preconditionFailure("digits make an identifier: \(text)") }
    return id
  }

  private mutating func opening() -> JSONValue {
    [
      "agency": .string(agency), "priority": .string(Priority.allCases[pick(Priority.allCases.count)].rawValue),
      "type": .string(Self.types[pick(Self.types.count)]), "exercise": .bool(pick(50) == 0), "origin": "operator",
      "place": [
        "lat": .number(53.4 + Double(pick(3_000)) / 10_000), "lon": .number(9.8 + Double(pick(4_000)) / 10_000),
        "text": .string("\(Self.streets[pick(Self.streets.count)]) \(1 + pick(200)), Hamburg"),
      ],
    ]
  }

  private mutating func saying() -> String {
    // A word of its own in some, as real talk has: names, plates, medicines.
    let rare = pick(3) == 0 ? ", plate HH\(pick(50_000))" : ""
    return Self.sayings[pick(Self.sayings.count)] + rare
  }

  /// The document that lists of incidents show.
  func summary(of events: [JournalEvent]) -> DocumentChange? {
    guard let first = events.first, var incident = try? Incident(opening: first) else { return nil }
    for event in events.dropFirst() { incident.apply(event) }
    return .put(collection: "incidents", key: incident.id.value, incident.summary)
  }

  private mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
}

/// One incident's journal as it grows.
private struct Story {
  let id: IncidentID
  let beginning: UTCTime
  var events: [JournalEvent] = []

  /// - Parameter seconds: Since the beginning.
  mutating func add(_ kind: EventKind, _ payload: JSONValue, by actor: Actor, after seconds: Double) {
    events.append(
      JournalEvent(
        incident: id, number: events.count + 1, time: beginning + .seconds(seconds), actor: actor, kind: kind.rawValue,
        payload: payload, clientID: nil, previousHash: events.last?.hash ?? JournalEvent.genesisHash))
  }
}
