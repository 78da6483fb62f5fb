import Incidents
import JSON
import Primitives

/// What a journal tells, as cues on the clock of the recording.
///
/// Events go in, in order, as far as whoever looks may see them; what belongs together (from when to when somebody
/// watched, until when a place was the last known one) becomes one cue.
package struct TimedTrack: Sendable {
  package let epoch: UTCTime
  /// In order of their events.
  package private(set) var cues: [TimedCue] = []
  /// Number of the last event that went in.
  package private(set) var number = 0
  /// Cues that were left out because there were too many.
  package private(set) var omitted = 0
  /// Names by actor, caller and account.
  private var names: [String: String] = [:]
  /// Places in ``cues`` of what goes on, by kind and whom it is about.
  private var open: [String: Int] = [:]

  /// Cues of one track; further ones are counted and left out.
  package static let maximumCues = 100_000

  package init(epoch: UTCTime) {
    self.epoch = epoch
  }

  /// Takes the next event; `payload` is what whoever looks may see of it.
  package mutating func append(_ event: JournalEvent, payload: JSONValue) {
    number = max(number, event.number)
    if event.actor.role != .system { names[event.actor.id] = event.actor.name }
    guard let kind = EventKind(rawValue: event.kind) else { return }
    if kind == .callerAdded || kind == .assigned, let name = payload["name"]?.string,
      let id = (payload["caller"] ?? payload["account"])?.string
    {
      names[id] = name
    }
    guard let cue = CueWords(kind: kind, payload: payload, actor: event.actor, names: names).cue else { return }
    guard let key = Self.spanKey(kind, payload, event.actor) else {
      return add(cue.row, event, cue.text, payload, key: nil)
    }
    end(key, event)
    if kind == .watching, payload["on"]?.bool != true { return }
    add(cue.row, event, cue.text, payload, key: key)
  }

  /// Goes on behind `number`: what came before it was not for whoever looks.
  package mutating func skip(to number: Int) { self.number = max(self.number, number) }

  /// What a span is told from others by; nil for a moment.
  ///
  /// A place is known until the next one of the same caller, and somebody watches until they no longer do.
  private static func spanKey(_ kind: EventKind, _ payload: JSONValue, _ actor: Actor) -> String? {
    if kind == .location { return "location/\(payload["caller"]?.string ?? "")" }
    return kind == .watching ? "watching/\(payload["account"]?.string ?? actor.id)" : nil
  }

  private mutating func end(_ key: String, _ event: JournalEvent) {
    guard let place = open.removeValue(forKey: key) else { return }
    cues[place].end = event.time
    cues[place].changedBy = event.number
  }

  private mutating func add(
    _ kind: TimedCue.Kind, _ event: JournalEvent, _ text: String, _ payload: JSONValue, key: String?
  ) {
    guard cues.count < Self.maximumCues else {
      omitted += 1
      return
    }
    if let key { open[key] = cues.count }
    cues.append(
      TimedCue(
        kind: kind, number: event.number, changedBy: event.number, start: event.time, end: nil, isSpan: key != nil,
        who: who(kind, event, payload), text: text, details: Self.details(kind, payload)))
  }

  /// The name of whom a cue is about: whoever did it, watched, or owns the stream; empty for an owner without a name.
  private func who(_ kind: TimedCue.Kind, _ event: JournalEvent, _ payload: JSONValue) -> String {
    switch kind {
    case .watching: payload["name"]?.string ?? event.actor.name
    case .stream: payload["owner"]?.string.flatMap { names[$0] } ?? ""
    case .location, .chat, .note, .decision, .stage, .revealed, .command, .snapshot, .file, .people, .archive:
      event.actor.name
    }
  }

  /// What a map, a list or a row of the timeline needs besides the words.
  private static func details(_ kind: TimedCue.Kind, _ payload: JSONValue) -> JSONValue {
    let wanted: [String]
    switch kind {
    case .location: wanted = ["caller", "lat", "lon", "accuracy", "source", "marks"]
    case .chat: wanted = ["to"]
    case .decision: wanted = ["priority", "state", "outcome"]
    case .stage: wanted = ["caller", "stage"]
    case .watching: wanted = ["account", "role"]
    case .revealed: wanted = ["on", "source"]
    case .command: wanted = ["caller", "command", "status"]
    case .snapshot: wanted = ["file", "source"]
    case .file: wanted = ["file", "type", "purpose"]
    case .stream: wanted = ["source", "state"]
    case .people: wanted = ["account", "unit", "status"]
    case .note, .archive: wanted = []
    }
    let members = wanted.compactMap { name in payload[name].map { (name, $0) } }
    return members.isEmpty ? .null : .object(Dictionary(members, uniquingKeysWith: { $1 }))
  }

  /// The cues that an event behind `number` began or changed.
  package func cues(changedAfter number: Int) -> [TimedCue] {
    number == 0 ? cues : cues.filter { $0.changedBy > number }
  }

  /// The track, or what is new in it, for our own player.
  package func json(after number: Int = 0) -> JSONValue {
    [
      "epoch": .string(epoch.description), "epochMicroseconds": .integer(epoch.microseconds),
      "next": .integer(self.number), "omitted": .integer(omitted),
      "cues": .array(cues(changedAfter: number).map { $0.json(from: epoch) }),
    ]
  }
}
