import Foundation
import GRDB
import Incidents
import JSON
import Primitives

/// The default store: one SQLite file in the node's data folder, write-ahead log, every commit on the disk before it
/// counts (`synchronous=FULL`).
package final class SQLiteStorage: Storage {
  /// Who opens the folder.
  package enum Mode: Sendable {
    /// The one server of the folder; others are kept out.
    case server
    /// A command beside the server: reads, and writes documents.
    case tool
  }

  private let pool: DatabasePool
  private let lock: FolderLock?

  /// Opens the store of `folder`, or makes it.
  package init(folder: URL, mode: Mode = .server) throws(StorageError) {
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      lock = try mode == .server ? FolderLock(folder: folder) : nil
      var configuration = Configuration()
      configuration.busyMode = .timeout(5)
      configuration.maximumReaderCount = 8
      configuration.prepareDatabase { database in
        try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
      }
      let file = folder.appendingPathComponent("sightline.sqlite").path
      pool = try DatabasePool(path: file, configuration: configuration)
      try Self.schema.migrate(pool)
      for name in [file, file + "-wal", file + "-shm"] where FileManager.default.fileExists(atPath: name) {
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: name)
      }
    } catch {
      throw Self.storageError(error)
    }
  }

  package func close() {
    try? pool.close()
    lock?.release()
  }

  package func checkHealth() throws(StorageError) {
    try read { database in _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM heads LIMIT 1") }
  }

  // MARK: - Writing

  package func append(_ transaction: StorageTransaction) throws(StorageError) {
    do {
      try pool.write { database in
        var heads: [IncidentID: JournalHead] = [:]
        for event in transaction.events { try Self.insert(event, &heads, database) }
        for head in heads.values { try Self.store(head, database) }
        for change in transaction.changes { try Self.apply(change, database) }
      }
    } catch {
      throw Self.storageError(error)
    }
  }

  private static func insert(
    _ event: JournalEvent, _ heads: inout [IncidentID: JournalHead], _ database: Database
  ) throws {
    let head = try heads[event.incident] ?? storedHead(of: event.incident, database)
    guard event.number == (head?.number ?? 0) + 1, event.previousHash == head?.hash ?? JournalEvent.genesisHash else {
      throw StorageError(
        .conflict, "Event \(event.number) of \(event.incident) does not follow event \(head?.number ?? 0).")
    }
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO events (incident, number, time, actor, kind, payload, client_id, actor_id, hash)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      event.incident.value, event.number, event.time.microseconds, event.actor.json.canonical, event.kind,
      event.payload.canonical, event.clientID, event.actor.id, Data(event.hash),
    ])
    heads[event.incident] = JournalHead(incident: event.incident, number: event.number, hash: event.hash)
  }

  private static func store(_ head: JournalHead, _ database: Database) throws {
    let statement = try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO heads (incident, number, hash) VALUES (?, ?, ?)")
    try statement.execute(arguments: [head.incident.value, head.number, Data(head.hash)])
  }

  private static func apply(_ change: DocumentChange, _ database: Database) throws {
    switch change {
    case .put(let collection, let key, let value):
      let statement = try database.cachedStatement(
        sql: "INSERT OR REPLACE INTO documents (collection, key, value) VALUES (?, ?, ?)")
      try statement.execute(arguments: [collection, key, value.canonical])
    case .delete(let collection, let key):
      let statement = try database.cachedStatement(sql: "DELETE FROM documents WHERE collection = ? AND key = ?")
      try statement.execute(arguments: [collection, key])
    }
  }

  // MARK: - Reading

  package func events(
    of incident: IncidentID, after number: Int, limit: Int
  ) throws(StorageError) -> [JournalEvent] {
    try read { database in
      var previous = try Self.hash(of: incident, number, database)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT number, time, actor, kind, payload, client_id, hash FROM events
          WHERE incident = ? AND number > ? ORDER BY number LIMIT ?
          """, arguments: [incident.value, number, limit])
      var events: [JournalEvent] = []
      while let row = try rows.next() {
        let event = try Self.event(row, of: incident, previousHash: previous)
        previous = event.hash
        events.append(event)
      }
      return events
    }
  }

  /// The hash that the event after `number` is chained to.
  private static func hash(of incident: IncidentID, _ number: Int, _ database: Database) throws -> [UInt8] {
    guard number > 0 else { return JournalEvent.genesisHash }
    let data = try Data.fetchOne(
      database, sql: "SELECT hash FROM events WHERE incident = ? AND number = ?", arguments: [incident.value, number])
    return data.map { Array($0) } ?? JournalEvent.genesisHash
  }

  /// Reads one row and makes its hash anew: what is not what was written is not handed out.
  private static func event(_ row: Row, of incident: IncidentID, previousHash: [UInt8]) throws -> JournalEvent {
    let number: Int = try value(row, "number")
    guard let actor = try Actor(json: JSONValue(parsing: value(row, "actor") as String)) else {
      throw StorageError(.corrupt, "Event \(number) of \(incident) has no readable actor. Restore a backup.")
    }
    let event = JournalEvent(
      incident: incident, number: number, time: UTCTime(microseconds: try value(row, "time")), actor: actor,
      kind: try value(row, "kind"), payload: try JSONValue(parsing: value(row, "payload") as String),
      clientID: row.hasNull(atIndex: 5) ? nil : try value(row, "client_id") as String, previousHash: previousHash)
    guard event.hash == Array(try value(row, "hash") as Data) else {
      throw StorageError(
        .corrupt, "Event \(number) of \(incident) is not what was written: its hash differs. Restore a backup.")
    }
    return event
  }

  /// A column's value.
  ///
  /// GRDB's subscript stops the process when a value is of another type than it should be; a damaged file must not.
  private static func value<Value: DatabaseValueConvertible>(_ row: Row, _ column: String) throws -> Value {
    let stored: DatabaseValue = row[column]
    guard let value = Value.fromDatabaseValue(stored) else {
      throw StorageError(.corrupt, "A stored \(column) is not what was written. Restore a backup.")
    }
    return value
  }

  package func head(of incident: IncidentID) throws(StorageError) -> JournalHead? {
    try read { try Self.storedHead(of: incident, $0) }
  }

  package func heads(after incident: IncidentID?, limit: Int) throws(StorageError) -> [JournalHead] {
    try read { database in
      try Row.fetchAll(
        database, sql: "SELECT incident, number, hash FROM heads WHERE incident > ? ORDER BY incident LIMIT ?",
        arguments: [incident?.value ?? "", limit]
      ).compactMap { try Self.head($0) }
    }
  }

  private static func storedHead(of incident: IncidentID, _ database: Database) throws -> JournalHead? {
    let statement = try database.cachedStatement(sql: "SELECT incident, number, hash FROM heads WHERE incident = ?")
    return try Row.fetchOne(statement, arguments: [incident.value]).flatMap { try head($0) }
  }

  private static func head(_ row: Row) throws -> JournalHead? {
    try IncidentID(value(row, "incident")).map {
      JournalHead(incident: $0, number: try value(row, "number"), hash: Array(try value(row, "hash") as Data))
    }
  }

  package func document(_ collection: String, _ key: String) throws(StorageError) -> JSONValue? {
    try read { database in
      try String.fetchOne(
        database, sql: "SELECT value FROM documents WHERE collection = ? AND key = ?", arguments: [collection, key]
      ).map { try JSONValue(parsing: $0) }
    }
  }

  package func documents(
    _ collection: String, after key: String?, limit: Int
  ) throws(StorageError) -> [StoredDocument] {
    try read { database in
      try Row.fetchAll(
        database, sql: "SELECT key, value FROM documents WHERE collection = ? AND key > ? ORDER BY key LIMIT ?",
        arguments: [collection, key ?? "", limit]
      ).map {
        StoredDocument(key: try Self.value($0, "key"), value: try JSONValue(parsing: Self.value($0, "value") as String))
      }
    }
  }

  private func read<Value>(_ body: (Database) throws -> Value) throws(StorageError) -> Value {
    do {
      return try pool.read(body)
    } catch {
      throw Self.storageError(error)
    }
  }

  // MARK: - Schema and errors

  /// Journals are append-only in the database itself: whoever opens the file with other tools meets the same wall.
  private static var schema: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      try database.execute(
        sql: """
          CREATE TABLE events (
            incident TEXT NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL, actor TEXT NOT NULL,
            kind TEXT NOT NULL, payload TEXT NOT NULL, client_id TEXT, actor_id TEXT NOT NULL, hash BLOB NOT NULL,
            PRIMARY KEY (incident, number)) WITHOUT ROWID;
          CREATE UNIQUE INDEX events_by_client ON events (incident, actor_id, client_id) WHERE client_id IS NOT NULL;
          CREATE TABLE heads (incident TEXT PRIMARY KEY, number INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID;
          CREATE TABLE documents (
            collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (collection, key)) WITHOUT ROWID;
          CREATE TRIGGER events_stay BEFORE UPDATE ON events
            BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
          CREATE TRIGGER events_remain BEFORE DELETE ON events
            BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
          """)
    }
    return migrator
  }

  private static func storageError(_ error: any Error) -> StorageError {
    switch error {
    case let error as StorageError: return error
    case let error as JSONError:
      return StorageError(.corrupt, "A stored value is no JSON: \(error). Restore a backup.")
    case let error as DatabaseError: return storageError(error)
    default: return StorageError(.unavailable, "The data folder cannot be used: \(error)")
    }
  }

  private static func storageError(_ error: DatabaseError) -> StorageError {
    switch error.resultCode {
    case .SQLITE_FULL: StorageError(.full, "The disk is full. Free some room; then start the server again.")
    case .SQLITE_BUSY, .SQLITE_LOCKED: StorageError(.locked, "Another program holds the database.")
    case .SQLITE_CONSTRAINT:
      StorageError(.conflict, "The write contradicts what is stored: \(error.message ?? "constraint").")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      StorageError(.corrupt, "The database file is damaged. Restore a backup.")
    default: StorageError(.unavailable, "The database cannot be used: \(error.message ?? "no reason given").")
    }
  }
}
