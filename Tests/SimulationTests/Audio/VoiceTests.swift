import Primitives
import SimulationSupport
import Testing

/// A voice over links that lose packets, with redundant audio and without.
@Suite struct VoiceTests {
  static let lossy = SimulatedNetwork.Quality(
    delay: .milliseconds(40), jitter: .milliseconds(10), loss: 0.10)

  /// Ten seconds to get used to the link, then a minute that counts: the share heard within 150 ms.
  private func minute(of call: VoiceCall) throws -> Double {
    try #require(call.connect())
    call.simulator.run(for: .seconds(10))
    let start = call.simulator.now
    call.simulator.run(for: .seconds(60))
    let end = call.simulator.now + TimeInterval64.milliseconds(-500)
    call.simulator.run(for: .seconds(1))
    return call.share(from: start, to: end, within: .milliseconds(150))
  }

  @Test("a caller who repeats one packet loses one word in a hundred instead of one in ten", arguments: 1...3)
  func callersLink(seed: UInt64) throws {
    let plain = try VoiceCall(seed: seed, repetitions: 0, listenerNegotiates: false)
    plain.impair(VoiceCall.speakerAddress, Self.lossy)
    let repeating = try VoiceCall(seed: seed, repetitions: 1, listenerNegotiates: false)
    repeating.impair(VoiceCall.speakerAddress, Self.lossy)
    #expect(try minute(of: plain) < 0.93)
    #expect(try minute(of: repeating) > 0.98)
    #expect(repeating.redundantPackets == 0)
  }

  @Test("so does a listener whose link is weak, by itself", arguments: 1...3)
  func listenersLink(seed: UInt64) throws {
    let plain = try VoiceCall(seed: seed, repetitions: 0, listenerNegotiates: false)
    plain.impair(VoiceCall.listenerAddress, Self.lossy)
    let repeating = try VoiceCall(seed: seed, repetitions: 0, listenerNegotiates: true)
    repeating.impair(VoiceCall.listenerAddress, Self.lossy)
    #expect(try minute(of: plain) < 0.93)
    #expect(try minute(of: repeating) > 0.98)
  }

  @Test("over two weak links nearly everything is heard")
  func bothLinks() throws {
    let call = try VoiceCall(seed: 9, repetitions: 2, listenerNegotiates: true)
    call.impair(VoiceCall.speakerAddress, Self.lossy)
    call.impair(VoiceCall.listenerAddress, Self.lossy)
    #expect(try minute(of: call) > 0.98)
  }

  @Test("a good link gets plain sound, and again once it has become good")
  func goodLinks() throws {
    let call = try VoiceCall(seed: 4, repetitions: 1, listenerNegotiates: true)
    try #require(call.connect())
    call.simulator.run(for: .seconds(20))
    #expect(call.packets > 900)
    #expect(call.redundantPackets == 0)
    call.impair(VoiceCall.listenerAddress, Self.lossy)
    call.simulator.run(for: .seconds(10))
    #expect(call.redundantPackets > 300)
    call.impair(VoiceCall.listenerAddress, SimulatedNetwork.Quality())
    call.simulator.run(for: .seconds(20))
    let before = call.redundantPackets
    call.simulator.run(for: .seconds(10))
    #expect(call.redundantPackets == before)
  }
}
