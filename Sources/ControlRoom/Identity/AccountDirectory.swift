import Cryptography
import Identity
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// The accounts of this node: in memory to be asked, in the store to last; every change is an audit event.
package final class AccountDirectory: Sendable {
  private struct State {
    var accounts: [String: Account] = [:]
    var idsByUserName: [String: String] = [:]

    mutating func put(_ account: Account) {
      accounts[account.id] = account
      idsByUserName[account.userName] = account.id
    }
  }

  private let state: Mutex<State>
  private let audit: AuditJournal
  private let passwords: PasswordWorker
  private let clock: ControlRoomClock
  private let maximumAccounts: Int
  /// Told when somebody's rights have changed, so that what they hold open ends; what has to be stored for that comes back.
  private let onChange: @Sendable (Account, _ change: String) -> [DocumentChange]

  static let collection = "accounts"

  init(
    storage: any Storage, audit: AuditJournal, passwords: PasswordWorker, clock: ControlRoomClock, maximumAccounts: Int,
    onChange: @escaping @Sendable (Account, _ change: String) -> [DocumentChange]
  ) throws(StorageError) {
    self.audit = audit
    self.passwords = passwords
    self.clock = clock
    self.maximumAccounts = maximumAccounts
    self.onChange = onChange
    var state = State()
    for document in try storage.all(Self.collection) {
      guard let account = Account(document: document.value) else {
        throw StorageError(.corrupt, "The account \(document.key) cannot be read. Restore a backup.")
      }
      state.put(account)
    }
    self.state = Mutex(state)
  }

  package var isEmpty: Bool { state.withLock { $0.accounts.isEmpty } }

  /// All accounts, by user name.
  package var all: [Account] { state.withLock { $0.accounts.values.sorted { $0.userName < $1.userName } } }

  package func account(id: String) -> Account? { state.withLock { $0.accounts[id] } }

  package func account(userName: String) -> Account? {
    guard let name = Account.normalized(userName: userName) else { return nil }
    return state.withLock { state in state.idsByUserName[name].flatMap { state.accounts[$0] } }
  }

  /// What a new account is made of.
  package struct Draft: Sendable {
    package var userName: String
    package var displayName: String
    package var role: Role
    package var agency: String
    package var desk: String?
    package var unit: String?
    package var password: String

    package init(
      userName: String, displayName: String, role: Role, agency: String, desk: String? = nil, unit: String? = nil,
      password: String
    ) {
      self.userName = userName
      self.displayName = displayName
      self.role = role
      self.agency = agency
      self.desk = desk
      self.unit = unit
      self.password = password
    }
  }

  /// Adds an account; durable when it returns.
  package func add(_ draft: Draft, by actor: Actor) async throws(Refusal) -> Account {
    guard let userName = Account.normalized(userName: draft.userName) else {
      throw Refusal(.badPayload, "userName: 3 to 64 letters, digits and . _ @ -.")
    }
    guard Account.roles.contains(draft.role) else {
      throw Refusal(.badPayload, "role: one of \(Account.roles.map(\.rawValue).joined(separator: ", ")).")
    }
    try Self.check(draft.password, userName)
    let hash = try await hash(draft.password)
    var random = RandomSource.system
    let account = Account(
      id: "a-\(Hex.encode(random.bytes(8)))", userName: userName, displayName: String(draft.displayName.prefix(64)),
      role: draft.role, agency: draft.agency, desk: draft.desk, unit: draft.unit, password: hash,
      createdAt: clock.wall())
    try state.withLock { state throws(Refusal) in
      guard state.idsByUserName[userName] == nil else {
        throw Refusal(.wrongState, "There is an account \(userName) already. Take another name.")
      }
      guard state.accounts.count < maximumAccounts else {
        throw Refusal(.full, "A node has at most \(maximumAccounts) accounts.")
      }
      state.put(account)
    }
    try await store(account, "added", account.role.rawValue, by: actor)
    return account
  }

  /// What may be changed of an account.
  package enum Change: Sendable {
    case role(Role)
    case displayName(String)
    case unit(String?)
    case desk(String?)
    case suspended(Bool)
    /// Set by an admin, or by the owner after the present one was checked.
    case password(String)
  }

  /// Changes an account; durable when it returns.
  package func change(_ id: String, _ change: Change, by actor: Actor) async throws(Refusal) -> Account {
    guard let present = account(id: id) else { throw .unknownAccount }
    var hash: PasswordHash?
    if case .password(let password) = change {
      try Self.check(password, present.userName)
      hash = try await self.hash(password)
    }
    let newHash = hash
    return try await alter(id, Self.word(for: change), Self.detail(of: change), by: actor) { account in
      switch change {
      case .role(let role): account.role = role
      case .displayName(let name): account.displayName = String(name.prefix(64))
      case .unit(let unit): account.unit = unit
      case .desk(let desk): account.desk = desk
      case .suspended(let isSuspended): account.state = isSuspended ? .suspended : .active
      case .password: if let newHash { account.password = newHash }
      }
    }
  }

  /// Changes an account under the lock, then has it stored with an audit event.
  func alter(
    _ id: String, _ word: String, _ detail: String?, by actor: Actor, _ body: (inout Account) -> Void
  ) async throws(Refusal) -> Account {
    let account = try state.withLock { state throws(Refusal) in
      guard let present = state.accounts[id] else { throw .unknownAccount }
      var account = present
      body(&account)
      if present.isActiveAdmin, !account.isActiveAdmin, state.accounts.values.filter(\.isActiveAdmin).count == 1 {
        throw .lastAdmin
      }
      state.put(account)
      return account
    }
    try await store(account, word, detail, by: actor, with: onChange(account, word))
    return account
  }

  /// Takes in what changes with every sign-in; durable when it returns, without an event of its own.
  func note(_ id: String, _ body: (inout Account) -> Void) async throws(Refusal) {
    let account = state.withLock { state -> Account? in
      guard var account = state.accounts[id] else { return nil }
      body(&account)
      state.put(account)
      return account
    }
    guard let account else { return }
    try await audit.store([.put(collection: Self.collection, key: id, account.document)])
  }

  func hash(_ password: String) async throws(Refusal) -> PasswordHash {
    try await passwords.run {
      var random = RandomSource.system
      return PasswordHash(password, random: &random)
    }
  }

  private func store(
    _ account: Account, _ word: String, _ detail: String?, by actor: Actor, with changes: [DocumentChange] = []
  ) async throws(Refusal) {
    try await audit.record(
      .account,
      .members([
        "account": .string(account.id), "change": .string(word),
        "detail": detail.map { .string(String($0.prefix(500))) },
      ]),
      by: actor, changes: [.put(collection: Self.collection, key: account.id, account.document)] + changes)
  }

  private static func check(_ password: String, _ userName: String) throws(Refusal) {
    if let objection = PasswordPolicy.objection(to: password, userName: userName) {
      throw Refusal(.badPayload, "password: \(objection)")
    }
  }

  private static func word(for change: Change) -> String {
    switch change {
    case .role, .displayName, .unit, .desk: "role"
    case .suspended(let isSuspended): isSuspended ? "suspended" : "restored"
    case .password: "password"
    }
  }

  private static func detail(of change: Change) -> String? {
    switch change {
    case .role(let role): role.rawValue
    case .displayName(let name): "display name \(name)"
    case .unit(let unit): "unit \(unit ?? "none")"
    case .desk(let desk): "desk \(desk ?? "none")"
    case .suspended, .password: nil
    }
  }
}

extension Account {
  fileprivate var isActiveAdmin: Bool { role == .admin && state == .active }
}

extension Refusal {
  static let lastAdmin = Refusal(
    .wrongState, "This is the only admin: nobody could change anything here any more. Make another one first.")
  static let unknownAccount = Refusal(.notFound, "There is no such account.")
}

extension Storage {
  /// Every document of a collection.
  func all(_ collection: String) throws(StorageError) -> [StoredDocument] {
    var all: [StoredDocument] = []
    while true {
      let page = try documents(collection, after: all.last?.key, limit: 1_000)
      all += page
      if page.count < 1_000 { return all }
    }
  }
}
