import Primitives
import RTP
import Relay
import Testing

/// Who counts as a speaker.
@Suite struct SpeakerLevelTests {
  /// A stretch of sound: how long it is, and its level in -dBov; nil for no packets at all.
  struct Stretch: Sendable {
    let milliseconds: Int
    let attenuation: UInt8?

    init(_ milliseconds: Int, _ attenuation: UInt8?) {
      self.milliseconds = milliseconds
      self.attenuation = attenuation
    }
  }

  /// What the speaker is after each stretch, in packets of 20 ms.
  private func course(_ stretches: [Stretch]) -> [Bool] {
    var level = SpeakerLevel()
    var now = MonotonicTime(nanoseconds: 5_000_000_000)
    return stretches.map { stretch in
      for _ in 0..<(stretch.milliseconds / 20) {
        now = now + .milliseconds(20)
        if let attenuation = stretch.attenuation {
          level.note(AudioLevel(voiceActivity: false, attenuation: attenuation), now: now)
        } else {
          level.update(now: now)
        }
      }
      return level.isSpeaking
    }
  }

  @Test("silence, and noise that stays below speech, is nobody", arguments: [UInt8(127), 90, 70, 60, 55])
  func quietIsNobody(attenuation: UInt8) {
    #expect(course([Stretch(20_000, attenuation)]) == [false])
  }

  @Test("speech at its usual levels counts within 300 ms", arguments: [UInt8(0), 10, 20, 30, 40, 45])
  func speechCounts(attenuation: UInt8) {
    #expect(course([Stretch(1_000, 127), Stretch(300, attenuation)]) == [false, true])
  }

  @Test("a click or a cough is too short", arguments: [20, 60, 80])
  func clicksAreShort(milliseconds: Int) {
    let click = course([Stretch(1_000, 80), Stretch(milliseconds, 20), Stretch(20, 127), Stretch(1_000, 80)])
    #expect(!click.contains(true))
  }

  @Test("a pause between words does not end a turn, one of two seconds does")
  func pauses() {
    let turn = Stretch(1_000, 25)
    #expect(course([turn, Stretch(400, 75), turn, Stretch(1_000, 75), turn]) == [true, true, true, true, true])
    #expect(course([turn, Stretch(2_400, 75), turn]) == [true, false, true])
  }

  @Test("a sender that stops sending in silence ends its turn as well")
  func discontinuousTransmission() {
    let turn = Stretch(1_000, 25)
    #expect(course([turn, Stretch(1_000, nil), Stretch(1_000, nil)]) == [true, true, false])
  }

  @Test("a siren that goes on becomes part of the scene, and a voice over it counts again")
  func sirens() {
    let siren = Stretch(60_000, 45)
    #expect(course([Stretch(1_000, 45), siren, Stretch(1_000, 20)]) == [true, false, true])
  }

  @Test("who speaks more quietly is still the same speaker")
  func hysteresis() {
    #expect(course([Stretch(1_000, 40), Stretch(5_000, 54)]) == [true, true])
    #expect(course([Stretch(5_000, 54)]) == [false])
  }

  @Test("the relay tells when somebody begins and ends to speak")
  func theRelayTells() throws {
    let world = try World()
    let caller = world.addCaller()
    let audio = try world.addSource(of: caller, kind: .audio, formats: [.opus])
    var stream = TestStream(1, .opus, payloadType: 111)
    func speak(_ attenuation: UInt8, milliseconds: Int) {
      for _ in 0..<(milliseconds / 20) {
        stream.extensions = [(id: 5, value: [attenuation])]
        world.send(stream.frame(sizes: [60], ticks: 960), from: caller)
        world.advance(20)
      }
    }
    speak(100, milliseconds: 500)
    #expect(!world.relay.isSpeaking(audio))
    speak(25, milliseconds: 500)
    #expect(world.relay.isSpeaking(audio))
    #expect(world.relay.status(of: audio)?.isSpeaking == true)
    speak(100, milliseconds: 3_000)
    #expect(!world.relay.isSpeaking(audio))
    #expect(
      world.statuses.map(\.status.isSpeaking).reduce(into: [Bool]()) { if $0.last != $1 { $0.append($1) } } == [
        false, true, false,
      ])
    #expect(world.statuses.count <= 5)
  }

  @Test("a sender that vanishes in the middle of a word speaks no more")
  func vanishedSenders() throws {
    let world = try World()
    let caller = world.addCaller()
    let audio = try world.addSource(of: caller, kind: .audio, formats: [.opus])
    var stream = TestStream(1, .opus, payloadType: 111)
    stream.extensions = [(id: 5, value: [20])]
    for _ in 0..<50 {
      world.send(stream.frame(sizes: [60], ticks: 960), from: caller)
      world.advance(20)
    }
    #expect(world.relay.isSpeaking(audio))
    world.advance(2_000)
    #expect(!world.relay.isSpeaking(audio))
  }
}
