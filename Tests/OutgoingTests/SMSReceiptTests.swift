import JSON
import Outgoing
import Testing

@Suite("SMS receipts")
struct SMSReceiptTests {
  struct Sample: Sendable {
    let provider: String
    var type: String?
    var body = ""
    var query = ""
    let reference: String
    let state: DeliveryReceipt.State
    let detail: String
  }

  static let form = "application/x-www-form-urlencoded; charset=UTF-8"

  static let samples = [
    Sample(
      provider: "twilio", type: form,
      body: "SmsSid=SM1&SmsStatus=delivered&MessageStatus=delivered&To=%2B49170&MessageSid=SM1&AccountSid=AC1",
      reference: "SM1", state: .delivered, detail: "delivered"),
    Sample(
      provider: "twilio", type: form, body: "MessageSid=SM2&MessageStatus=undelivered&ErrorCode=30003",
      reference: "SM2",
      state: .failed, detail: "undelivered 30003"),
    Sample(
      provider: "twilio", type: form, body: "MessageSid=SM3&MessageStatus=sent", reference: "SM3", state: .accepted,
      detail: "sent"),
    Sample(
      provider: "vonage",
      query: "msisdn=49170&to=AcmeInc&network-code=12345&messageId=0A1&price=0.03&status=delivered&scts=2001011400"
        + "&err-code=0&api-key=a&message-timestamp=2020-01-01+14%3A00%3A00",
      reference: "0A1", state: .delivered, detail: "delivered"),
    Sample(
      provider: "vonage", type: "application/json",
      body: #"{"msisdn":"49170","messageId":"0A2","status":"rejected","err-code":"6"}"#, reference: "0A2",
      state: .failed, detail: "rejected 6"),
    Sample(
      provider: "vonage", type: "application/json", body: #"{"message-id":"0A3","status":"buffered","err-code":0}"#,
      reference: "0A3", state: .accepted, detail: "buffered"),
    Sample(
      provider: "messagebird",
      query: "id=e8077d80&reference=YouReference123&recipient=31612345678&status=delivered"
        + "&statusDatetime=2016-05-03T08%3A58%3A10%2B00%3A00",
      reference: "e8077d80", state: .delivered, detail: "delivered"),
    Sample(
      provider: "messagebird", query: "id=e8&status=delivery_failed&statusReason=unknown+subscriber&statusErrorCode=1",
      reference: "e8", state: .failed, detail: "delivery_failed unknown subscriber 1"),
    Sample(
      provider: "sinch", type: "application/json",
      body: #"{"type":"recipient_delivery_report_sms","batch_id":"01F","recipient":"49170","code":401,"#
        + #""status":"Dispatched","at":"2022-08-30T08:16:08.930Z"}"#,
      reference: "01F", state: .accepted, detail: "Dispatched 401"),
    Sample(
      provider: "sinch", type: "application/json",
      body: #"{"type":"delivery_report_sms","batch_id":"01G","total_message_count":1,"#
        + #""statuses":[{"code":0,"status":"Delivered","count":1,"recipients":["49170"]}]}"#,
      reference: "01G", state: .delivered, detail: "Delivered"),
    Sample(
      provider: "generic", type: "application/json", body: #"{"reference":"r1","state":"failed","detail":"off"}"#,
      reference: "r1", state: .failed, detail: "failed off"),
    Sample(
      provider: "generic", query: "reference=r2&state=new-word", reference: "r2", state: .accepted, detail: "new-word"),
  ]

  static func provider(_ kind: String, _ more: [String: JSONValue] = [:]) throws -> SMSProvider {
    try SMSProviderTests.provider(kind, ["url": "https://x/?to={{to}}&t={{text}}"].merging(more) { $1 })
  }

  @Test("a receipt is read in its provider's shape", arguments: samples)
  func reads(_ sample: Sample) throws {
    let receipt = try Self.provider(sample.provider).receipt(
      contentType: sample.type, body: Array(sample.body.utf8), query: sample.query)
    #expect(receipt == DeliveryReceipt(reference: sample.reference, state: sample.state, detail: sample.detail))
  }

  @Test("a template names the parts of its receipts")
  func readsConfigured() throws {
    let paths: JSONValue = ["reference": "results.0.messageId", "state": "results.0.status.name"]
    let body = #"{"results":[{"messageId":"m1","status":{"name":"DELIVERED"}}]}"#
    let receipt = try Self.provider("generic", ["receipt": paths]).receipt(
      contentType: "application/json", body: Array(body.utf8), query: "")
    #expect(receipt == DeliveryReceipt(reference: "m1", state: .delivered, detail: "DELIVERED"))
  }

  @Test(
    "what is no receipt is refused", arguments: ["twilio", "vonage", "messagebird", "sinch", "generic"],
    ["", "{", "[1,2]", "%%%=&&&=", #"{"status":"delivered"}"#, "\u{0}\u{1}", #"{"statuses":[]}"#])
  func refuses(_ provider: String, _ body: String) throws {
    for type in [nil, "application/json", Self.form] {
      #expect(throws: OutgoingError.self) {
        try Self.provider(provider).receipt(contentType: type, body: Array(body.utf8), query: body)
      }
    }
  }

  @Test("a receipt that is too long is refused, and a long detail is cut")
  func isBounded() throws {
    let provider = try Self.provider("twilio")
    let long = Array(("MessageSid=SM1&MessageStatus=" + String(repeating: "x", count: 70_000)).utf8)
    #expect(throws: OutgoingError.self) { try provider.receipt(contentType: Self.form, body: long, query: "") }
    let receipt = try provider.receipt(contentType: Self.form, body: Array(long.prefix(1_000)), query: "")
    #expect(receipt.detail.count == DeliveryReceipt.maximumDetailLength)
  }
}
