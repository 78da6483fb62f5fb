import Cryptography
import Identity
import Incidents
import JSON
import Outgoing
import Primitives
import Storage
import Synchronization

/// Brings a link to its bearer, by text message or mail, and writes down every stage: taken by the provider, delivered, or
/// failed and why.
package final class LinkSender: Sendable {
  package enum Way: Hashable, Sendable {
    case sms(String)
    case mail(String)
    /// As text and QR code, to be read out or held up.
    case shown
  }

  let room: ControlRoom
  let sms: (provider: SMSProvider, gateway: SMSGateway)?
  let mail: (configuration: MailConfiguration, sender: MailSender)?
  let settings: SettingsDesk
  let trials = Mutex<[MessageTrial]>([])
  private let records = Mutex<[MessageWay: SendingRecord]>([:])
  /// The part of the receipts' address that cannot be guessed.
  package let receiptSecret: String
  /// Which link a provider's message was about.
  private let references = Mutex<[String: Reference]>([:])

  private struct Reference {
    let incident: IncidentID
    let link: String
  }

  static let collection = "sms-references"
  /// References kept at hand; beyond it all are left to the store.
  private static let maximumReferences = 16_384

  package init(
    room: ControlRoom, sms: SMSProvider?, mail: MailConfiguration?, settings: SettingsDesk, receiptKey: [UInt8],
    options: TransferOptions = .init()
  ) {
    self.room = room
    let caller = HTTPCaller(options: options)
    self.sms = sms.map { ($0, SMSGateway($0, caller: caller)) }
    let wall = room.clock.wall
    self.mail = mail.map { ($0, MailSender($0, options: options, now: wall)) }
    self.settings = settings
    receiptSecret = Hex.encode(Digest.sha256(Array("sms receipts".utf8) + receiptKey).prefix(16))
  }

  /// Whether text messages and mail can be sent.
  package var sendsTexts: Bool { sms != nil }
  package var sendsMail: Bool { mail != nil }

  /// What admins may see of the provider and the mail server: no accounts, no secrets.
  package var smsProvider: (name: String, from: String)? { sms.map { ($0.provider.kind.rawValue, $0.provider.from) } }
  package var mailSummary: (server: String, security: String, from: String, name: String)? {
    mail.map { mail in
      let it = mail.configuration
      return ("\(it.host):\(it.port)", it.security.rawValue, it.from, it.name)
    }
  }

  /// Sends the address of a link; the outcome is in the journal when it returns.
  ///
  /// - Parameter base: Under which providers reach this server for their receipts.
  package func send(
    _ grant: LinkGrant, url: String, by way: Way, base: String, as principal: Principal
  ) async throws(Refusal) -> JSONValue {
    switch way {
    case .shown:
      try await note(grant, "shown", to: nil, reference: nil, principal)
      return ["by": "shown", "state": "accepted"]
    case .sms(let number):
      return try await deliver(grant, .sms, Self.masked(number), principal) { () throws(OutgoingError) in
        guard let sms else {
          throw OutgoingError(.invalid, "No SMS gateway is set up. Show the link, or send it by mail.")
        }
        return try await sms.gateway.send(
          SMSMessage(
            to: number, text: settings.current.message(with: url), reference: grant.id, receiptURL: receiptURL(base)))
      }
    case .mail(let address):
      return try await deliver(grant, .email, Self.masked(address), principal) { () throws(OutgoingError) in
        guard let mail else {
          throw OutgoingError(.invalid, "No mail server is set up. Show the link, or send it as a text message.")
        }
        let now = settings.current
        return try await mail.sender.send(
          MailMessage(to: address, subject: "\(now.serviceName): emergency video", text: now.message(with: url)))
      }
    }
  }

  /// Where providers report what became of a message.
  func receiptURL(_ base: String) -> String { "\(base)/api/v1/sms/receipts/\(receiptSecret)" }

  /// How sending went lately, by way.
  package func record(of way: MessageWay) -> SendingRecord { records.withLock { $0[way] ?? .init() } }

  func note(_ way: MessageWay, failure: String?) {
    let now = room.clock.wall()
    records.withLock { $0[way, default: .init()].note(failure: failure, at: now) }
  }

  // MARK: - Stages

  private func deliver(
    _ grant: LinkGrant, _ way: MessageWay, _ to: String, _ principal: Principal,
    _ send: () async throws(OutgoingError) -> String?
  ) async throws(Refusal) -> JSONValue {
    let by = way.rawValue
    let reference: String?
    do {
      reference = try await send()
      note(way, failure: nil)
    } catch {
      // A number that is none says nothing about the provider.
      if error.code != .invalid { note(way, failure: error.text) }
      try await noteDelivery(of: grant.id, in: grant.incident, "failed", error.text)
      if grant.role == .caller {
        await room.reportFailure(of: grant.subject, .linkNotReceived, in: grant.incident, detail: error.text)
      }
      return ["by": .string(by), "state": "failed", "detail": .string(error.text)]
    }
    try await note(grant, by, to: to, reference: reference, principal)
    try await noteDelivery(of: grant.id, in: grant.incident, "accepted", nil)
    return .members(["by": .string(by), "state": "accepted", "reference": reference.map { .string($0) }])
  }

  private func note(
    _ grant: LinkGrant, _ by: String, to: String?, reference: String?, _ principal: Principal
  ) async throws(Refusal) {
    var changes: [DocumentChange] = []
    if let reference, by == "sms" {
      remember(reference, Reference(incident: grant.incident, link: grant.id))
      changes = [
        .put(
          collection: Self.collection, key: Self.key(reference),
          ["incident": .string(grant.incident.value), "link": .string(grant.id)])
      ]
    }
    _ = try await room.submit(
      Wish(
        .linkSent,
        .members([
          "link": .string(grant.id), "by": .string(by), "to": to.map { .string($0) },
          "reference": reference.map { .string(String($0.prefix(200))) },
        ]), in: grant.incident, by: principal, isServer: true, changes: changes))
    if grant.role == .caller { await room.report(.linkSent, of: grant.subject, in: grant.incident) }
  }

  private func noteDelivery(
    of link: String, in incident: IncidentID, _ state: String, _ detail: String?
  ) async throws(Refusal) {
    _ = try await room.submit(
      Wish(
        .linkDelivery,
        .members([
          "link": .string(link), "state": .string(state),
          "detail": detail.flatMap { $0.isEmpty ? nil : .string(String($0.prefix(500))) },
        ]), in: incident, by: .system, isServer: true))
  }

  // MARK: - Receipts

  /// Takes a provider's delivery receipt in; false when it is about no message of ours.
  package func receive(contentType: String?, body: [UInt8], query: String) async throws(Refusal) -> Bool {
    guard let sms else { return false }
    let receipt: DeliveryReceipt
    do {
      receipt = try sms.provider.receipt(contentType: contentType, body: body, query: query)
    } catch {
      throw Refusal(.badPayload, error.text)
    }
    if takeTrial(receipt) { return true }
    guard let reference = try await find(receipt.reference) else { return false }
    try await noteDelivery(of: reference.link, in: reference.incident, receipt.state.rawValue, receipt.detail)
    // A caller's link is their name in the incident.
    if receipt.state == .failed, room.stage(of: reference.link, in: reference.incident) == .linkSent {
      await room.reportFailure(
        of: reference.link, .linkNotReceived, in: reference.incident, detail: "The provider says: \(receipt.detail)")
    }
    return true
  }

  private func find(_ reference: String) async throws(Refusal) -> Reference? {
    let key = Self.key(reference)
    if let known = references.withLock({ $0[key] }) { return known }
    let document = try await room.desk.read { (storage) throws(StorageError) in
      try storage.document(Self.collection, key)
    }
    guard let document, let incident = document["incident"]?.string.flatMap({ IncidentID($0) }),
      let link = document["link"]?.string
    else { return nil }
    return Reference(incident: incident, link: link)
  }

  private func remember(_ reference: String, _ value: Reference) {
    references.withLock { references in
      if references.count >= Self.maximumReferences { references.removeAll() }
      references[Self.key(reference)] = value
    }
  }

  /// Providers name messages as they like: a digest makes a key of it.
  private static func key(_ reference: String) -> String { Hex.encode(Digest.sha256(Array(reference.utf8)).prefix(16)) }

  /// Enough to recognise, too little to use: journals are read by many.
  static func masked(_ address: String) -> String {
    if let at = address.firstIndex(of: "@") { return "\(address.prefix(1))…\(address[at...])" }
    return "\(address.prefix(3))…\(address.suffix(2))"
  }
}
