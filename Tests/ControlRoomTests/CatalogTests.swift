import Archive
import ControlRoom
import Incidents
import JSON
import Primitives
import Storage
import Testing

@Suite("Catalogue")
struct CatalogTests {
  private func find(
    _ desk: CatalogDesk, as principal: Principal = person(.supervisor),
    _ change: (inout ArchiveQuery) -> Void = { _ in }
  ) async throws -> [IncidentID] {
    var query = ArchiveQuery()
    change(&query)
    await desk.settle()
    return try await desk.search(query, for: principal).rows.map(\.entry.id)
  }

  private func end(_ id: IncidentID, in room: TestRoom) async throws {
    try await room.note(.stateChanged, ["state": "ended", "outcome": "handled"], in: id)
  }

  @Test func whatHappensIsFoundAtOnce() async throws {
    let room = try await TestRoom()
    let desk = CatalogDesk(room: room.room)
    await desk.catchUp()
    let id = try await room.open(["lat": 52.5, "lon": 13.4, "text": "Main Street 1"])
    try await room.say("the patient is awake", in: id)
    #expect(try await find(desk) { $0.text = "awake main" } == [id])
    try await end(id, in: room)
    #expect(try await find(desk) { $0.states = [.ended] } == [id])
  }

  @Test func whatHappensBeforeAndWhileItIsReadIsFound() async throws {
    let room = try await TestRoom()
    let before = try await room.open()
    let desk = CatalogDesk(room: room.room)
    try await room.say("early", in: before)
    let between = try await room.open()
    await desk.catchUp()
    try await room.say("late", in: before)
    #expect(Set(try await find(desk)) == [before, between])
    #expect(try await find(desk) { $0.text = "early late" } == [before])
    #expect(desk.isCaughtUp)
  }

  @Test func outlivesARestartThroughItsDocuments() async throws {
    let storage = MemoryStorage()
    var ids: [IncidentID] = []
    do {
      let room = try await TestRoom(storage: storage)
      let desk = CatalogDesk(room: room.room)
      await desk.catchUp()
      for number in 0..<3 {
        ids.append(try await room.open())
        try await room.say("word\(number)", in: ids[number])
      }
      await desk.settle()
      await desk.stop()
      room.room.stop()
    }
    #expect(try storage.documents(CatalogDesk.collection, after: nil, limit: 10).count == 3)
    let room = try await TestRoom(storage: storage)
    let desk = CatalogDesk(room: room.room)
    await desk.catchUp()
    #expect(try await find(desk) { $0.text = "word1" } == [ids[1]])
  }

  @Test func documentsThatAreMissingDamagedOrBehindAreMadeAnew() async throws {
    let storage = MemoryStorage()
    let room = try await TestRoom(storage: storage)
    let ids = [try await room.open(), try await room.open(), try await room.open()]
    for id in ids { try await room.say("told", in: id) }
    // One has no document, one has nonsense, and one has no idea of what was said.
    let first = try #require(CatalogRecord(folding: Array(try storage.events(of: ids[2], after: 0, limit: 1))))
    try storage.append(
      StorageTransaction(changes: [
        .put(collection: CatalogDesk.collection, key: ids[1].value, ["id": 7]), first.change,
      ]))
    let desk = CatalogDesk(room: room.room)
    await desk.catchUp()
    #expect(Set(try await find(desk) { $0.text = "told" }) == Set(ids))
    await desk.write(all: true)
    for id in ids {
      #expect(try storage.document(CatalogDesk.collection, id.value)?["number"]?.integer == 2)
    }
  }

  @Test func openIncidentsAreWrittenSeldomAndClosedOnesAtOnce() async throws {
    let storage = MemoryStorage()
    let room = try await TestRoom(storage: storage)
    let desk = CatalogDesk(room: room.room)
    await desk.catchUp()
    let (open, closed) = (try await room.open(), try await room.open())
    try await end(closed, in: room)
    let written = { try storage.documents(CatalogDesk.collection, after: nil, limit: 10).map(\.key) }
    await desk.settle()
    await desk.write(all: false)
    #expect(try written() == [closed.value])
    room.clock.advance(61)
    await desk.write(all: false)
    #expect(try written().sorted() == [open.value, closed.value].sorted())
  }

  @Test func aStoreThatFailsCostsDocumentsAndNothingElse() async throws {
    let storage = MemoryStorage()
    let room = try await TestRoom(storage: storage)
    let desk = CatalogDesk(room: room.room)
    await desk.catchUp()
    let id = try await room.open()
    await desk.settle()
    storage.fail()
    await desk.write(all: true)
    #expect(try await find(desk) == [id])
  }

  @Test("roles that know of no incidents are told so", arguments: [Role.admin, .caller, .guest, .device])
  func forbidden(_ role: Role) async throws {
    let room = try await TestRoom()
    let desk = CatalogDesk(room: room.room)
    await desk.catchUp()
    let refused = await refusal { _ = try await desk.search(ArchiveQuery(), for: person(role)) }
    #expect(refused?.code == .forbidden)
  }
}
