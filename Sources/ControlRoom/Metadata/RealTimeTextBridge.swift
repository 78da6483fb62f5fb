import Incidents
import JSON
import Primitives

/// Joins a peer's `t140` channel (RFC 8865) to the chat: what is typed appears letter by letter, a finished line is a
/// message in the journal, and what others write goes the other way.
package struct RealTimeTextBridge: Sendable {
  private let room: ControlRoom
  private let principal: Principal
  private let incident: IncidentID
  private let sink: any MetadataSink

  /// Unicode scalars in one message about characters.
  private static let maximumChunk = 1_000

  package init(room: ControlRoom, principal: Principal, incident: IncidentID, sink: any MetadataSink) {
    self.room = room
    self.principal = principal
    self.incident = incident
    self.sink = sink
  }

  /// Serves the channel until its messages end.
  package func run(_ messages: AsyncStream<String>) async {
    let others = MetadataSession(
      room: room, principal: principal, sink: RealTimeTextSink(sink: sink, ownID: principal.actor.id))
    let start = room.publishedNumber(of: incident)
    await others.receive(
      JSONValue.object([
        "v": 1, "kind": "subscribe", "incident": .string(incident.value), "after": .integer(start),
      ]).canonical)
    var line = RealTimeTextLine()
    for await text in messages {
      await pass(text)
      for finished in line.take(text) { await write(finished) }
    }
    if let rest = line.end() { await write(rest) }
    await others.end()
  }

  private func pass(_ text: String) async {
    var rest = RealTimeTextLine.printable(text).unicodeScalars[...]
    while !rest.isEmpty {
      let chunk = rest.prefix(Self.maximumChunk)
      rest = rest.dropFirst(chunk.count)
      _ = try? await room.submit(
        Wish(
          .realTimeText, ["text": .string(String(String.UnicodeScalarView(chunk)))], in: incident, by: principal))
    }
  }

  private func write(_ line: String) async {
    _ = try? await room.submit(Wish(.chat, ["text": .string(line), "realTime": true], in: incident, by: principal))
  }
}

/// Turns what others write into the characters of a `t140` channel.
private final class RealTimeTextSink: MetadataSink {
  private let sink: any MetadataSink
  private let ownID: String

  init(sink: any MetadataSink, ownID: String) {
    self.sink = sink
    self.ownID = ownID
  }

  func send(_ text: String, taken: @escaping @Sendable (Bool) -> Void) {
    guard let characters = characters(of: text) else { return taken(true) }
    sink.send(characters, taken: taken)
  }

  func close(_ refusal: Refusal) {
    // The channel speaks text to a person: nothing of the envelope is sent on it.
  }

  private func characters(of message: String) -> String? {
    guard let event = (try? JSONValue(parsing: message))?["event"], event["actor"]?["id"]?.string != ownID,
      let text = event["payload"]?["text"]?.string
    else { return nil }
    switch event["kind"]?.string {
    case EventKind.realTimeText.rawValue: return text
    // What was typed in real time has been shown already.
    case EventKind.chat.rawValue where event["payload"]?["realTime"]?.bool != true: return text + "\u{2028}"
    default: return nil
    }
  }
}
