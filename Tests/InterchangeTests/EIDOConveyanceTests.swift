import Interchange
import JSON
import Testing

@Suite("EIDO conveyance")
struct EIDOConveyanceTests {
  private static let accepts = #""requestAccepts":"application/emergency.eido+json; version=\"1,2,3\"""#

  private func request(_ text: String) throws(EIDORequestError) -> EIDORequest { try EIDORequest(parsing: text) }

  @Test("a subscription to one incident")
  func single() throws {
    let text = #"""
      {"subscribe":{"requestId":"63bfd612","requestType":"EIDO","requestSubType":"single","incidentId":"inc-1",
      "requestAccepts":"application/emergency.eido+json; version=\"1\"","expires":600,"minRate":60,"maxRate":2}}
      """#
    guard case .subscribe(let subscribe) = try request(text) else {
      Issue.record("no subscription")
      return
    }
    #expect(subscribe.scope == .single("inc-1"))
    #expect((subscribe.expires, subscribe.minimumRate, subscribe.maximumRate) == (600, 60, 2))
    #expect(
      EIDOMessage.accepted(subscribe, subscriptionID: "sub1") == [
        "subscribeResponse": [
          "requestId": "63bfd612", "subscriptionId": "sub1", "expires": 600, "minRate": 60, "maxRate": 2,
          "statusCode": 200, "statusText": "OK",
        ]
      ])
  }

  @Test("a subscription to new incidents, its renewal and its end")
  func new() throws {
    let text = #"{"subscribe":{"requestId":"r","requestType":"EIDO","requestSubType":"new",\#(Self.accepts)}}"#
    guard case .subscribe(let subscribe) = try request(text) else {
      Issue.record("no subscription")
      return
    }
    #expect(subscribe.scope == .new)
    #expect(EIDOMessage.accepted(subscribe, subscriptionID: "s")["subscribeResponse"]?["expires"] == 3_600)
    let renewal = try request(#"{"subscribe":{"requestId":"r2","subscriptionId":"s","expires":999999}}"#)
    guard case .renew(let renew) = renewal else {
      Issue.record("no renewal")
      return
    }
    #expect(EIDOMessage.accepted(renew)["subscribeResponse"]?["expires"] == 86_400)
    let end = try request(#"{"unsubscribe":{"requestId":"r3","subscriptionId":"s"}}"#)
    guard case .unsubscribe(let unsubscribe) = end else {
      Issue.record("no end")
      return
    }
    #expect(
      EIDOMessage.unsubscribed(unsubscribe) == [
        "unsubscribeResponse": [
          "requestId": "r3", "subscriptionId": "s", "statusCode": 200, "statusText": "OK",
        ]
      ])
  }

  @Test("answers to events and to the end of a subscription")
  func responses() throws {
    let event = #"{"eventResponse":{"transactionId":"f894@192.168.2.1","statusCode":200,"statusText":"OK"}}"#
    guard case .eventResponse(let response) = try request(event) else {
      Issue.record("no answer")
      return
    }
    #expect((response.id, response.status, response.text) == ("f894@192.168.2.1", 200, "OK"))
    let end = #"{"terminateResponse":{"requestId":"t","subscriptionId":"s","statusCode":481}}"#
    guard case .terminateResponse(let terminated) = try request(end) else {
      Issue.record("no answer")
      return
    }
    #expect((terminated.id, terminated.status) == ("t", 481))
  }

  @Test("an event has its documents in a list")
  func event() {
    #expect(
      EIDOMessage.event(subscriptionID: "s", transactionID: "t", documents: [["$id": "x"]]) == [
        "event": ["subscriptionId": "s", "transactionId": "t", "notification": [["$id": "x"]]]
      ])
    #expect(
      EIDOMessage.terminate(requestID: "r", subscriptionID: "s") == [
        "terminate": ["requestId": "r", "subscriptionId": "s"]
      ])
  }

  /// The inside of a `subscribe`, the status, and a word of the text that says what to do.
  private static let refusals: [(String, Int, String)] = [
    (#""requestId":"r""#, 400, "requestType"),
    (#""requestId":"r","requestType":"CFS""#, 400, "requestType"),
    (#""requestId":"r","requestType":7"#, 400, "requestType"),
    (#""requestId":"r","requestType":"EIDO","requestSubType":"new""#, 400, "requestAccepts"),
    (
      #""requestId":"r","requestType":"EIDO","requestSubType":"new","requestAccepts":"application/json; version=1""#,
      406,
      "application/emergency.eido+json"
    ),
    (
      #""requestId":"r","requestType":"EIDO","requestAccepts":"application/emergency.eido+json; version=\"2,10\"""#,
      406,
      "version"
    ),
    (#""requestId":"r","requestType":"EIDO",\#(accepts)"#, 400, "requestSubType"),
    (#""requestId":"r","requestType":"EIDO","requestSubType":"single",\#(accepts)"#, 400, "incidentId"),
    (
      #""requestId":"r","requestType":"EIDO","requestSubType":"new","incidentId":"i",\#(accepts)"#, 400, "incidentId"
    ),
    (
      #""requestId":"r","requestType":"EIDO","requestSubType":"new","qualFilter":"x",\#(accepts)"#, 400, "qualFilter"
    ),
    (#""requestId":"r","requestType":"EIDO","requestSubType":"new","expires":0,\#(accepts)"#, 400, "expires"),
    (#""requestId":"r","requestType":"EIDO","requestSubType":"new","minRate":1.5,\#(accepts)"#, 400, "minRate"),
    (#""requestId":"r","subscriptionId":"s","minRate":5"#, 400, "minRate"),
    (#""requestId":"r","subscriptionId":"""#, 400, "subscriptionId"),
  ]

  @Test("a bad subscription is answered with what to do", arguments: refusals)
  func refusal(_ body: String, _ status: Int, _ word: String) throws {
    let error = try #require(throws: EIDORequestError.self) { try request("{\"subscribe\":{\(body)}}") }
    #expect(error.status.rawValue == status)
    #expect(error.text.contains(word))
    let reply = try #require(error.reply?["subscribeResponse"])
    #expect(reply["requestId"] == "r")
    #expect(reply["statusCode"]?.integer == status)
    #expect(reply["statusText"]?.string == error.text)
  }

  @Test(
    "noise has no answer but is told from a request",
    arguments: [
      "", "no JSON", "[]", "{}", "7", #"{"subscribe":{},"unsubscribe":{}}"#, #"{"subscribe":null}"#,
      #"{"subscribe":{}}"#, #"{"subscribe":{"requestId":""}}"#, #"{"dance":{"requestId":"r"}}"#,
      #"{"eventResponse":{"transactionId":"t"}}"#, #"{"eventResponse":{"transactionId":"t","statusCode":1e300}}"#,
      #"{"terminateResponse":{"statusCode":200}}"#,
    ])
  func noise(_ text: String) throws {
    let error = try #require(throws: EIDORequestError.self) { try request(text) }
    #expect(error.status == .badRequest)
    #expect(error.reply == nil)
    #expect(!error.text.isEmpty)
  }

  @Test("a refusal does not repeat long names")
  func longNames() throws {
    let name = "e" + String(repeating: "\u{301}", count: 5_000)
    let error = try #require(throws: EIDORequestError.self) { try request("{\"\(name)\":{}}") }
    #expect(error.text.utf8.count < 256)
  }

  @Test("a message that is too long is not read")
  func tooLong() throws {
    let text = String(repeating: " ", count: EIDORequest.maximumBytes) + "{}"
    #expect(try #require(throws: EIDORequestError.self) { try request(text) }.status == .payloadTooLarge)
  }

  @Test("a subscription that nobody knows is refused")
  func refused() {
    let message = EIDOMessage.refusedSubscription(requestID: "r", .subscriptionDoesNotExist)
    #expect(message["subscribeResponse"]?["statusCode"] == 481)
    #expect(message["subscribeResponse"]?["subscriptionId"] == nil)
  }
}
