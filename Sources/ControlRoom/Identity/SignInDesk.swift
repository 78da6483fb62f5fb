import Cryptography
import Identity
import Incidents
import JSON
import Primitives
import Storage
import Synchronization

/// Lets people in: passwords and second factors become sessions, sessions and bearer tokens become principals.
///
/// Whoever guesses is slowed down by account and by address; a session that rests is locked; every try is an audit event.
package final class SignInDesk: Sendable {
  struct State {
    var sessions: [String: Session] = [:]
    var tokens: [String: BearerToken] = [:]
    var throttle: LoginThrottle
    /// Second factors that were begun and not confirmed yet, by account.
    var pendingFactors: [String: TOTPSecret] = [:]
  }

  let state: Mutex<State>
  let accounts: AccountDirectory
  let audit: AuditJournal
  let passwords: PasswordWorker
  let secrets: SecretBox
  let clock: ControlRoomClock
  let limits: IdentityLimits
  /// Told when a session or token ends, so that what it opened ends too.
  let onEnd: @Sendable (_ credential: String) -> Void

  static let sessions = "sessions"
  static let tokens = "tokens"
  /// Second factors that may be begun at a time.
  static let maximumPendingFactors = 1_024

  init(
    storage: any Storage, accounts: AccountDirectory, audit: AuditJournal, passwords: PasswordWorker,
    secrets: SecretBox, clock: ControlRoomClock, limits: IdentityLimits,
    onEnd: @escaping @Sendable (_ credential: String) -> Void
  ) throws(StorageError) {
    var state = State(throttle: LoginThrottle(limits: limits))
    for document in try storage.all(Self.sessions) {
      state.sessions[document.key] = Session(id: document.key, document: document.value)
    }
    for document in try storage.all(Self.tokens) {
      state.tokens[document.key] = BearerToken(id: document.key, document: document.value)
    }
    self.state = Mutex(state)
    self.accounts = accounts
    self.audit = audit
    self.passwords = passwords
    self.secrets = secrets
    self.clock = clock
    self.limits = limits
    self.onEnd = onEnd
  }

  /// What a sign-in gives: the secret goes into the cookie and nowhere else.
  package struct SignedIn: Sendable {
    package let secret: String
    package let session: Session
    package let account: Account
  }

  // MARK: - Signing in and out

  /// Checks name, password and, where the account has one, the second factor's code.
  package func signIn(
    userName: String, password: String, code: String?, from address: String
  ) async throws(Refusal) -> SignedIn {
    let name = Account.normalized(userName: userName) ?? ""
    try refuseIfLockedOut(name, address)
    let account = accounts.account(userName: name)
    let hash = account?.password ?? PasswordHash.decoy
    let matches = try await passwords.run { hash.matches(password) }
    guard matches, let account, account.state == .active else {
      throw await failed(userName, name, account, address)
    }
    try await checkFactor(of: account, code, userName, name, address)
    state.withLock { $0.throttle.noteSuccess(account: name) }
    if account.password.needsRehash, let fresh = try? await accounts.hash(password) {
      try await accounts.note(account.id) { $0.password = fresh }
    }
    return try await open(account, address)
  }

  private func open(_ account: Account, _ address: String) async throws(Refusal) -> SignedIn {
    var random = RandomSource.system
    let secret = Secret.make(random: &random)
    let session = Session(
      id: Secret.identifier(of: secret), account: account.id, createdAt: clock.wall(),
      csrfToken: Secret.make(random: &random))
    let superfluous = state.withLock { state -> [String] in
      state.sessions[session.id] = session
      let own = state.sessions.values.filter { $0.account == account.id }.sorted { $0.createdAt < $1.createdAt }
      let oldest = own.prefix(max(0, own.count - limits.maximumSessionsPerAccount)).map(\.id)
      for id in oldest { state.sessions[id] = nil }
      return oldest
    }
    try await record(
      account, account.userName, "signedIn", address,
      [.put(collection: Self.sessions, key: session.id, session.document)]
        + superfluous.map { .delete(collection: Self.sessions, key: $0) })
    return SignedIn(secret: secret, session: session, account: account)
  }

  package func signOut(_ session: Session, from address: String) async throws(Refusal) {
    state.withLock { $0.sessions[session.id] = nil }
    onEnd(session.id)
    guard let account = accounts.account(id: session.account) else { return }
    try await record(
      account, account.userName, "signedOut", address, [.delete(collection: Self.sessions, key: session.id)])
  }

  /// Locks a session at its owner's wish; what it opened ends.
  package func lock(_ session: Session) async throws(Refusal) {
    try await setLocked(session.id, true)
    onEnd(session.id)
  }

  /// Opens a locked session again with the account's password.
  package func unlock(_ secret: String, password: String, from address: String) async throws(Refusal) -> Session {
    guard let session = session(of: secret), let account = accounts.account(id: session.account),
      account.state == .active
    else { throw .signInRequired }
    try refuseIfLockedOut(account.userName, address)
    guard try await passwords.run({ account.password.matches(password) }) else {
      throw await failed(account.userName, account.userName, account, address)
    }
    try await setLocked(session.id, false)
    try await record(account, account.userName, "unlocked", address, [])
    return self.session(of: secret) ?? session
  }

  private func setLocked(_ id: String, _ isLocked: Bool) async throws(Refusal) {
    let now = clock.wall()
    let changed = state.withLock { state -> Session? in
      state.sessions[id]?.isLocked = isLocked
      if !isLocked { state.sessions[id]?.lastSeenAt = now }
      return state.sessions[id]
    }
    if let changed { try await audit.store([.put(collection: Self.sessions, key: id, changed.document)]) }
  }

  // MARK: - Who asks

  /// The principal of a session's cookie.
  ///
  /// A request that changes something has to repeat the session's CSRF token.
  package func admit(
    session secret: String, csrf: String?, needsCSRF: Bool
  ) async throws(Refusal) -> (principal: Principal, session: Session) {
    guard var session = session(of: secret), let account = accounts.account(id: session.account),
      account.state == .active
    else { throw .signInRequired }
    let now = clock.wall()
    if !session.isLocked, now - session.lastSeenAt > limits.idleLock {
      session.isLocked = true
      try await setLocked(session.id, true)
      try await record(account, account.userName, "locked", nil, [])
    }
    guard !session.isLocked else { throw .sessionLocked }
    if needsCSRF {
      let token = Array(session.csrfToken.utf8)
      guard let csrf, MessageAuthentication.areEqual(Array(csrf.utf8), token) else { throw .csrf }
    }
    if now - session.lastSeenAt > limits.touchInterval { try await touch(session.id, now) }
    return (Principal(account, credential: session.id), session)
  }

  /// The principal of a bearer token.
  package func admit(bearer secret: String) throws(Refusal) -> Principal {
    let id = Secret.identifier(of: secret)
    guard let token = state.withLock({ $0.tokens[id] }), clock.wall() < token.expiresAt,
      let account = accounts.account(id: token.account), account.state == .active
    else { throw .signInRequired }
    return Principal(account, credential: token.id)
  }

  private func session(of secret: String) -> Session? {
    let id = Secret.identifier(of: secret)
    let now = clock.wall()
    return state.withLock { state in
      guard let session = state.sessions[id] else { return nil }
      guard now - session.createdAt < limits.sessionLifetime else {
        state.sessions[id] = nil
        return nil
      }
      return session
    }
  }

  /// Notes that somebody does something on a connection that they opened with a session; false when the session has been
  /// locked, or is from now on because it rested: then the connection has to end.
  package func noteActivity(of principal: Principal) -> Bool {
    guard let id = principal.credential else { return true }
    let now = clock.wall()
    return state.withLock { state in
      // Bearer tokens do not rest.
      guard let session = state.sessions[id] else { return state.tokens[id] != nil }
      guard !session.isLocked, now - session.lastSeenAt <= limits.idleLock else {
        state.sessions[id]?.isLocked = true
        return false
      }
      state.sessions[id]?.lastSeenAt = now
      return true
    }
  }

  private func touch(_ id: String, _ now: UTCTime) async throws(Refusal) {
    let touched = state.withLock { state -> Session? in
      state.sessions[id]?.lastSeenAt = now
      return state.sessions[id]
    }
    if let touched { try await audit.store([.put(collection: Self.sessions, key: id, touched.document)]) }
  }

  // MARK: - Failures

  func refuseIfLockedOut(_ name: String, _ address: String) throws(Refusal) {
    let now = clock.wall()
    guard let until = state.withLock({ $0.throttle.lockedUntil(account: name, address: address, now: now) }) else {
      return
    }
    throw .lockedOut(for: until - now)
  }

  /// Notes a failure; the refusal is the same whether the name or the password was wrong.
  func failed(_ userName: String, _ name: String, _ account: Account?, _ address: String) async -> Refusal {
    let now = clock.wall()
    let until = state.withLock { $0.throttle.noteFailure(account: name, address: address, now: now) }
    try? await record(account, userName, until == nil ? "refused" : "lockedOut", address, [])
    return until.map { .lockedOut(for: $0 - now) } ?? .badCredentials
  }

  func record(
    _ account: Account?, _ userName: String, _ result: String, _ address: String?, _ changes: [DocumentChange]
  ) async throws(Refusal) {
    try await audit.record(
      .signIn,
      .members([
        "account": (account?.id).map { .string($0) }, "userName": .string(Self.printable(userName)),
        "result": .string(result), "from": address.map { .string(String($0.prefix(64))) },
      ]),
      by: account?.actor ?? .system, changes: changes)
  }

  /// At most 128 characters without control characters, as the schema of the event has it.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
    )
    .unicodeScalarPrefix(128)
  }
}

extension String {
  fileprivate func unicodeScalarPrefix(_ count: Int) -> String {
    String(String.UnicodeScalarView(unicodeScalars.prefix(count)))
  }
}

extension Principal {
  /// Somebody with an account.
  package init(_ account: Account, credential: String? = nil) {
    self.init(actor: account.actor, facts: account.facts, credential: credential)
  }
}

extension Refusal {
  package static let signInRequired = Refusal(
    .signInRequired, "Nobody is signed in, or not any more. Sign in, or open the link that you were sent.")
  package static let badCredentials = Refusal(
    .badCredentials, "The name or the password is wrong. Check both; capital letters count in the password.")
  package static let codeRequired = Refusal(
    .codeRequired, "This account has a second factor. Send the six digits of the authenticator app as code too.")
  package static let sessionLocked = Refusal(
    .sessionLocked, "The session was locked because nothing was done for a while. Unlock it with your password.")
  package static let csrf = Refusal(
    .csrf, "A request of a signed-in page has to repeat the session's token in the header X-CSRF-Token.")

  static func lockedOut(for interval: TimeInterval64) -> Refusal {
    let minutes = max(1, Int((interval.seconds / 60).rounded(.up)))
    return Refusal(
      .lockedOut, "Too many failed tries. Wait \(minutes) minutes, or ask an admin.", retryAfter: interval)
  }
}
