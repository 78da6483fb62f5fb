import ControlRoom
import Incidents
import Primitives
import Synchronization
import Testing

/// Real-time text (T.140, RFC 8865): letter by letter, and lines that become messages.
@Suite("Real-time text")
struct RealTimeTextTests {
  @Test(arguments: [
    (["he", "lp\u{2028}"], ["help"]), (["hex\u{8}lp\n"], ["help"]), (["\u{feff}a\u{8}\u{8}\u{8}b\r"], ["b"]),
    (["one\u{2028}two\u{2029}", "three"], ["one", "two"]), (["  \u{2028}\n\n"], []),
    (["a\u{7}\u{1b}b\n"], ["ab"]), (["👩‍👩‍👧x\u{8}\u{8}ok\n"], ["ok"]),
  ])
  func linesAreMadeOfCharacters(parts: [String], lines: [String]) {
    var line = RealTimeTextLine()
    #expect(parts.flatMap { line.take($0) } == lines)
  }

  @Test func aLongLineIsCutAndTheRestIsKept() {
    var line = RealTimeTextLine()
    let text = String(repeating: "x", count: RealTimeTextLine.maximumLength + 5)
    #expect(line.take(text).map(\.count) == [RealTimeTextLine.maximumLength])
    #expect(line.end() == "xxxxx")
    #expect(line.end() == nil)
  }

  @Test func aPeersTextReachesTheOthersAndTheirsReachesThePeer() async throws {
    let test = try await TestRoom()
    let id = try await test.open()
    let desk = try LinkDesk(room: test.room, storage: test.storage)
    let grant = try await desk.create(
      .init(role: .caller, name: "caller", phone: nil, minutes: 15), in: id, by: person(.operator))
    let caller = person(.caller, grant.subject, linked: id)
    let watcher = TestSink()
    let session = test.enter(person(.operator), watcher)
    await session.receive(envelope(["kind": "subscribe", "incident": .string(id.value)]))
    // Letters are for those who are there: none is kept.
    await watcher.wait(forKind: "subscribed")
    let channel = TextSink()
    let (texts, typed) = AsyncStream.makeStream(of: String.self)
    let bridge = RealTimeTextBridge(room: test.room, principal: caller, incident: id, sink: channel)
    async let served: Void = bridge.run(texts)
    typed.yield("he")
    typed.yield("lp\u{2028}")
    await watcher.wait { messages, _ in
      messages.contains { $0["event"]?["kind"] == "chat" && $0["event"]?["payload"]?["text"] == "help" }
    }
    let live = watcher.messages.filter { $0["event"]?["kind"] == "text.live" }
    let letters = live.compactMap { $0["event"]?["payload"]?["text"]?.string }.joined()
    #expect(letters.hasPrefix("help"))
    try await test.say("we are coming", in: id)
    await channel.wait(for: "we are coming\u{2028}")
    typed.finish()
    await served
    #expect(!channel.text.contains("help"), "nobody is sent their own words")
    await session.end()
    test.room.stop()
  }
}

/// Keeps the characters that a channel was given.
private final class TextSink: MetadataSink {
  private struct State {
    var text = ""
    var waiters: [(String, CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  var text: String { state.withLock { $0.text } }

  func send(_ text: String, taken: @escaping @Sendable (Bool) -> Void) {
    let served = state.withLock { state in
      state.text += text
      let served = state.waiters.filter { state.text.contains($0.0) }
      state.waiters.removeAll { waiter in state.text.contains(waiter.0) }
      return served
    }
    for (_, continuation) in served { continuation.resume() }
    taken(true)
  }

  func close(_ refusal: Refusal) {}

  func wait(for text: String) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.text.contains(text) { return true }
        state.waiters.append((text, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }
}
