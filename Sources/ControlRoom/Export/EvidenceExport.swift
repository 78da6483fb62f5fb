import Archive
import Incidents
import JSON
import Primitives

/// One evidence package, from the wish to its deletion.
///
///     requested ─┬─> approved ──> making ─┬─> ready ──> deleted
///        │       └─> refused        │     └─> failed
///        └─> withdrawn <────────────┘
///
/// Without the need for a second person it begins as approved. A server that dies while it makes a package begins again:
/// `making` is stored as `approved`.
package struct EvidenceExport: Hashable, Sendable {
  package typealias Signature = PackageListing.Signature

  package enum State: Hashable, Sendable {
    /// Waits for the second person.
    case requested
    /// Waits for its turn; nil where nobody had to agree.
    case approved(Signature?)
    case making(approval: Signature?, Progress)
    case ready(approval: Signature?, Package)
    case failed(text: String, UTCTime)
    case refused(Signature)
    case withdrawn(UTCTime)
    case deleted(Package, Signature)
  }

  /// How far a package has come.
  package struct Progress: Hashable, Sendable {
    package enum Step: String, Hashable, Sendable {
      case journal
      /// Joining, composing and redacting films: most of the work.
      case films
      case packing
    }

    package var step: Step
    /// Of all the work, 0 to 1.
    package var fraction: Double

    package init(_ step: Step, _ fraction: Double) {
      self.step = step
      self.fraction = fraction
    }
  }

  /// The file that came of it.
  package struct Package: Hashable, Sendable {
    package var length: Int
    /// SHA-256, 32 bytes.
    package var hash: [UInt8]
    package var madeAt: UTCTime
    /// What could not be made, and why.
    package var notes: [String]

    package init(length: Int, hash: [UInt8], madeAt: UTCTime, notes: [String]) {
      self.length = length
      self.hash = hash
      self.madeAt = madeAt
      self.notes = notes
    }
  }

  /// What happens to an export.
  package enum Event: Hashable, Sendable {
    case approved(Signature)
    case refused(Signature)
    case withdrawn(UTCTime)
    case begun
    case progressed(Progress)
    case finished(Package)
    case failed(String, UTCTime)
    case deleted(Signature)
  }

  package let id: String
  package let incident: IncidentID
  package let agency: String
  package let requested: Signature
  package let needsApproval: Bool
  package let redaction: RedactionOrder?
  package private(set) var state: State

  package init(
    id: String, incident: IncidentID, agency: String, requested: Signature, needsApproval: Bool,
    redaction: RedactionOrder?
  ) {
    self.id = id
    self.incident = incident
    self.agency = agency
    self.requested = requested
    self.needsApproval = needsApproval
    self.redaction = redaction
    state = needsApproval ? .requested : .approved(nil)
  }

  fileprivate init(
    id: String, incident: IncidentID, agency: String, requested: Signature, needsApproval: Bool,
    redaction: RedactionOrder?, state: State
  ) {
    self.init(
      id: id, incident: incident, agency: agency, requested: requested, needsApproval: needsApproval,
      redaction: redaction)
    self.state = state
  }

  /// Takes an event in; throws, and nothing is changed, where it cannot happen.
  package mutating func take(_ event: Event) throws(Refusal) {
    switch (state, event) {
    case (.requested, .approved(let by)):
      try checkSecondPerson(by)
      state = .approved(by)
    case (.requested, .refused(let by)):
      try checkSecondPerson(by)
      state = .refused(by)
    case (.requested, .withdrawn(let time)), (.approved, .withdrawn(let time)), (.making, .withdrawn(let time)):
      state = .withdrawn(time)
    case (.approved(let approval), .begun): state = .making(approval: approval, Progress(.journal, 0))
    case (.making(let approval, _), .progressed(let progress)): state = .making(approval: approval, progress)
    case (.making(let approval, _), .finished(let package)): state = .ready(approval: approval, package)
    case (.approved, .failed(let text, let time)), (.making, .failed(let text, let time)):
      state = .failed(text: text, time)
    case (.ready(_, let package), .deleted(let by)): state = .deleted(package, by)
    case (.requested, _), (.approved, _), (.making, _), (.ready, _), (.failed, _), (.refused, _), (.withdrawn, _),
      (.deleted, _):
      throw Refusal(.wrongState, "The export \(id) \(words).")
    }
  }

  private func checkSecondPerson(_ by: Signature) throws(Refusal) {
    guard by.actor.id != requested.actor.id else {
      throw Refusal(
        .forbidden, "A second person has to decide about your export. Ask another supervisor or custodian.")
    }
  }

  /// How it stands, as part of a sentence.
  package var words: String {
    switch state {
    case .requested: "waits for a second person's decision"
    case .approved: "waits for its turn"
    case .making: "is being made"
    case .ready: "is ready"
    case .failed(let text, _): "failed: \(text)"
    case .refused(let by): "was refused by \(by.actor.name)"
    case .withdrawn: "was withdrawn"
    case .deleted(_, let by): "was deleted by \(by.actor.name)"
    }
  }

  /// Whether anything is still to be done about it.
  package var isActive: Bool {
    switch state {
    case .requested, .approved, .making: true
    case .ready, .failed, .refused, .withdrawn, .deleted: false
    }
  }

  /// Whether it is in the queue of what is to be made.
  package var isQueued: Bool {
    switch state {
    case .approved, .making: true
    case .requested, .ready, .failed, .refused, .withdrawn, .deleted: false
    }
  }

  /// Who agreed, where somebody had to.
  package var approval: Signature? {
    switch state {
    case .approved(let by), .making(let by, _), .ready(let by, _): by
    case .requested, .failed, .refused, .withdrawn, .deleted: nil
    }
  }
}

// MARK: - JSON

extension EvidenceExport {
  /// The word for the state.
  package var stateName: String {
    switch state {
    case .requested: "requested"
    case .approved: "approved"
    case .making: "making"
    case .ready: "ready"
    case .failed: "failed"
    case .refused: "refused"
    case .withdrawn: "withdrawn"
    case .deleted: "deleted"
    }
  }

  /// As people see it, and as it is stored but for ``document``'s additions.
  package var json: JSONValue {
    var members: [String: JSONValue] = [
      "id": .string(id), "incident": .string(incident.value), "agency": .string(agency), "requested": requested.json,
      "needsApproval": .bool(needsApproval), "state": .string(stateName),
    ]
    members["redact"] = redaction?.json
    members["approved"] = approval?.json
    switch state {
    case .requested, .approved: break
    case .making(_, let progress):
      members["progress"] = ["step": .string(progress.step.rawValue), "fraction": .number(progress.fraction)]
    case .ready(_, let package): members["package"] = package.json
    case .failed(let text, let time):
      members["detail"] = .string(text)
      members["endedAt"] = .string(time.description)
    case .refused(let by): members["refused"] = by.json
    case .withdrawn(let time): members["endedAt"] = .string(time.description)
    case .deleted(let package, let by):
      members["package"] = package.json
      members["deleted"] = by.json
    }
    return .object(members)
  }

  /// As it is stored.
  var document: JSONValue {
    guard case .making = state, case .object(var members) = json else { return json }
    members["state"] = "approved"
    members["progress"] = nil
    return .object(members)
  }

  /// Reads what ``document`` wrote; nil when a part is missing.
  init?(document json: JSONValue) {
    guard let id = json["id"]?.string, let incident = json["incident"]?.string.flatMap({ IncidentID($0) }),
      let agency = json["agency"]?.string, let requested = json["requested"].flatMap(Signature.init(json:)),
      let needsApproval = json["needsApproval"]?.bool, let state = State(document: json)
    else { return nil }
    let redaction = try? json["redact"].map { value throws(PackageError) in try RedactionOrder(json: value) }
    if json["redact"] != nil, redaction == nil { return nil }
    self.init(
      id: id, incident: incident, agency: agency, requested: requested, needsApproval: needsApproval,
      redaction: redaction, state: state)
  }
}

extension EvidenceExport.State {
  fileprivate init?(document json: JSONValue) {
    let approval = json["approved"].flatMap(PackageListing.Signature.init(json:))
    let package = json["package"].flatMap(EvidenceExport.Package.init(json:))
    let endedAt = json["endedAt"]?.string.flatMap { UTCTime($0) }
    switch json["state"]?.string {
    case "requested": self = .requested
    case "approved": self = .approved(approval)
    case "ready":
      guard let package else { return nil }
      self = .ready(approval: approval, package)
    case "failed":
      guard let text = json["detail"]?.string, let endedAt else { return nil }
      self = .failed(text: text, endedAt)
    case "refused":
      guard let by = json["refused"].flatMap(PackageListing.Signature.init(json:)) else { return nil }
      self = .refused(by)
    case "withdrawn":
      guard let endedAt else { return nil }
      self = .withdrawn(endedAt)
    case "deleted":
      guard let package, let by = json["deleted"].flatMap(PackageListing.Signature.init(json:)) else { return nil }
      self = .deleted(package, by)
    default: return nil
    }
  }
}

extension EvidenceExport.Package {
  package var json: JSONValue {
    [
      "bytes": .integer(length), "sha256": .string(Hex.encode(hash)), "madeAt": .string(madeAt.description),
      "notes": .array(notes.map { .string($0) }),
    ]
  }

  fileprivate init?(json: JSONValue) {
    guard let length = json["bytes"]?.integer, length >= 0,
      let hash = json["sha256"]?.string.flatMap({ Hex.decode($0) }), hash.count == 32,
      let madeAt = json["madeAt"]?.string.flatMap({ UTCTime($0) })
    else { return nil }
    self.init(
      length: length, hash: hash, madeAt: madeAt, notes: (json["notes"]?.array ?? []).compactMap(\.string))
  }
}
