import JSON

/// The payloads of all kinds; ``EventKind/traits`` says which is whose.
enum EventSchemas {
  typealias Fields = [Schema.Field]

  static let identifier = Schema.string(1...64, format: .identifier)
  static let name = Schema.string(1...64)
  static let text = Schema.string(1...4_000)
  static let dateTime = Schema.string(20...40, format: .dateTime)
  static let phone = Schema.string(6...16, format: .phoneNumber)

  static func choice<Value: RawRepresentable<String> & CaseIterable>(_ type: Value.Type) -> Schema {
    .choice(type.allCases.map(\.rawValue))
  }

  // MARK: - Life cycle

  static let place = Schema.object([
    .optional("lat", .number(-90...90), "Latitude, degrees, WGS 84."),
    .optional("lon", .number(-180...180), "Longitude, degrees, WGS 84."),
    .optional("radius", .number(0...1_000_000), "Metres around it."),
    .optional("text", .string(1...500), "Address or description, for display."),
  ])

  static let opened: Fields = [
    .required("agency", identifier, "The agency whose incident it is."),
    .required("priority", choice(Priority.self), "P1 to P4."),
    .optional("type", name, "What happened, in the agency's registry's words."),
    .optional("place", place, "Where."),
    .required("exercise", .boolean, "Whether it is training; never mixed with real ones."),
    .required("origin", .choice(["operator", "link", "integration", "demo"]), "What opened it."),
  ]
  static let stateChanged: Fields = [
    .required(
      "state", .choice(IncidentState.allCases.filter { $0 != .merged && $0 != .new }.map(\.rawValue)), "The new state."),
    .optional("outcome", choice(Outcome.self), "How it ended; needed with `ended`."),
    .optional("reason", .string(1...500), "Why."),
  ]
  static let classified: Fields = [
    .optional("priority", choice(Priority.self), "P1 to P4."),
    .optional("type", name, "What happened."),
    .optional("place", place, "Where."),
  ]
  static let mergeSuggested: Fields = [
    .required("other", identifier, "The incident that may be the same event."),
    .required("metres", .number(0...40_100_000), "Between the two places."),
    .required("seconds", .number(0...31_536_000), "Between their beginnings."),
  ]
  static let merged: Fields = [.required("into", identifier, "The incident that goes on.")]
  static let absorbed: Fields = [
    .required("from", identifier, "The incident that became part of this one."),
    .required(
      "callers", .array(.any, count: 0...Incident.maximumCallersAfterMerges),
      "Its callers, as `caller.added` tells them, with their stage."),
    .optional(
      "also", .array(identifier, count: 0...Incident.maximumAbsorbed), "What had become part of that one before."),
  ]

  // MARK: - People and units

  static let assignment: Fields = [
    .required("account", identifier, "Who."),
    .required("role", choice(Role.self), "As what."),
    .required("name", name, "As others see them."),
  ]
  static let unassigned: Fields = [
    .required("account", identifier, "Who."),
    .optional("reason", .string(1...500), "Why."),
  ]
  static let unit: Fields = [
    .required("unit", identifier, "The unit."),
    .optional("reason", .string(1...500), "Why."),
  ]
  static let unitAssigned: Fields = [
    .required("unit", identifier, "The unit."),
    .optional("name", name, "As others see it."),
    .optional("service", .choice(["ems", "fire", "police", "other"]), "Which service it belongs to."),
  ]
  static let unitStatus: Fields = [
    .required("unit", identifier, "The unit."),
    .required("status", choice(UnitStatus.self), "Where it stands."),
  ]
  static let unitLocation: Fields =
    [
      .required("unit", identifier, "The unit."),
      .optional("eta", dateTime, "When it expects to arrive."),
    ] + position
  static let presence: Fields = [
    .required("people", .array(.any, count: 0...1_000), "Who is here: id, role, name, watching, speaking.")
  ]
  static let speaking: Fields = [.required("on", .boolean, "Whether they speak now.")]
  static let typing: Fields = [
    .required("on", .boolean, "Whether they type now."),
    .optional("to", choice(ChatChannel.self), "Whom it will be for."),
  ]

  // MARK: - Callers

  static let callerAdded: Fields = [
    .required("caller", identifier, "The caller."),
    .optional("name", name, "As others see them."),
    .optional("phone", phone, "Their number."),
  ]
  static let callerStage: Fields = [
    .required("caller", identifier, "The caller."),
    .required("stage", choice(CallerStage.self), "Where their session stands."),
    .optional("reason", choice(CallerFailure.self), "Why it failed or was declined."),
    .optional("detail", .string(1...500), "What the page or server says."),
  ]
  static let position: Fields = [
    .required("lat", .number(-90...90), "Latitude, degrees, WGS 84."),
    .required("lon", .number(-180...180), "Longitude, degrees, WGS 84."),
    .optional("accuracy", .number(0...40_100_000), "Radius, metres, that holds the place with the confidence."),
    .optional("confidence", .number(0...100), "Per cent; 95 if not given."),
    .optional("altitude", .number(-12_000...100_000), "Metres over the ellipsoid."),
    .optional("altitudeAccuracy", .number(0...100_000), "Metres."),
    .optional("heading", .number(0...360), "Degrees clockwise from north."),
    .optional("speed", .number(0...12_000), "Metres per second."),
    .optional("fixedAt", dateTime, "When it was measured."),
  ]
  static let location: Fields =
    position + [
      .required("caller", identifier, "Whose place it is."),
      .required("source", .choice(LocationSource.allCases.map(\.rawValue)), "What measured it."),
      .optional("marks", .array(choice(LocationMark.self), count: 0...4), "What is odd about it; set by the server."),
    ]
  static let device: Fields = [
    .required("caller", identifier, "The caller."),
    .optional("battery", .number(0...1), "Charge, 0 to 1."),
    .optional("charging", .boolean, "Whether it is plugged in."),
    .optional("network", .choice(["wifi", "cellular", "ethernet", "none", "unknown"]), "What it is connected by."),
    .optional("downlink", .number(0...100_000), "Estimated Mbit/s."),
    .optional("orientation", .choice(["portrait", "landscape"]), "How it is held."),
    .optional("camera", .choice(["front", "back", "screen", "none"]), "What it shows."),
    .optional("torch", .boolean, "Whether the lamp is on."),
    .optional("muted", .boolean, "Whether the microphone is off."),
    .optional("silent", .boolean, "Whether the page is dark."),
    .optional("language", .string(2...35), "The language of the page, BCP 47."),
  ]
  static let command: Fields = [
    .required("caller", identifier, "Whom it is for."),
    .required("command", choice(CallerCommand.self), "What to do."),
    .optional("argument", .string(0...1_000), "What the command needs."),
  ]
  static let commandResult: Fields = [
    .required("caller", identifier, "Who answers."),
    .required("command", .integer(1...JSONValue.maximumInteger), "Number of the command's event."),
    .required("status", .choice(["shown", "done", "refused", "unsupported", "failed"]), "What came of it."),
    .optional("detail", .string(1...500), "More."),
  ]

  // MARK: - Links

  static let linkCreated: Fields = [
    .required("link", identifier, "The link."),
    .required("role", choice(Role.self), "As what its bearer comes in."),
    .optional("name", name, "As others see them."),
    .optional("phone", phone, "Whom it is for."),
    .required("expires", dateTime, "Until when it can be opened."),
  ]
  static let linkSent: Fields = [
    .required("link", identifier, "The link."),
    .required("by", .choice(["sms", "email", "shown"]), "How."),
    .optional("to", .string(1...254), "Masked address."),
    .optional("reference", .string(1...200), "The provider's name for the message."),
  ]
  static let linkDelivery: Fields = [
    .required("link", identifier, "The link."),
    .required("state", .choice(["accepted", "delivered", "failed"]), "What the provider says."),
    .optional("detail", .string(1...500), "In its words."),
  ]
  static let linkRevoked: Fields = [
    .required("link", identifier, "The link."),
    .optional("reason", .string(1...500), "Why."),
  ]

  // MARK: - Talk

  static let chat: Fields = [
    .required("text", text, "What is said."),
    .optional("to", choice(ChatChannel.self), "Whom it is for; everyone if not given."),
    .optional("language", .string(2...35), "BCP 47."),
    .optional("realTime", .boolean, "Whether it was typed as real-time text."),
  ]
  static let chatMark: Fields = [
    .required("upTo", .integer(1...JSONValue.maximumInteger), "Number of the last message meant."),
    .optional("to", choice(ChatChannel.self), "Which of the two conversations."),
  ]
  static let realTimeText: Fields = [
    .required("text", .string(1...1_000), "Characters typed since the last one; U+0008 erases, U+2028 begins a line."),
    .optional("to", choice(ChatChannel.self), "Whom it is for."),
  ]
  static let note: Fields = [
    .required("text", text, "The note."),
    .optional("guests", .boolean, "Whether guests may read it as well; they may not if not given."),
  ]
  static let triage: Fields = [
    .required("fields", .dictionary(.string(0...500), maximumCount: 64), "Answers by the questions' names.")
  ]

  // MARK: - Files and media

  static let fileAdded: Fields = [
    .required("file", identifier, "The file."),
    .required("name", .string(1...200), "As it was named."),
    .required("type", .string(3...100), "Media type."),
    .required("size", .integer(0...JSONValue.maximumInteger), "Bytes."),
    .required("sha256", .string(64...64, format: .sha256), "Of its content."),
    .required("purpose", .choice(["photo", "document", "clip", "snapshot"]), "What it is."),
    .optional("visibility", choice(ChatChannel.self), "Who may see it; everyone if not given."),
    .optional("scan", .choice(["clean", "unscanned"]), "What the virus scanner said."),
  ]
  static let fileRejected: Fields = [
    .required("name", .string(1...200), "As it was named."),
    .required("reason", .choice(["infected", "tooLarge", "unsupportedType", "scannerFailed"]), "Why."),
  ]
  static let snapshot: Fields = [
    .required("file", identifier, "The still."),
    .optional("source", identifier, "Of which stream."),
  ]
  static let source: Fields = [
    .required("source", identifier, "The stream."),
    .required("peer", .string(1...64), "Whose connection it comes by."),
    .optional("owner", identifier, "Whose it is: a caller, account or device."),
    .required("kind", .choice(["audio", "video"]), "What it carries."),
    .required("state", .choice(["waiting", "live", "stalled", "ended"]), "Where it stands."),
    .optional("codec", .string(1...32), "Encoding name."),
  ]
  static let watching: Fields = [
    .required("on", .boolean, "Whether they watch from now on, or no longer."),
    .required("account", identifier, "Who."),
    .required("role", choice(Role.self), "As what."),
    .required("name", name, "As others see them."),
  ]
  static let revealed: Fields = [
    .required("on", .boolean, "Whether the picture is clear from now on."),
    .optional("source", identifier, "Which stream; all if not given."),
  ]
  static let view: Fields = [
    .required("account", identifier, "Who."),
    .required("role", choice(Role.self), "As what."),
    .required("name", name, "As others see them."),
    .required("source", identifier, "Of which stream."),
    .required("from", .choice(shown), "What they saw before."),
    .required("to", .choice(shown), "What they see from now on."),
    .optional("layer", .integer(0...255), "Which of the stream's layers that is, the poorest being 0."),
    .optional(
      "reason", .choice(["link", "overload"]),
      "Why it is or was less than all: their own line, or more urgent calls on a full node."),
  ]
  /// From nothing to everything.
  private static let shown = ["audioOnly", "stills", "layer", "all"]

  // MARK: - The archive: see EventSchemas+Archive.swift

  // MARK: - The service

  static let account: Fields = [
    .required("account", identifier, "Whose."),
    .required(
      "change",
      .choice(["added", "role", "suspended", "restored", "password", "secondFactor", "token", "tokenRevoked"]),
      "What was changed."),
    .optional("detail", .string(1...500), "To what."),
  ]
  static let signIn: Fields = [
    .optional("account", identifier, "Whose."),
    .required("userName", .string(0...128), "As it was given."),
    .required(
      "result", .choice(["signedIn", "refused", "lockedOut", "signedOut", "locked", "unlocked"]), "What came of it."),
    .optional("from", .string(1...64), "Network address."),
  ]
  static let settings: Fields = [
    .required("setting", .string(1...100), "Which."),
    .optional("detail", .string(1...500), "To what."),
  ]
  static let access: Fields = [
    .required("what", .string(1...100), "What was looked at."),
    .optional("incident", identifier, "Of which incident."),
    .optional("reason", .string(1...500), "Why."),
  ]
}
