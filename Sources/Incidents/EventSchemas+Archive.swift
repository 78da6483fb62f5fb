import JSON

// The payloads of what happens to recordings.

extension EventSchemas {
  static let sha256 = Schema.string(64...64)
  static let reason = Schema.string(1...500)

  static let recording: Fields = [
    .required("state", .choice(["started", "alarm", "recovered", "sealed", "late"]), "What happened."),
    .optional("track", .string(1...40), "Which stream; all if not given."),
    .optional("detail", .string(1...500), "In words."),
  ]
  static let replayOpened: Fields = [
    .required("replay", identifier, "The look, by its name."),
    .required("account", identifier, "Who looks."),
    .required("role", choice(Role.self), "As what."),
    .required("reason", reason, "Why."),
    .optional("live", .boolean, "Whether the incident was still going on."),
  ]
  static let exportRequested: Fields = [
    .required("export", identifier, "The export, by its name."),
    .required("account", identifier, "Who wants it."),
    .required("reason", reason, "Why."),
    .required("approval", .boolean, "Whether a second person has to agree."),
    .optional("redacted", .boolean, "Whether a redacted copy is wanted as well."),
  ]
  static let exportDecided: Fields = [
    .required("export", identifier, "Which export."),
    .required("account", identifier, "Who decided."),
    .required("decision", .choice(["approved", "refused", "withdrawn"]), "How."),
    .optional("reason", reason, "Why."),
  ]
  static let exportFinished: Fields = [
    .required("export", identifier, "Which export."),
    .required("state", .choice(["ready", "fetched", "failed", "deleted"]), "How it ended."),
    .optional("account", identifier, "Who fetched it."),
    .optional("sha256", sha256, "Of the package."),
    .optional("bytes", .integer(0...JSONValue.maximumInteger), "Its length."),
    .optional("detail", .string(1...500), "In words."),
  ]
  static let retentionHold: Fields = [
    .required("held", .boolean, "Whether nothing may be deleted from now on."),
    .required("account", identifier, "Who decided."),
    .required("reason", reason, "Why."),
  ]
  static let retentionDeleted: Fields = [
    .required("class", .choice(["media", "stills", "late", "files", "journal"]), "What kind of data."),
    .required("files", .integer(0...JSONValue.maximumInteger), "How many files."),
    .required("bytes", .integer(0...JSONValue.maximumInteger), "Their length."),
    .required("sha256", sha256, "SHA-256 over the list of what was deleted, a line `sha256  path` each, in order."),
    .required("reason", reason, "By which rule."),
  ]
}
