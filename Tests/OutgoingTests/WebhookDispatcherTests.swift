import Incidents
import JSON
import Outgoing
import Primitives
import Storage
import Synchronization
import Testing

@Suite("Webhook dispatcher", .timeLimit(.minutes(5)))
struct WebhookDispatcherTests {
  @Test("an event is posted, signed, and then forgotten")
  func delivers() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    let event = try desk.record("i1", 1)
    let call = await desk.nextCall()
    #expect(call.request.method == "POST")
    #expect(call.request.url == "https://cad.test/in")
    #expect(try JSONValue(parsing: call.request.body) == ["event": event.json])
    #expect(call.header("Content-Type") == "application/json")
    #expect(call.header("Sightline-Webhook-Id") == "cad")
    #expect(call.header("Sightline-Delivery") == "cad.i1.1")
    #expect(call.header("Sightline-Timestamp") == "1790000000")
    let signature = WebhookSignature.value(
      secret: "whsec-0123456789abcdef", timestamp: "1790000000", body: call.request.body)
    #expect(call.header("Sightline-Signature") == signature)
    #expect(desk.pending == ["cad/i1/000000000001"])
    call.answer(204)
    await desk.nextWrite()
    #expect(desk.pending == [])
    await desk.dispatcher.stop()
    #expect(desk.dispatcher.statistics.delivered == 1)
    #expect(desk.registry.pending("cad") == 0)
  }

  @Test("events of one incident go out one after the other, those of two beside each other")
  func keepsOrder() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    for number in 1...3 { try desk.record("i1", number) }
    let first = await desk.nextCall()
    #expect(first.header("Sightline-Delivery") == "cad.i1.1")
    try desk.record("i2", 1)
    let other = await desk.nextCall()
    #expect(other.header("Sightline-Delivery") == "cad.i2.1")
    first.answer(200)
    let second = await desk.nextCall()
    #expect(second.header("Sightline-Delivery") == "cad.i1.2")
    second.answer(200)
    let third = await desk.nextCall()
    #expect(third.header("Sightline-Delivery") == "cad.i1.3")
    third.answer(200)
    other.answer(200)
    for _ in 0..<4 { await desk.nextWrite() }
    #expect(desk.pending == [])
    await desk.dispatcher.stop()
  }

  @Test("a failed delivery is tried again after a pause, under the same name, before what follows it")
  func triesAgain() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    try desk.record("i1", 1)
    try desk.record("i1", 2)
    await desk.nextCall().answer(500)
    let pause = await desk.nextPause()
    #expect(pause == .seconds(2))
    desk.time.advance(pause)
    let again = await desk.nextCall()
    #expect(again.header("Sightline-Delivery") == "cad.i1.1")
    #expect(again.header("Sightline-Timestamp") == "1790000002")
    again.fail(OutgoingError(.timedOut, "cad.test did not answer in time."))
    #expect(await desk.nextPause() == .seconds(5))
    let stored = try #require(try desk.storage.document(WebhookDelivery.collection, "cad/i1/000000000001"))
    let delivery = try #require(WebhookDelivery(json: stored))
    #expect(delivery.tries == 2)
    #expect(delivery.lastError == "cad.test did not answer in time.")
    #expect(delivery.nextAt == desk.time.now + .seconds(5))
    await desk.dispatcher.stop()
  }

  @Test("after its last try a delivery is put aside, and what follows goes on")
  func buries() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    try desk.record("i1", 1)
    try desk.record("i1", 2)
    for number in 1...12 {
      await desk.nextCall().answer(503)
      // One long pause is taken in steps.
      guard number < 12 else { break }
      try await desk.passTime(until: "cad/i1/000000000001")
    }
    let next = await desk.nextCall()
    #expect(next.header("Sightline-Delivery") == "cad.i1.2")
    next.answer(200)
    let letter = try #require(try desk.dispatcher.deadLetters(of: "cad", limit: 10).first)
    #expect(letter.delivery.tries == 12)
    #expect(letter.delivery.lastError == "The receiver answered 503.")
    #expect(desk.dispatcher.deadLetterCount == 1)
    #expect(try desk.dispatcher.deadLetters(of: "ca", limit: 10) == [])

    #expect(try await desk.dispatcher.retry(letter.key))
    let retried = await desk.nextCall()
    #expect(retried.header("Sightline-Delivery") == "cad.i1.1")
    retried.answer(200)
    #expect(try desk.dispatcher.deadLetters(limit: 10) == [])
    #expect(try await !desk.dispatcher.retry(letter.key))
    await desk.dispatcher.stop()
  }

  @Test("what the receiver rejects is put aside after three tries, and can be dropped")
  func buriesRejected() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    try desk.record("i1", 1)
    for number in 1...3 {
      await desk.nextCall().answer(422)
      guard number < 3 else { break }
      desk.time.advance(await desk.nextPause())
    }
    for _ in 0..<3 { await desk.nextWrite() }
    let letter = try #require(try desk.dispatcher.deadLetters(limit: 1).first)
    #expect(desk.pending == [])
    #expect(try await desk.dispatcher.drop(letter.key))
    #expect(try await !desk.dispatcher.drop(letter.key))
    #expect(desk.dispatcher.deadLetterCount == 0)
    await desk.dispatcher.stop()
  }

  @Test("a dead letter is tried anew at once, also while its incident waits")
  func retriesAtOnce() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    try desk.record("i1", 1)
    try desk.record("i1", 2)
    for number in 1...3 {
      await desk.nextCall().answer(400)
      if number < 3 { desk.time.advance(await desk.nextPause()) }
    }
    let second = await desk.nextCall()
    #expect(second.header("Sightline-Delivery") == "cad.i1.2")
    second.answer(500)
    _ = await desk.nextPause()
    #expect(try await desk.dispatcher.retry("cad/i1/000000000001"))
    #expect(await desk.nextCall().header("Sightline-Delivery") == "cad.i1.1")
    await desk.dispatcher.stop()
  }

  @Test("a receiver that never answers holds up no other")
  func isolates() async throws {
    let desk = try Desk(["dead", "live"])
    try desk.dispatcher.start()
    var delivered = 0
    for incident in 0..<20 { try desk.record("i\(incident)", 1) }
    var hanging = 0
    while delivered < 20 {
      let call = await desk.nextCall()
      if call.header("Sightline-Webhook-Id") == "live" {
        call.answer(200)
        delivered += 1
      } else {
        hanging += 1
      }
    }
    #expect(hanging <= DeliverySchedule.callsPerWebhook)
    #expect(desk.dispatcher.statistics.failedTries == 0)
    await desk.dispatcher.stop()
  }

  @Test("a receiver's wish for more time is heeded")
  func heedsRetryAfter() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    try desk.record("i1", 1)
    await desk.nextCall().answer(429, headers: [.init("Retry-After", "30")])
    #expect(await desk.nextPause() == .seconds(30))
    await desk.dispatcher.stop()
  }

  @Test("a restart goes on where the last run ended, and no earlier than allowed")
  func recovers() async throws {
    let desk = try Desk(["cad"])
    try desk.record("i1", 1, wakes: false)
    try desk.record("i-1", 1, wakes: false)
    var late = WebhookDelivery(
      webhook: "cad", incident: WebhookTests.event("i1").incident, number: 1, createdAt: WebhookTests.created)
    late.tries = 4
    late.nextAt = desk.time.now + .seconds(40)
    try desk.storage.append(
      StorageTransaction(changes: [.put(collection: WebhookDelivery.collection, key: late.key, late.json)]))
    try desk.dispatcher.start()
    let call = await desk.nextCall()
    #expect(call.header("Sightline-Delivery") == "cad.i-1.1")
    call.answer(200)
    #expect(await desk.nextPause() == .seconds(40))
    #expect(desk.registry.pending("cad") <= 2)
    desk.time.advance(.seconds(40))
    #expect(await desk.nextCall().header("Sightline-Delivery") == "cad.i1.1")
    await desk.dispatcher.stop()
  }

  @Test("stopping gives a call up without counting it")
  func stops() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    try desk.record("i1", 1)
    let call = await desk.nextCall()
    await desk.dispatcher.stop()
    _ = call
    #expect(desk.pending == ["cad/i1/000000000001"])
    #expect(desk.dispatcher.statistics.failedTries == 0)
  }

  @Test("a store that fails loses nothing")
  func survivesStore() async throws {
    let desk = try Desk(["cad"])
    try desk.dispatcher.start()
    desk.storage.refuse(1)
    try desk.record("i1", 1)
    await desk.nextCall().answer(200)
    desk.time.advance(await desk.nextPause())
    let again = await desk.nextCall()
    #expect(again.header("Sightline-Delivery") == "cad.i1.1")
    again.answer(200)
    await desk.nextWrite()
    #expect(desk.pending == [])
    await desk.dispatcher.stop()
  }

  @Test("what waits for a removed webhook is thrown away")
  func discards() async throws {
    let desk = try Desk(["cad", "gone"])
    for number in 1...3 { try desk.record("i1", number, wakes: false) }
    _ = desk.registry.remove("gone")
    try desk.dispatcher.start()
    for _ in 0..<3 { await desk.nextCall().answer(200) }
    for _ in 0..<4 { await desk.nextWrite() }
    #expect(desk.pending == [])
    await desk.dispatcher.stop()
  }

  @Test("more incidents than fit in memory are all delivered")
  func scans() async throws {
    let desk = try Desk(["cad"])
    let count = DeliverySchedule.chainsPerWebhook + 100
    for incident in 0..<count { try desk.record("i\(incident)", 1, wakes: false) }
    try desk.dispatcher.start()
    for _ in 0..<count { await desk.nextCall().answer(200) }
    for _ in 0..<count { await desk.nextWrite() }
    #expect(desk.pending == [])
    await desk.dispatcher.stop()
  }
}
