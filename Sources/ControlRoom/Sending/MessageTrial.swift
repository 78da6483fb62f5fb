import JSON
import Outgoing
import Primitives

/// A message that an admin sent to try the settings, stage by stage.
package struct MessageTrial: Hashable, Sendable {
  package enum Stage: String, Hashable, Sendable, CaseIterable {
    /// Whether the number or address can be written to.
    case address
    /// Whether a provider or mail server is set up.
    case settings
    /// Whether it took the message.
    case handover
    /// Whether it reports that the phone has it.
    case delivery
  }

  package enum State: String, Hashable, Sendable {
    case done, failed, waiting
  }

  package struct Step: Hashable, Sendable {
    package let stage: Stage
    package let state: State
    package let at: UTCTime
    package let detail: String
  }

  package let id: String
  package let way: MessageWay
  /// Masked.
  package let to: String
  package let startedAt: UTCTime
  package private(set) var steps: [Step] = []
  /// The provider's name for the message.
  package private(set) var reference: String?

  init(id: String, way: MessageWay, to: String, startedAt: UTCTime) {
    self.id = id
    self.way = way
    self.to = to
    self.startedAt = startedAt
  }

  /// Notes how a stage went; what was noted of it before gives way.
  mutating func note(_ stage: Stage, _ state: State, _ detail: String, at now: UTCTime) {
    steps.removeAll { $0.stage == stage }
    steps.append(Step(stage: stage, state: state, at: now, detail: detail))
  }

  mutating func take(reference: String?) { self.reference = reference }

  package var json: JSONValue {
    [
      "id": .string(id), "by": .string(way.rawValue), "to": .string(to), "startedAt": .string(startedAt.description),
      "steps": .array(
        steps.map { step in
          [
            "stage": .string(step.stage.rawValue), "state": .string(step.state.rawValue),
            "at": .string(step.at.description), "detail": .string(step.detail),
          ]
        }),
    ]
  }
}

extension LinkSender {
  /// Trials that are kept.
  package static let maximumTrials = 20

  /// The latest trials, newest first.
  package var latestTrials: [MessageTrial] { trials.withLock { $0.reversed() } }

  /// Sends a message that says that it is a trial, and tells how far it came.
  ///
  /// - Parameter base: Under which providers reach this server for their receipts.
  package func `try`(
    _ way: MessageWay, to address: String, base: String, by principal: Principal
  ) async throws(Refusal) -> MessageTrial {
    try room.authorize(.manageSettings, principal)
    var random = RandomSource.system
    var trial = MessageTrial(
      id: "t-\(Hex.encode(random.bytes(6)))", way: way, to: Self.masked(address), startedAt: room.clock.wall())
    try await room.audit.record(
      .settings, ["setting": "test message", "detail": .string("\(way.rawValue) to \(trial.to)")], by: principal.actor)
    switch way {
    case .sms: await trySMS(&trial, address, base)
    case .email: await tryMail(&trial, address)
    }
    let made = trial
    trials.withLock { trials in
      trials.append(made)
      if trials.count > Self.maximumTrials { trials.removeFirst(trials.count - Self.maximumTrials) }
    }
    return made
  }

  private var trialText: String {
    "\(settings.current.serviceName): this is a test of emergency video. Nobody is in danger, there is nothing to do."
  }

  private func trySMS(_ trial: inout MessageTrial, _ number: String, _ base: String) async {
    let now = room.clock.wall
    let message: SMSMessage
    do {
      message = try SMSMessage(to: number, text: trialText, reference: trial.id, receiptURL: receiptURL(base))
    } catch {
      return trial.note(.address, .failed, error.text, at: now())
    }
    trial.note(.address, .done, "The number can be sent to.", at: now())
    guard let sms else {
      return trial.note(.settings, .failed, "No SMS gateway is set up: start the node with --sms-gateway.", at: now())
    }
    trial.note(.settings, .done, "The provider is \(sms.provider.kind.rawValue).", at: now())
    let answer = await sms.gateway.try(message)
    let words = [answer.status.map { "Status \($0)." }, answer.words.map { "It says: \($0)" }].compactMap { $0 }
      .joined(separator: " ")
    switch answer.outcome {
    case .failure(let error):
      note(.sms, failure: error.text)
      trial.note(.handover, .failed, "\(error.text) \(words)".trimmingSpaces, at: now())
    case .success(let reference):
      note(.sms, failure: nil)
      trial.take(reference: reference)
      let name = reference.map { " Its name for the message is \($0)." } ?? ""
      trial.note(.handover, .done, "The provider has taken the message. \(words)\(name)".trimmingSpaces, at: now())
      trial.note(
        .delivery, .waiting,
        reference == nil
          ? "The provider gives messages no name, so nobody hears what becomes of them. Look at the phone."
          : "Waiting for the provider's receipt at \(base).", at: now())
    }
  }

  private func tryMail(_ trial: inout MessageTrial, _ address: String) async {
    let now = room.clock.wall
    let message: MailMessage
    do {
      message = try MailMessage(
        to: address, subject: "\(settings.current.serviceName): test of emergency video", text: trialText)
    } catch {
      return trial.note(.address, .failed, error.text, at: now())
    }
    trial.note(.address, .done, "The address can be written to.", at: now())
    guard let mail else {
      return trial.note(.settings, .failed, "No mail server is set up: start the node with --mail-server.", at: now())
    }
    trial.note(.settings, .done, "The mail server is \(mail.configuration.host).", at: now())
    do {
      let name = try await mail.sender.send(message)
      note(.email, failure: nil)
      trial.note(.handover, .done, "The server has accepted the mail as \(name).", at: now())
      trial.note(.delivery, .waiting, "Mail servers do not report back. Look into the mailbox.", at: now())
    } catch {
      note(.email, failure: error.text)
      trial.note(.handover, .failed, error.text, at: now())
    }
  }

  /// Takes a receipt that is about a trial.
  func takeTrial(_ receipt: DeliveryReceipt) -> Bool {
    let now = room.clock.wall()
    return trials.withLock { trials in
      guard let index = trials.lastIndex(where: { $0.reference == receipt.reference }) else { return false }
      let says = receipt.detail.isEmpty ? "" : " It says: \(receipt.detail)"
      switch receipt.state {
      case .delivered:
        trials[index].note(.delivery, .done, "The provider reports that the phone has it.\(says)", at: now)
      case .failed: trials[index].note(.delivery, .failed, "The provider could not deliver it.\(says)", at: now)
      case .accepted:
        trials[index].note(.delivery, .waiting, "The provider reports that it is on its way.\(says)", at: now)
      }
      return true
    }
  }
}

extension String {
  fileprivate var trimmingSpaces: String { split(separator: " ").joined(separator: " ") }
}
