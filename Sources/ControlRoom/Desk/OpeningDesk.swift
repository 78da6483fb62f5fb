import Cryptography
import Incidents
import JSON
import Primitives
import Storage

/// Sees to it that a retried opening opens nothing again: there is no journal yet that could tell.
actor OpeningDesk {
  private let reader: StorageReader
  /// Openings under way, by the client's name for them.
  private var running: [ClientKey: Task<Result<IncidentID, Refusal>, Never>] = [:]

  private static let collection = "openings"

  init(reader: StorageReader) {
    self.reader = reader
  }

  /// The incident that was opened under this name, or the one that `open` opens now, which stores with it what it is given.
  func once(
    _ key: ClientKey,
    _ open:
      @escaping @Sendable (_ alsoStore: @escaping @Sendable (IncidentID) -> [DocumentChange]) async throws(Refusal) ->
      IncidentID
  ) async throws(Refusal) -> IncidentID {
    if let task = running[key] { return try await task.value.get() }
    let task = Task { await self.result(key, open) }
    running[key] = task
    defer { running[key] = nil }
    return try await task.value.get()
  }

  private func result(
    _ key: ClientKey,
    _ open:
      @escaping @Sendable (_ alsoStore: @escaping @Sendable (IncidentID) -> [DocumentChange]) async throws(Refusal) ->
      IncidentID
  ) async -> Result<IncidentID, Refusal> {
    let name = Hex.encode(Digest.sha256(Array("\(key.actor) \(key.clientID)".utf8)))
    do throws(Refusal) {
      if let known = try await known(name) { return .success(known) }
      return .success(
        try await open { [.put(collection: Self.collection, key: name, ["incident": .string($0.value)])] })
    } catch {
      return .failure(error)
    }
  }

  private func known(_ name: String) async throws(Refusal) -> IncidentID? {
    do {
      let document = try await reader.read { (storage) throws(StorageError) in
        try storage.document(Self.collection, name)
      }
      return document?["incident"]?.string.flatMap { IncidentID($0) }
    } catch {
      throw Refusal(.unavailable, error.text)
    }
  }
}
