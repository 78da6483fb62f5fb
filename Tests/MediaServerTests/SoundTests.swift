import Foundation
import MediaClient
import MediaServer
import Primitives
import SDP
import Testing

/// Whose sound goes where.
@Suite(.serialized) struct SoundTests {
  struct Case: Sendable {
    var voices: [SoundChoice.Voice]
    var slots: Int
    var expected: [Int]

    init(_ voices: [SoundChoice.Voice], slots: Int, expected: [Int]) {
      self.voices = voices
      self.slots = slots
      self.expected = expected
    }
  }

  private static func voice(
    _ part: PeerPart, speaking: Bool = false, heard: Bool = false, live: Bool = true
  ) -> SoundChoice.Voice {
    SoundChoice.Voice(part: part, isLive: live, isSpeaking: speaking, isHeard: heard)
  }

  @Test(
    "who is heard when there are more voices than slots",
    arguments: [
      // Enough slots: everybody, in the old order.
      Case([voice(.field), voice(.caller)], slots: 2, expected: [0, 1]),
      Case([voice(.field)], slots: 0, expected: []),
      // Who speaks comes before who is silent, even when that one is heard.
      Case([voice(.field, heard: true), voice(.field, speaking: true)], slots: 1, expected: [1]),
      // Nobody is cut off in the middle of a word, nor moved for nothing.
      Case([voice(.field, speaking: true), voice(.field, speaking: true, heard: true)], slots: 1, expected: [1]),
      Case([voice(.field), voice(.field, heard: true)], slots: 1, expected: [1]),
      // The caller and the control room keep their slots, whoever else speaks.
      Case(
        [voice(.caller, heard: true), voice(.field, speaking: true, heard: true), voice(.control)], slots: 2,
        expected: [0, 2]),
      Case(
        [voice(.caller), voice(.control), voice(.field, speaking: true), voice(.field, speaking: true, heard: true)],
        slots: 3, expected: [0, 1, 3]),
      // A speaking operator comes before a silent one.
      Case([voice(.control, heard: true), voice(.control, speaking: true)], slots: 1, expected: [1]),
      // A session that was left behind gives its slot to the one that lives.
      Case([voice(.caller, heard: true, live: false), voice(.field)], slots: 1, expected: [1]),
      Case([voice(.onlooker, speaking: true), voice(.field), voice(.onlooker)], slots: 1, expected: [0]),
    ])
  func choice(_ test: Case) {
    #expect(SoundChoice.choose(from: test.voices, slots: test.slots) == test.expected)
  }

  @Test("callers hear the control room alone, everybody else hears everybody", arguments: PeerPart.allCases)
  func talkPermissions(listener: PeerPart) {
    let heard = PeerPart.allCases.filter { listener.mayReceive(from: $0) }
    #expect(heard == (listener == .caller ? [.control] : PeerPart.allCases))
  }

  @Test("nobody hears themselves, not even out of another session of theirs")
  func noEcho() async throws {
    let stage = try Stage()
    let incident = try #require(IncidentID("echo"))
    let clip = try Clip(path: clipPath)
    let talking = try await stage.join(incident, .publish(clip.codec), as: .field, actor: "unit-7", clip: clip)
    let other = try await stage.join(incident, .watch(slots: 1), as: .field, actor: "unit-8")
    let own = try await stage.join(incident, .watch(slots: 1), as: .field, actor: "unit-7")
    let sources = await stage.server.overview(of: incident).sources
    let sound = try #require(sources.first { $0.kind == .audio && $0.peer == talking.peer })
    let picture = try #require(sources.first { $0.kind == .video && $0.peer == talking.peer })
    #expect(await Set(stage.server.slots(of: other.peer).values.map(\.source)) == [sound.id, picture.id])
    #expect(await stage.server.slots(of: own.peer).values.map(\.source) == [picture.id])
    let slots = await stage.server.slots(of: other.peer)
    let audioSlot = try #require(slots.first { $0.value.source == sound.id }?.key)
    await #expect(throws: MediaError.self, "nor by choice") {
      try await stage.server.select(sound.id, on: audioSlot, of: own.peer)
    }
    await stage.close()
  }

  @Test("two people without a name in the journal hear each other")
  func namelessPeopleAreNotOne() async throws {
    let stage = try Stage()
    let incident = try #require(IncidentID("nameless"))
    let clip = try Clip(path: clipPath)
    _ = try await stage.join(incident, .publish(clip.codec), as: .field, clip: clip)
    let other = try await stage.join(incident, .watch(slots: 1), as: .field)
    #expect(await stage.server.slots(of: other.peer).count == 2)
    await stage.close()
  }

  @Test(
    "redundant sound is taken from senders that offer it, before plain Opus",
    arguments: [
      ("chromium-sendonly", true), ("chromium-sendrecv", true), ("safari-ios-sendonly", true),
      ("firefox-sendonly", false), ("obs-whip", false),
    ])
  func redundancyIsNegotiated(fixture: String, isOffered: Bool) async throws {
    let stage = try Stage()
    let path = URL(fileURLWithPath: clipPath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("sdp/\(fixture).sdp")
    let answer = try await stage.server.connect(
      PeerRequest(
        incident: try #require(IncidentID("red")), permissions: [.publish, .subscribe], name: "test",
        offer: try String(contentsOf: path, encoding: .utf8)))
    let audio = try #require(try SessionDescription(parsing: answer.sdp).media.first { $0.kind == .audio })
    let codecs = try audio.carriedCodecs(feedback: []).map(\.codec)
    #expect(codecs == (isOffered ? [.red, .opus] : [.opus]))
    await stage.close()
  }
}
