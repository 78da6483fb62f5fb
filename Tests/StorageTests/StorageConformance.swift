import Incidents
import JSON
import Primitives
import Storage
import Testing

/// What every store has to do, whatever it is made of; a second implementation passes its own factory.
struct StorageConformance {
  /// An empty store.
  let make: () throws -> any Storage

  static let journal = IncidentID("26-000001")

  static func check(_ make: @escaping () throws -> any Storage) throws {
    let suite = StorageConformance(make: make)
    try suite.readsBackWhatWasWritten()
    try suite.pages()
    try suite.refusesWhatDoesNotFollow()
    try suite.refusesANameTwice()
    try suite.keepsDocuments()
    try suite.listsHeads()
    try suite.undoesWholeTransactions()
    try suite.bearsManyThreads()
  }

  private func readsBackWhatWasWritten() throws {
    let store = try make()
    defer { store.close() }
    let id = try #require(Self.journal)
    #expect(try store.events(of: id, after: 0, limit: 10) == [])
    #expect(try store.head(of: id) == nil)
    var chain = Chain(id)
    let events = [
      chain.next(["text": "ä\n\u{0}😀", "n": 1.5, "deep": [[nil, true]]], named: "k"), chain.next(), chain.next(),
    ]
    try store.append(StorageTransaction(events: Array(events.prefix(1))))
    try store.append(StorageTransaction(events: Array(events.dropFirst())))
    #expect(try store.events(of: id, after: 0, limit: 10) == events)
    let last = try #require(events.last)
    #expect(try store.head(of: id) == JournalHead(incident: id, number: 3, hash: last.hash))
    try store.append(StorageTransaction())
    try store.checkHealth()
  }

  private func pages() throws {
    let store = try make()
    defer { store.close() }
    let id = try #require(Self.journal)
    var chain = Chain(id)
    let events = (0..<25).map { _ in chain.next() }
    try store.append(StorageTransaction(events: events))
    var read: [JournalEvent] = []
    while true {
      let page = try store.events(of: id, after: read.last?.number ?? 0, limit: 10)
      read += page
      if page.count < 10 { break }
    }
    #expect(read == events)
    #expect(try store.events(of: id, after: 7, limit: 1) == [events[7]])
    #expect(try store.events(of: id, after: 25, limit: 10) == [])
    #expect(try store.events(of: id, after: 99, limit: 10) == [])
  }

  private func refusesWhatDoesNotFollow() throws {
    let store = try make()
    defer { store.close() }
    let id = try #require(Self.journal)
    var chain = Chain(id)
    let first = chain.next()
    try store.append(StorageTransaction(events: [first]))
    let fork = chain
    let second = chain.next()
    var skipping = Chain(id, number: 2, hash: first.hash)
    var otherHash = Chain(id, number: 1, hash: second.hash)
    #expect(code { try store.append(.init(events: [skipping.next()])) } == .conflict, "a gap")
    #expect(code { try store.append(.init(events: [otherHash.next()])) } == .conflict, "another past")
    #expect(code { try store.append(.init(events: [first])) } == .conflict, "the same again")
    try store.append(StorageTransaction(events: [second]))
    var forked = fork
    #expect(code { try store.append(.init(events: [forked.next(["text": "fork"])])) } == .conflict, "a second present")
    #expect(try store.events(of: id, after: 0, limit: 10) == [first, second])
  }

  private func refusesANameTwice() throws {
    let store = try make()
    defer { store.close() }
    let (one, two) = (try #require(Self.journal), try #require(IncidentID("26-000002")))
    var (first, second) = (Chain(one), Chain(two))
    try store.append(.init(events: [first.next(named: "k"), first.next(named: nil), first.next(named: nil)]))
    let copy = first
    #expect(code { try store.append(.init(events: [first.next(named: "k")])) } == .conflict)
    first = copy
    try store.append(.init(events: [first.next(named: "k", by: "another")]))
    try store.append(.init(events: [second.next(named: "k")]))
    #expect(try store.head(of: one)?.number == 4)
  }

  private func keepsDocuments() throws {
    let store = try make()
    defer { store.close() }
    let keys = ["B", "Z", "_", "a", "b-1", "b_1", "ä", "😀"]
    try store.append(
      .init(changes: keys.shuffled().map { .put(collection: "c", key: $0, ["key": .string($0)]) }))
    try store.append(.init(changes: [.put(collection: "d", key: "a", 1)]))
    #expect(try store.document("c", "ä") == ["key": "ä"])
    #expect(try store.document("c", "missing") == nil)
    #expect(try store.document("e", "a") == nil)
    // In order of the keys' bytes, whatever the place's alphabet.
    #expect(try store.documents("c", after: nil, limit: 100).map(\.key) == keys)
    #expect(try store.documents("c", after: "Z", limit: 2).map(\.key) == ["_", "a"])
    #expect(try store.documents("c", after: "😀", limit: 2) == [])
    try store.append(
      .init(changes: [
        .put(collection: "c", key: "a", 2), .delete(collection: "c", key: "B"), .delete(collection: "c", key: "none"),
        .put(collection: "c", key: "new", 1), .delete(collection: "c", key: "new"),
      ]))
    #expect(try store.document("c", "a") == 2)
    #expect(try store.document("c", "B") == nil)
    #expect(try store.document("c", "new") == nil, "changes apply in order")
    #expect(try store.document("d", "a") == 1)
  }

  private func listsHeads() throws {
    let store = try make()
    defer { store.close() }
    var expected: [JournalHead] = []
    for name in ["26-000002", "A", "_audit", "b"] {
      let id = try #require(IncidentID(name))
      var chain = Chain(id)
      let events = (0..<3).map { _ in chain.next() }
      try store.append(.init(events: events))
      expected.append(JournalHead(incident: id, number: 3, hash: events[2].hash))
    }
    #expect(try store.heads(after: nil, limit: 10) == expected)
    #expect(try store.heads(after: expected[0].incident, limit: 2) == Array(expected[1...2]))
    #expect(try store.heads(after: expected[3].incident, limit: 2) == [])
  }

  private func undoesWholeTransactions() throws {
    let store = try make()
    defer { store.close() }
    let (one, two) = (try #require(Self.journal), try #require(IncidentID("26-000002")))
    var (good, bad) = (Chain(one), Chain(two, number: 5, hash: JournalEvent.genesisHash))
    let transaction = StorageTransaction(
      events: [good.next(), good.next(), bad.next()], changes: [.put(collection: "c", key: "a", 1)])
    #expect(code { try store.append(transaction) } == .conflict)
    #expect(try store.events(of: one, after: 0, limit: 10) == [])
    #expect(try store.head(of: one) == nil)
    #expect(try store.document("c", "a") == nil)
  }

  private func bearsManyThreads() throws {
    let store = try make()
    defer { store.close() }
    let id = try #require(Self.journal)
    let results = concurrently(8) { worker in
      var isSound = true
      if worker == 0 {
        var chain = Chain(id)
        for _ in 0..<50 { isSound = (try? store.append(.init(events: [chain.next()]))) != nil && isSound }
      } else {
        for _ in 0..<50 {
          let events = (try? store.events(of: id, after: 0, limit: 100)) ?? []
          isSound = isSound && events.map(\.number) == Array(1..<events.count + 1)
        }
      }
      return isSound
    }
    #expect(!results.contains(false))
    #expect(try store.head(of: id)?.number == 50)
  }

  private func code(_ body: () throws -> Void) -> StorageError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? StorageError)?.code
    }
  }
}

/// Makes events that follow each other.
struct Chain {
  let id: IncidentID
  private var number: Int
  private var hash: [UInt8]

  init(_ id: IncidentID, number: Int = 0, hash: [UInt8] = JournalEvent.genesisHash) {
    self.id = id
    self.number = number
    self.hash = hash
  }

  mutating func next(_ payload: JSONValue = ["text": "hi"], named name: String? = nil, by actor: String = "a")
    -> JournalEvent
  {
    let event = JournalEvent(
      incident: id, number: number + 1, time: UTCTime(microseconds: 1_795_403_482_000_000 + Int64(number)),
      actor: Actor(id: actor, role: .operator, name: "Ä"), kind: "chat", payload: payload, clientID: name,
      previousHash: hash)
    number = event.number
    hash = event.hash
    return event
  }
}
