import Cryptography
import Identity
import Incidents
import JSON
import Primitives
import Storage

// Second factors and bearer tokens.

extension SignInDesk {
  // MARK: - Second factor

  /// What a second factor's secret is sealed for: it cannot be moved to another account.
  private static func context(_ account: String) -> String { "totp \(account)" }

  func checkFactor(
    of account: Account, _ code: String?, _ userName: String, _ name: String, _ address: String
  ) async throws(Refusal) {
    guard let sealed = account.sealedTOTP else { return }
    guard let code, !code.isEmpty else { throw .codeRequired }
    guard let key = secrets.open(sealed, context: Self.context(account.id)) else {
      throw Refusal(.unavailable, "The second factor cannot be checked: the node's key has changed. Ask an admin.")
    }
    let now = clock.wall()
    let last = accounts.account(id: account.id)?.lastTOTPStep ?? account.lastTOTPStep
    guard let step = TOTPSecret(key: key).step(of: code, at: now, after: last) else {
      throw await failed(userName, name, account, address)
    }
    try await accounts.note(account.id) { $0.lastTOTPStep = max($0.lastTOTPStep, step) }
  }

  /// Begins a second factor: the secret for the authenticator app; it counts once ``confirmFactor(of:code:)`` has seen a code.
  package func beginFactor(of account: Account) throws(Refusal) -> TOTPSecret {
    var random = RandomSource.system
    let secret = TOTPSecret(random: &random)
    state.withLock { state in
      if state.pendingFactors.count >= Self.maximumPendingFactors { state.pendingFactors.removeAll() }
      state.pendingFactors[account.id] = secret
    }
    return secret
  }

  /// Makes the begun second factor count, once its owner has shown a code of it.
  package func confirmFactor(of account: Account, code: String) async throws(Refusal) {
    let pending = state.withLock { $0.pendingFactors[account.id] }
    guard let pending else { throw Refusal(.wrongState, "Begin a second factor first.") }
    guard let step = pending.step(of: code, at: clock.wall(), after: 0) else {
      throw Refusal(.badCredentials, "The code is not the one that the app shows now. Check the phone's clock.")
    }
    var random = RandomSource.system
    let sealed = secrets.seal(pending.key, context: Self.context(account.id), random: &random)
    _ = state.withLock { $0.pendingFactors.removeValue(forKey: account.id) }
    _ = try await accounts.alter(account.id, "secondFactor", "on", by: account.actor) {
      $0.sealedTOTP = sealed
      $0.lastTOTPStep = step
    }
  }

  /// Takes the second factor off an account, at the owner's or an admin's wish.
  package func removeFactor(of id: String, by actor: Actor) async throws(Refusal) {
    _ = try await accounts.alter(id, "secondFactor", "off", by: actor) { $0.sealedTOTP = nil }
  }

  // MARK: - Bearer tokens

  /// Makes a key to the API that acts as its account; the secret is shown once.
  package func makeToken(
    for account: Account, name: String, days: Int, by actor: Actor
  ) async throws(Refusal) -> (secret: String, token: BearerToken) {
    var random = RandomSource.system
    let secret = BearerToken.prefix + Secret.make(random: &random)
    let now = clock.wall()
    let token = BearerToken(
      id: Secret.identifier(of: secret), account: account.id, name: String(name.prefix(64)), createdAt: now,
      expiresAt: now + .seconds(Double(min(max(days, 1), Self.maximumTokenDays)) * 86_400))
    try state.withLock { state throws(Refusal) in
      let own = state.tokens.values.filter { $0.account == account.id && $0.expiresAt > now }
      guard own.count < limits.maximumTokensPerAccount else {
        throw Refusal(.wrongState, "An account has at most \(limits.maximumTokensPerAccount) tokens. Revoke one first.")
      }
      state.tokens[token.id] = token
    }
    try await recordToken(
      account.id, "token", token.name, by: actor,
      [
        .put(collection: Self.tokens, key: token.id, token.document)
      ])
    return (secret, token)
  }

  /// Longest life of a token.
  package static let maximumTokenDays = 366

  package func tokens(of account: String) -> [BearerToken] {
    state.withLock { $0.tokens.values.filter { $0.account == account } }.sorted { $0.createdAt < $1.createdAt }
  }

  /// Ends a token of `account` at once.
  package func revokeToken(_ id: String, of account: String, by actor: Actor) async throws(Refusal) {
    let removed = state.withLock { state -> BearerToken? in
      guard state.tokens[id]?.account == account else { return nil }
      return state.tokens.removeValue(forKey: id)
    }
    guard let removed else { throw Refusal(.notFound, "There is no such token.") }
    onEnd(id)
    try await recordToken(account, "tokenRevoked", removed.name, by: actor, [.delete(collection: Self.tokens, key: id)])
  }

  private func recordToken(
    _ account: String, _ word: String, _ name: String, by actor: Actor, _ changes: [DocumentChange]
  ) async throws(Refusal) {
    try await audit.record(
      .account, ["account": .string(account), "change": .string(word), "detail": .string(name.isEmpty ? "-" : name)],
      by: actor, changes: changes)
  }

  /// Ends the sessions of somebody whose password changed or who was suspended, and then the tokens too.
  ///
  /// - Returns: What has to be removed from the store.
  func endSessions(of account: Account) -> [DocumentChange] {
    state.withLock { state in
      let sessions = state.sessions.values.filter { $0.account == account.id }.map(\.id)
      for id in sessions { state.sessions[id] = nil }
      var changes = sessions.map { DocumentChange.delete(collection: Self.sessions, key: $0) }
      guard account.state == .suspended else { return changes }
      let tokens = state.tokens.values.filter { $0.account == account.id }.map(\.id)
      for id in tokens { state.tokens[id] = nil }
      changes += tokens.map { .delete(collection: Self.tokens, key: $0) }
      return changes
    }
  }
}

extension SignInDesk {
  /// Checks the password of somebody who is signed in, before something weighty; failures count as at the door.
  package func check(password: String, of account: Account, from address: String) async throws(Refusal) {
    try refuseIfLockedOut(account.userName, address)
    guard try await passwords.run({ account.password.matches(password) }) else {
      throw await failed(account.userName, account.userName, account, address)
    }
  }
}
