import Incidents
import Interchange
import JSON
import Primitives
import Testing

@Suite("EIDO")
struct EIDOTests {
  private func document(_ story: Story) -> JSONValue {
    EIDO.document(for: story.incident, context: .test, notes: EIDO.Note.samples)
  }

  /// Every object within, the value itself first.
  private func objects(_ value: JSONValue) -> [[String: JSONValue]] {
    switch value {
    case .object(let members): [members] + members.values.flatMap(objects)
    case .array(let values): values.flatMap(objects)
    case .null, .bool, .number, .string: []
    }
  }

  @Test("every reference leads to a component of the document, and no two have one name", arguments: [false, true])
  func references(_ exercise: Bool) throws {
    var story = try Story.full(exercise: exercise)
    try story.add(.absorbed, ["from": "inc-7", "callers": []])
    try story.add(.stateChanged, ["state": "ended", "outcome": "handled"])
    let objects = objects(document(story))
    let names = objects.compactMap { $0["$id"]?.string }
    #expect(Set(names).count == names.count)
    let references = objects.compactMap { $0["$ref"]?.string }
    #expect(references.count > 60)
    #expect(Set(references).subtracting(names).isEmpty)
  }

  @Test("what is not known is left out")
  func noNulls() throws {
    for object in objects(document(try Story.full())) { #expect(!object.values.contains(.null)) }
  }

  @Test("every component has the prologue")
  func prologue() throws {
    for object in objects(document(try Story.full())) where object["$ref"] == nil {
      #expect(object["$id"]?.string?.isEmpty == false)
      #expect(object["lastUpdateTimeStamp"]?.string.flatMap { UTCTime($0) } != nil)
      #expect(object["updatedByAgencyReference"] == ["$ref": "leitstelle-nord.example"])
    }
  }

  @Test(
    "priorities are those of the agency's table",
    arguments: [(Priority.p1, 9, 10), (.p2, 7, 7), (.p3, 4, 4), (.p4, 2, 0)])
  func priorities(_ priority: Priority, _ standard: Int, _ configured: Int) throws {
    let incident = try Story(priority: priority).incident
    var vocabulary = EIDOVocabulary.standard
    vocabulary.priorityNumbers[.p1] = 11
    vocabulary.priorityNumbers[.p4] = -1
    let number = { (document: JSONValue) in document["incidentComponent"]?["incidentCommonPriorityNumber"]?.integer }
    #expect(number(EIDO.document(for: incident, context: .test)) == standard)
    #expect(number(EIDO.document(for: incident, context: .test, vocabulary: vocabulary)) == configured)
  }

  @Test("types are codes of the registry, or unknown trouble")
  func types() throws {
    var vocabulary = EIDOVocabulary.standard
    vocabulary.incidentTypes["Cardiac arrest"] = "NCRCPRF"
    for (type, expected) in [("Cardiac arrest", "NCRCPRF"), ("ABDOM", "ABDOM"), ("Fire", "TROUBLE"), (nil, "TROUBLE")] {
      let document = EIDO.document(for: try Story(type: type).incident, context: .test, vocabulary: vocabulary)
      #expect(document["incidentComponent"]?["incidentTypeCommonRegistryText"]?.string == expected)
      #expect(document["incidentComponent"]?["incidentTypeInternalText"]?.string == type)
    }
  }

  @Test("the status tells of state and units")
  func statuses() throws {
    func words(_ story: Story) -> [String] {
      document(story)["incidentComponent"]?["incidentStatusCommonRegistryText"]?.array?.compactMap(\.string) ?? []
    }
    var story = try Story()
    #expect(words(story) == ["Active"])
    try story.add(.unitAssigned, ["unit": "a"])
    try story.add(.unitAssigned, ["unit": "b"])
    try story.add(.unitStatus, ["unit": "b", "status": "enroute"])
    #expect(words(story) == ["Active", "ResourcesAssigned", "ResourcesEnroute"])
    try story.add(.unitStatus, ["unit": "b", "status": "onscene"])
    try story.add(.unitStoodDown, ["unit": "a"])
    #expect(words(story) == ["Active", "ResourcesOnscene"])
    try story.add(.stateChanged, ["state": "ended", "outcome": "hoax"])
    #expect(words(story) == ["Closed"])
    try story.add(.stateChanged, ["state": "reopened"])
    #expect(words(story) == ["ReOpened", "ResourcesOnscene"])
    try story.add(.stateChanged, ["state": "cancelled"])
    #expect(words(story) == ["Cancelled"])
  }

  @Test("a caller is a call, a person, a way to call back and a place")
  func caller() throws {
    let document = document(try Story.full())
    let call = try #require(document["callComponent"]?.array?.first)
    #expect(call["$id"] == "urn:emergency:uid:callid:inc-2026-0001-c1:video.leitstelle-nord.example")
    #expect(call["callStateRegistryText"] == "callAnswered")
    #expect(call["direction"] == "incoming")
    #expect(call["callStartTimestamp"] == "2026-11-23T03:11:24.123Z")
    #expect(call["answerDate"] == "2026-11-23T03:11:26.123Z")
    let callback = document["callbackComponent"]?.array
    #expect(callback?.map { $0["callBackInformationUri"] } == [["tel:+4917112345678"]])
    let places = document["locationComponent"]?.array ?? []
    let kinds = places.map { $0["locationTypeDescriptionRegistryText"]?.string }
    #expect(kinds == ["CurrentIncident", "Caller", "Caller", "UnitLocation"])
    let pidf = try ParsedXML(try #require(places[1]["locationByValue"]?.string))
    #expect(pidf.texts("Circle/pos") == ["53.550341 9.992872"])
    #expect(pidf.texts("confidence") == ["68"])
  }

  @Test("media are files and live pictures, below the base URL")
  func media() throws {
    let media = document(try Story.full())["mediaComponent"]?.array ?? []
    #expect(
      media.map { $0["uri"] } == [
        "https://sightline.example/incidents/inc-2026-0001",
        "https://sightline.example/api/v1/incidents/inc-2026-0001/files/f1",
      ])
    #expect(media.map { $0["contentType"] } == ["text/html", "image/jpeg"])
  }

  @Test("units are agents, resources and dispatches")
  func units() throws {
    let document = document(try Story.full())
    let resources = document["emergencyResourceComponent"]?.array ?? []
    #expect(resources.map { $0["emergencyResourceName"] } == ["RTW 3", "hlf-1", "pol-9"])
    #expect(
      resources.map { $0["secondaryUnitStatusRegistryText"] } == [["EnRoute"], ["Assigned"], ["Assigned"]])
    #expect(resources.map { $0["primaryUnitStatusRegistryText"] } == ["NotAvailable", "NotAvailable", "Available"])
    #expect(resources[0]["eta"] == "2026-11-23T03:15:00.000Z")
    #expect(document["dispatchComponent"]?.array?.count == 3)
    #expect(document["agencyComponent"]?.array?.first?["agencyRoleDescriptionRegistryText"]?.array?.count == 2)
  }

  @Test("notes are HTML, and only the newest of too many are told")
  func notes() throws {
    let notes = document(try Story.full())["notesComponent"]?.array ?? []
    #expect(notes.first?["notesActionComments"] == "Breathing &lt;stopped&gt; &amp; CPR<br>since 3:12")
    #expect(notes.last?["updatedByAgentReference"] == ["$ref": "dis-2@leitstelle-nord.example"])
    let many = (1...EIDO.maximumNotes + 1).map {
      EIDO.Note(number: $0, text: "\($0)", author: Story.staff, time: Story.start)
    }
    let told = EIDO.document(for: try Story().incident, context: .test, notes: many)["notesComponent"]?.array
    #expect(told?.first?["notesActionComments"] == "2")
    #expect(told?.count == EIDO.maximumNotes)
  }

  @Test("an exercise says so")
  func exercise() throws {
    let document = EIDO.document(for: try Story(exercise: true).incident, context: .test)
    #expect(document["incidentComponent"]?["incidentStatusInternalText"] == ["new", "exercise"])
    #expect(document["notesComponent"]?.array?.first?["notesActionComments"]?.string?.hasPrefix("EXERCISE") == true)
  }

  @Test("a merged incident names the one that goes on")
  func merged() throws {
    var story = try Story()
    try story.add(.merged, ["into": "inc-9"])
    let document = EIDO.document(for: story.incident, context: .test)
    let merge = try #require(document["mergeComponent"]?.array?.first)
    #expect(merge["incidentMergeDirectionCode"] == "REPLACED")
    #expect(merge["incidentTrackingIdentifier"] == "urn:emergency:uid:incidentid:inc-9:video.leitstelle-nord.example")
    #expect(document["incidentComponent"]?["incidentStatusCommonRegistryText"] == ["Closed"])
  }

  @Test("an incident is found by its tracking identifier or by its own, but not by another element's")
  func trackingIdentifiers() throws {
    let id = try #require(IncidentID("inc-1"))
    let urn = EIDO.trackingIdentifier(of: id, context: .test)
    #expect(urn == "urn:emergency:uid:incidentid:inc-1:video.leitstelle-nord.example")
    #expect(EIDO.incidentID(urn, context: .test) == id)
    #expect(EIDO.incidentID("inc-1", context: .test) == id)
    for text in ["urn:emergency:uid:incidentid:inc-1:other.example", "urn:emergency:uid:incidentid:inc-1", "a/b", ""] {
      #expect(EIDO.incidentID(text, context: .test) == nil)
    }
  }

  @Test("documents are as they were")
  func golden() throws {
    try Golden.check(document(try Story.full()).canonical, "eido-full.json")
    try Golden.check(EIDO.document(for: try Story().incident, context: .test).canonical, "eido-smallest.json")
    var story = try Story.full(exercise: true)
    try story.add(.absorbed, ["from": "inc-7", "callers": [["caller": "c9", "stage": "ended"]]])
    try story.add(.stateChanged, ["state": "ended", "outcome": "handled"])
    try Golden.check(document(story).canonical, "eido-ended-exercise.json")
  }
}
