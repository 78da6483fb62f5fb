import Archive
import Incidents
import JSON
import Primitives
import Testing

@Suite struct TimedTrackTests {
  @Test func watchingIsFromThenToThen() throws {
    var journal = ReplayJournal()
    let who: JSONValue = ["on": true, "account": "a-rita", "role": "responder", "name": "Rita"]
    try journal.happen(.watching, who, by: "Sightline", role: .system)
    try journal.happen(.note, ["text": "Two people"])
    var track = journal.track
    #expect(track.cues[0].end == nil && track.cues[0].isSpan && track.cues[0].who == "Rita")
    let off = try journal.happen(
      .watching, ["on": false, "account": "a-rita", "role": "responder", "name": "Rita"], role: .system, at: 9)
    track.append(off, payload: off.payload)
    #expect(track.cues.count == 2)
    #expect(track.cues[0].end == ReplayManifest.epoch + .seconds(9))
    #expect(track.cues(changedAfter: 2).map(\.number) == [1], "a cue that was ended is news")
    #expect(track.json(after: 2)["next"] == 3)
  }

  @Test func aPlaceIsKnownUntilTheNextOneOfTheSameCaller() throws {
    var journal = ReplayJournal()
    try journal.happen(.callerAdded, ["caller": "c1", "name": "Anna"])
    for (caller, second) in [("c1", 1.0), ("c2", 2), ("c1", 4)] {
      try journal.happen(
        .location, ["caller": .string(caller), "lat": 53.55, "lon": -9.99283, "accuracy": 12.4, "source": "device"],
        at: second)
    }
    let places = journal.track.cues.filter { $0.kind == .location }
    #expect(places.map(\.end) == [ReplayManifest.epoch + .seconds(4), nil, nil])
    #expect(places[0].text == "Anna at 53.55000, -9.99283, within 12 m")
    #expect(places[0].details["lat"] == 53.55)
  }

  @Test(
    arguments: [
      (
        EventKind.stateChanged, ["state": "ended", "outcome": "handled"], TimedCue.Kind.decision,
        "Incident ended: handled"
      ),
      (.classified, ["priority": "P1", "type": "fire"], .decision, "Set P1, fire"),
      (.callerStage, ["caller": "c1", "stage": "live"], .stage, "c1: live"),
      (.command, ["caller": "c1", "command": "torch", "argument": "true"], .command, "Olga asks for torch: true"),
      (.snapshotTaken, ["file": "f-1"], .snapshot, "Snapshot by Olga"),
      (.revealed, ["on": true], .revealed, "Olga revealed the picture"),
      (
        .view,
        [
          "account": "r1", "role": "responder", "name": "Rita", "source": "s1", "from": "all", "to": "stills",
          "reason": "overload",
        ], .people, "Rita (responder) sees a still picture every few seconds: more urgent calls came first"
      ),
      (.replayOpened, ["reason": "complaint 7"], .archive, "Olga looked back: complaint 7"),
      (.chat, ["text": "Hello"], .chat, "Hello"),
    ] as [(EventKind, JSONValue, TimedCue.Kind, String)])
  func eventsHaveARowAndWords(kind: EventKind, payload: JSONValue, row: TimedCue.Kind, text: String) throws {
    var journal = ReplayJournal()
    try journal.happen(kind, payload)
    let cue = try #require(journal.track.cues.first)
    #expect(cue.kind == row && cue.text == text && !cue.isSpan)
  }

  @Test func streamsAreNamedByTheirOwners() throws {
    var journal = ReplayJournal()
    try journal.happen(.callerAdded, ["caller": "c1", "name": "Anna"], role: .system)
    for owner in ["c1", "c2"] {
      try journal.happen(
        .source,
        ["source": .string("v-\(owner)"), "peer": "p", "owner": .string(owner), "kind": "video", "state": "live"],
        role: .system)
    }
    #expect(journal.track.cues.filter { $0.kind == .stream }.map(\.who) == ["Anna", ""])
  }

  @Test func whatIsNoCueAndWhatANewerProgramWroteAreCountedOnly() throws {
    var journal = ReplayJournal()
    try journal.happen(.chatRead, ["upTo": 1])
    var track = journal.track
    let foreign = JournalEvent(
      incident: try #require(IncidentID("26-1")), number: 2, time: ReplayManifest.epoch, actor: .system,
      kind: "something.new", payload: [:], clientID: nil, previousHash: journal.events[0].hash)
    track.append(foreign, payload: foreign.payload)
    #expect(track.cues.isEmpty && track.number == 2)
    track.skip(to: 9)
    #expect(track.number == 9)
  }

  @Test func webVTTIsInOrderAndNothingOfItIsMarkup() throws {
    var journal = ReplayJournal()
    try journal.happen(.chat, ["text": "<b>& --> \n\nNOTE x"], by: "A>B", at: 3_661.5)
    try journal.happen(.watching, ["on": true, "account": "a", "role": "guest", "name": "Gus"], at: 2)
    try journal.happen(.watching, ["on": false, "account": "a", "role": "guest", "name": "Gus"], at: 2)
    try journal.happen(.snapshotTaken, ["file": "f"], at: -5)
    #expect(
      journal.track.webVTT == """
        WEBVTT

        NOTE 0 is 2026-11-23T03:11:22.000000Z

        4
        00:00:00.000 --> 00:00:00.001
        <c.snapshot>Snapshot by Olga</c>

        2
        00:00:02.000 --> 00:00:02.001
        <c.watching>Gus (guest) watches</c>

        1
        01:01:01.500 --> 01:01:06.500
        <v A&gt;B><c.chat>&lt;b&gt;&amp; --&gt;   NOTE x</c>

        """)
  }
}
