import JSON

/// What is fixed about a kind of event.
package struct EventTraits: Sendable {
  /// Whether an event outlives the moment.
  package enum Durability: String, Hashable, Sendable {
    /// In the journal before it is acknowledged.
    case durable
    /// Passed on to whoever listens now; never stored.
    case ephemeral
  }

  /// Where events of the kind come from.
  package enum Sender: Hashable, Sendable {
    /// Clients whose role may do the action.
    case client(Action)
    /// Only the server: clients that send it are refused.
    case server
  }

  package let durability: Durability
  package let sender: Sender
  /// Widest audience; some payloads narrow it (``EventKind/audience(of:)``).
  package let audience: Audience
  package let payload: Schema
  /// One sentence for the documents.
  package let note: String

  fileprivate init(
    _ durability: Durability, _ sender: Sender, _ audience: Audience, _ note: String, _ fields: [Schema.Field]
  ) {
    self.durability = durability
    self.sender = sender
    self.audience = audience
    self.payload = .object(fields)
    self.note = note
  }
}

extension EventKind {
  /// The row of the table.
  package var traits: EventTraits {
    guard let traits = Self.table[self] else { preconditionFailure("the table of kinds lacks \(self)") }
    return traits
  }

  private static let table: [EventKind: EventTraits] = [
    // Not for callers and guests: priority, type and place are what staff make of the call, as in `incident.classified`.
    .opened: EventTraits(
      .durable, .server, .team, "The incident begins.", EventSchemas.opened),
    .stateChanged: EventTraits(
      .durable, .client(.progress), .everyone, "The incident is in another state.", EventSchemas.stateChanged),
    .classified: EventTraits(
      .durable, .client(.classify), .team, "Staff set priority, type or place.", EventSchemas.classified),
    .mergeSuggested: EventTraits(
      .durable, .server, .control, "Another incident may be the same event.", EventSchemas.mergeSuggested),
    .merged: EventTraits(
      .durable, .client(.merge), .everyone, "It goes on as part of another.", EventSchemas.merged),
    .absorbed: EventTraits(
      .durable, .server, .team, "Another incident became part of this one.", EventSchemas.absorbed),
    .assigned: EventTraits(
      .durable, .client(.assign), .team, "Somebody works on it.", EventSchemas.assignment),
    .unassigned: EventTraits(
      .durable, .client(.assign), .team, "Somebody no longer does.", EventSchemas.unassigned),
    .unitAssigned: EventTraits(
      .durable, .client(.assign), .team, "A unit is sent.", EventSchemas.unitAssigned),
    .unitStatus: EventTraits(
      .durable, .client(.reportUnit), .team, "A unit reports where it stands.", EventSchemas.unitStatus),
    .unitLocation: EventTraits(
      .durable, .client(.reportUnit), .team, "A unit reports where it is.", EventSchemas.unitLocation),
    .unitStoodDown: EventTraits(
      .durable, .client(.assign), .team, "A unit is released; it loses the picture.", EventSchemas.unit),
    .presence: EventTraits(
      .ephemeral, .server, .everyone, "Who is here now.", EventSchemas.presence),
    .speaking: EventTraits(
      .ephemeral, .client(.chat), .everyone, "Somebody speaks.", EventSchemas.speaking),
    .typing: EventTraits(
      .ephemeral, .client(.chat), .everyone, "Somebody types.", EventSchemas.typing),
    .callerAdded: EventTraits(
      .durable, .server, .everyone, "A caller belongs to it.", EventSchemas.callerAdded),
    .callerStage: EventTraits(
      .durable, .client(.reportCaller), .everyone, "A caller's session moves on.", EventSchemas.callerStage),
    .deviceState: EventTraits(
      .ephemeral, .client(.reportCaller), .team, "A caller's battery, network and attitude.", EventSchemas.device),
    .location: EventTraits(
      .durable, .client(.locate), .everyone, "Where a caller is.", EventSchemas.location),
    .command: EventTraits(
      .durable, .client(.command), .everyone, "Staff steers a caller's page.", EventSchemas.command),
    .commandResult: EventTraits(
      .durable, .client(.reportCaller), .team, "A caller's page has done so.", EventSchemas.commandResult),
    .linkCreated: EventTraits(
      .durable, .server, .team, "A link was made.", EventSchemas.linkCreated),
    .linkSent: EventTraits(
      .durable, .server, .team, "A link is on its way.", EventSchemas.linkSent),
    .linkDelivery: EventTraits(
      .durable, .server, .team, "A link arrived, or did not.", EventSchemas.linkDelivery),
    .linkRevoked: EventTraits(
      .durable, .server, .team, "A link is worthless from now on.", EventSchemas.linkRevoked),
    .chat: EventTraits(
      .durable, .client(.chat), .everyone, "A message.", EventSchemas.chat),
    .chatDelivered: EventTraits(
      .durable, .client(.chat), .everyone, "Messages have reached a client.", EventSchemas.chatMark),
    .chatRead: EventTraits(
      .durable, .client(.chat), .everyone, "Messages have been read.", EventSchemas.chatMark),
    .realTimeText: EventTraits(
      .ephemeral, .client(.chat), .everyone, "Text as it is typed (RFC 8865).", EventSchemas.realTimeText),
    .note: EventTraits(
      .durable, .client(.note), [.team, .guest], "A note; guests read those that are for them.", EventSchemas.note),
    .triage: EventTraits(
      .durable, .client(.triage), .team, "Answers to triage questions.", EventSchemas.triage),
    .fileAdded: EventTraits(
      .durable, .server, .everyone, "A file is kept.", EventSchemas.fileAdded),
    .fileRejected: EventTraits(
      .durable, .server, .team, "A file was refused.", EventSchemas.fileRejected),
    .snapshotTaken: EventTraits(
      .durable, .client(.snapshot), .team, "A still was taken.", EventSchemas.snapshot),
    .source: EventTraits(
      .durable, .server, .team, "A stream began, stalled or ended.", EventSchemas.source),
    .watching: EventTraits(
      .durable, .server, .everyone, "Somebody began or ceased to watch.", EventSchemas.watching),
    .revealed: EventTraits(
      .durable, .client(.reveal), .team, "A picture was unblurred or blurred.", EventSchemas.revealed),
    .view: EventTraits(
      .durable, .server, .team, "Somebody sees less of a picture than there is, or more again.", EventSchemas.view),
    .recording: EventTraits(
      .durable, .server, .team, "The recording begins, has an alarm, gets a late upload, or is sealed.",
      EventSchemas.recording),
    .replayOpened: EventTraits(
      .durable, .server, .control, "Somebody looks at the recording.", EventSchemas.replayOpened),
    .exportRequested: EventTraits(
      .durable, .server, .control, "Somebody wants an evidence package.", EventSchemas.exportRequested),
    .exportDecided: EventTraits(
      .durable, .server, .control, "A second person agreed, refused, or it was withdrawn.", EventSchemas.exportDecided),
    .exportFinished: EventTraits(
      .durable, .server, .control, "The package is ready, was fetched, or failed.", EventSchemas.exportFinished),
    .retentionHold: EventTraits(
      .durable, .server, .control, "Nothing of it may be deleted, or it may again.", EventSchemas.retentionHold),
    .retentionDeleted: EventTraits(
      .durable, .server, .control, "Something was deleted because its time was over.", EventSchemas.retentionDeleted),
    .account: EventTraits(
      .durable, .server, [], "An account was changed.", EventSchemas.account),
    .signIn: EventTraits(
      .durable, .server, [], "Somebody signed in or was refused.", EventSchemas.signIn),
    .settings: EventTraits(
      .durable, .server, [], "A setting was changed.", EventSchemas.settings),
    .access: EventTraits(
      .durable, .server, [], "Evidence or audit was looked at.", EventSchemas.access),
  ]

  /// Kinds that may be kept among the team by `to` or `visibility` in their payload.
  private static let channelled: Set<EventKind> = [
    .chat, .typing, .realTimeText, .chatDelivered, .chatRead, .fileAdded,
  ]
  /// Kinds that guests, who are to learn only the minimum, do not see.
  private static let hiddenFromGuests: Set<EventKind> = [.command, .location, .callerStage, .callerAdded]

  /// Who sees an event of this kind with this payload.
  package func audience(of payload: JSONValue) -> Audience {
    var audience = traits.audience
    let channel = payload["to"]?.string ?? payload["visibility"]?.string
    if Self.channelled.contains(self), channel == ChatChannel.team.rawValue { audience.formIntersection(.team) }
    if Self.hiddenFromGuests.contains(self) { audience.remove(.guest) }
    if self == .note, payload["guests"]?.bool != true { audience.remove(.guest) }
    return audience
  }
}

extension EventKind {
  /// Members of a payload that callers and guests are not shown: what staff call them among themselves.
  private static let confidential: [EventKind: Set<String>] = [.stateChanged: ["outcome", "reason"]]

  /// The payload as callers and guests see it; nil when they see all of it.
  package func redacted(_ payload: JSONValue) -> JSONValue? {
    guard let hidden = Self.confidential[self], case .object(let members) = payload,
      !hidden.isDisjoint(with: members.keys)
    else { return nil }
    return .object(members.filter { !hidden.contains($0.key) })
  }
}

/// Whom a chat message or a file is for.
package enum ChatChannel: String, Hashable, Sendable, CaseIterable {
  case everyone
  /// Staff and responders only.
  case team
}
