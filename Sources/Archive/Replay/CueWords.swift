import Incidents
import JSON

/// An event in plain words, and the row of the timeline that it belongs to.
struct CueWords {
  let kind: EventKind
  let payload: JSONValue
  let actor: Actor
  /// Names by actor, caller and account.
  let names: [String: String]

  /// Nil for kinds that are no cue.
  var cue: (row: TimedCue.Kind, text: String)? {
    switch kind {
    case .opened: (.decision, "Incident opened" + note(["priority", "type"], before: ", "))
    case .stateChanged: (.decision, "Incident \(value("state"))" + note(["outcome", "reason"], before: ": "))
    case .classified: (.decision, "Set" + note(["priority", "type"], before: " ") + (isPlaced ? " place" : ""))
    case .merged: (.decision, "Goes on as \(value("into"))")
    case .absorbed: (.decision, "\(value("from")) became part of it")
    case .triage: (.decision, answers)
    case .note: (.note, value("text"))
    case .chat: (.chat, value("text"))
    case .assigned: (.people, "\(value("name")) works on it as \(value("role"))")
    case .unassigned: (.people, "\(name("account")) no longer works on it")
    case .unitAssigned: (.people, "Unit \(payload["name"]?.string ?? value("unit")) is sent")
    case .unitStatus: (.people, "Unit \(value("unit")): \(value("status"))")
    case .unitStoodDown: (.people, "Unit \(value("unit")) is released")
    case .linkCreated: (.people, "Link for \(payload["name"]?.string ?? value("role"))")
    case .linkRevoked: (.people, "Link withdrawn")
    case .callerAdded: (.people, "\(payload["name"]?.string ?? "A caller") belongs to it")
    case .callerStage: (.stage, "\(name("caller")): \(value("stage"))" + note(["reason", "detail"], before: ", "))
    case .location: (.location, place)
    case .command: (.command, "\(actor.name) asks for \(value("command"))" + note(["argument"], before: ": "))
    case .commandResult: (.command, "The caller's page: \(value("status"))" + note(["detail"], before: ", "))
    case .fileAdded: (.file, "File \(value("name"))")
    case .snapshotTaken: (.snapshot, "Snapshot by \(actor.name)")
    case .source: (.stream, "Stream \(value("source")) (\(value("kind"))): \(value("state"))")
    case .watching: (.watching, "\(value("name")) (\(value("role"))) watches")
    case .revealed: (.revealed, "\(actor.name) \(isOn("on") ? "revealed" : "hid") the picture")
    case .view: (.people, "\(value("name")) (\(value("role"))) sees \(view)")
    case .recording: (.archive, "Recording \(value("state"))" + note(["detail"], before: ": "))
    case .replayOpened: (.archive, "\(actor.name) looked back: \(value("reason"))")
    case .exportRequested: (.archive, "\(actor.name) asked for an evidence package: \(value("reason"))")
    case .exportDecided: (.archive, "Evidence package \(value("decision")) by \(actor.name)")
    case .exportFinished: (.archive, "Evidence package \(value("state"))")
    case .retentionHold: (.archive, isOn("held") ? "Nothing may be deleted" : "May be deleted again")
    case .retentionDeleted: (.archive, "Deleted by rule: \(value("class"))")
    case .mergeSuggested, .unitLocation, .presence, .speaking, .typing, .deviceState, .linkSent, .linkDelivery,
      .chatDelivered, .chatRead, .realTimeText, .fileRejected, .account, .signIn, .settings, .access:
      nil
    }
  }

  private var isPlaced: Bool { payload["place"] != nil }

  private func isOn(_ member: String) -> Bool { payload[member]?.bool == true }

  private func value(_ name: String) -> String { payload[name]?.string ?? "" }

  /// The name of whom a member names, or the member.
  private func name(_ member: String) -> String {
    let id = value(member)
    return names[id] ?? id
  }

  private func note(_ members: [String], before: String) -> String {
    let values = members.compactMap { payload[$0]?.string }.filter { !$0.isEmpty }
    return values.isEmpty ? "" : before + values.joined(separator: ", ")
  }

  private var place: String {
    guard let latitude = payload["lat"]?.double, let longitude = payload["lon"]?.double else { return name("caller") }
    var text = "\(name("caller")) at \(Self.degrees(latitude)), \(Self.degrees(longitude))"
    if let accuracy = payload["accuracy"]?.double { text += ", within \(Int(min(accuracy, 1e9).rounded())) m" }
    return text
  }

  /// Five digits behind the point: a metre.
  private static func degrees(_ value: Double) -> String {
    let scaled = Int64((min(360, max(-360, value)) * 1e5).rounded())
    let fraction = String(scaled.magnitude % 100_000)
    let digits = String(repeating: "0", count: 5 - fraction.count) + fraction
    return "\(scaled < 0 ? "-" : "")\(scaled.magnitude / 100_000).\(digits)"
  }

  /// How much of a picture somebody sees, and why not all of it.
  private var view: String {
    let shown =
      switch value("to") {
      case "audioOnly": "no picture"
      case "stills": "a still picture every few seconds"
      case "layer": "a smaller picture"
      default: "all of the picture again"
      }
    guard value("to") != "all" else { return shown }
    return shown + (value("reason") == "overload" ? ": more urgent calls came first" : ": their line was too weak")
  }

  private var answers: String {
    let fields = payload["fields"]?.object ?? [:]
    return fields.keys.sorted().map { "\($0): \(fields[$0]?.string ?? "")" }.joined(separator: "; ")
  }
}
