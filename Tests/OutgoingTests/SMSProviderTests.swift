import JSON
import Outgoing
import Primitives
import Testing

/// Requests, answers and receipts in the shapes that the providers publish (Twilio Programmable Messaging, Vonage SMS
/// API, MessageBird SMS, Sinch SMS), with invented values.
@Suite("SMS provider")
struct SMSProviderTests {
  static func provider(_ kind: String, _ more: [String: JSONValue] = [:]) throws -> SMSProvider {
    var settings: [String: JSONValue] = [
      "provider": .string(kind), "account": "AC1", "secret": "s3cret", "from": "+4930555",
    ]
    settings.merge(more) { $1 }
    return try SMSProvider(json: .object(settings))
  }

  static func message(_ text: String = "Öffnen: https://x/?a=1&b=2") throws -> SMSMessage {
    try SMSMessage(to: "+49 170 1234567", text: text, reference: "link-1", receiptURL: "https://me/r?k=1&t=2")
  }

  static func generic(_ more: [String: JSONValue]) throws -> SMSProvider {
    try provider("generic", more)
  }

  func text(_ request: OutgoingRequest) -> String { String(decoding: request.body, as: UTF8.self) }

  func header(_ request: OutgoingRequest, _ name: String) -> String? {
    request.headers.first { $0.name == name }?.value
  }

  @Test("Twilio gets a form with basic authentication")
  func asksTwilio() throws {
    let request = try Self.provider("twilio").request(for: Self.message())
    #expect(request.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json")
    #expect(header(request, "Authorization") == "Basic QUMxOnMzY3JldA==")
    #expect(
      text(request) == "To=%2B491701234567&From=%2B4930555&Body=%C3%96ffnen%3A%20https%3A%2F%2Fx%2F%3Fa%3D1%26b%3D2"
        + "&StatusCallback=https%3A%2F%2Fme%2Fr%3Fk%3D1%26t%3D2")
  }

  @Test("Twilio's messaging service stands in for a number")
  func asksTwilioService() throws {
    let service = "MG" + String(repeating: "0", count: 32)
    let request = try Self.provider("twilio", ["from": .string(service)]).request(for: Self.message("x"))
    #expect(text(request).contains("MessagingServiceSid=\(service)"))
    #expect(!text(request).contains("From="))
  }

  @Test("Vonage gets a form, with unicode only where it is needed", arguments: [("Ö", "unicode"), ("O", "text")])
  func asksVonage(_ body: String, _ type: String) throws {
    let request = try Self.provider("vonage", ["url": "https://rest.test/"]).request(for: Self.message(body))
    #expect(request.url == "https://rest.test/sms/json")
    #expect(text(request).hasPrefix("api_key=AC1&api_secret=s3cret&from=4930555&to=491701234567&"))
    #expect(text(request).contains("&type=\(type)&client-ref=link-1&callback=https"))
  }

  @Test("MessageBird gets JSON")
  func asksMessageBird() throws {
    let request = try Self.provider("messagebird").request(for: Self.message("hi"))
    #expect(request.url == "https://rest.messagebird.com/messages")
    #expect(header(request, "Authorization") == "AccessKey s3cret")
    let expected: JSONValue = [
      "originator": "+4930555", "recipients": ["491701234567"], "body": "hi", "datacoding": "auto",
      "reference": "link-1", "reportUrl": "https://me/r?k=1&t=2",
    ]
    #expect(try JSONValue(parsing: request.body) == expected)
  }

  @Test("Sinch gets JSON for a batch of one")
  func asksSinch() throws {
    let request = try Self.provider("sinch").request(for: Self.message("hi"))
    #expect(request.url == "https://us.sms.api.sinch.com/xms/v1/AC1/batches")
    #expect(header(request, "Authorization") == "Bearer s3cret")
    let expected: JSONValue = [
      "from": "+4930555", "to": ["+491701234567"], "body": "hi", "delivery_report": "per_recipient",
      "client_reference": "link-1", "callback_url": "https://me/r?k=1&t=2",
    ]
    #expect(try JSONValue(parsing: request.body) == expected)
  }

  @Test("a template's values are escaped for where they stand, and not filled again")
  func asksGeneric() throws {
    let message = try Self.message("say \"{{from}}\" & <go>")
    let json = try Self.generic([
      "url": "https://gw.test/send?to={{to}}", "method": "PUT",
      "headers": ["Content-Type": "application/json", "X-Key": "{{secret}}"],
      "body": #"{"text":"{{text}}","ref":"{{ reference }}","x":"{{unknown}}"}"#,
    ]).request(for: message)
    #expect(json.method == "PUT")
    #expect(json.url == "https://gw.test/send?to=%2B491701234567")
    #expect(header(json, "X-Key") == "s3cret")
    #expect(text(json) == #"{"text":"say \"{{from}}\" & <go>","ref":"link-1","x":"{{unknown}}"}"#)
    let xml = try Self.generic([
      "url": "https://gw.test/", "headers": ["Content-Type": "text/xml"], "body": "<m to='{{to}}'>{{text}}</m>",
    ]).request(for: message)
    #expect(text(xml) == "<m to='+491701234567'>say &quot;{{from}}&quot; &amp; &lt;go&gt;</m>")
    let get = try Self.generic(["url": "https://gw.test/?t={{text}}&n={{to}}"]).request(for: Self.message("a&b"))
    #expect(get.method == "GET")
    #expect(get.url == "https://gw.test/?t=a%26b&n=%2B491701234567")
  }

  @Test("a text with a line break cannot add a header")
  func guardsHeaders() throws {
    let provider = try Self.generic([
      "url": "https://gw.test/?to={{to}}", "headers": ["X-Text": "{{text}}"], "method": "POST",
    ])
    #expect(throws: OutgoingError.self) { try provider.request(for: Self.message("a\r\nX-Evil: b")) }
  }

  @Test(
    "settings that cannot work are refused",
    arguments: [
      [:], ["provider": "pigeon"], ["provider": "twilio", "account": "a", "secret": "b"],
      ["provider": "vonage", "account": "a", "secret": "b", "from": "c", "url": "ftp://x"],
      ["provider": "sinch", "account": "a\nb", "secret": "b", "from": "c"], ["provider": "generic"],
      ["provider": "generic", "url": "https://x/?to={{to}}"],
      ["provider": "generic", "url": "https://x/?to={{to}}&t={{text}}", "headers": ["A": 1]],
    ] as [JSONValue])
  func refusesSettings(_ settings: JSONValue) {
    #expect(throws: OutgoingError.self) { try SMSProvider(json: settings) }
  }

  @Test(
    "the provider's name for the message is found",
    arguments: [
      ("twilio", 201, #"{"sid":"SM1","status":"queued","error_code":null}"#, "SM1"),
      ("vonage", 200, #"{"message-count":"1","messages":[{"to":"49","message-id":"0A1","status":"0"}]}"#, "0A1"),
      ("messagebird", 201, #"{"id":"e8077d80","recipients":{"totalSentCount":1}}"#, "e8077d80"),
      ("sinch", 201, #"{"id":"01FC","to":["49"],"type":"mt_text"}"#, "01FC"),
    ])
  func findsReference(_ kind: String, _ status: Int, _ body: String, _ reference: String) throws {
    let response = OutgoingResponse(status: status, body: Array(body.utf8))
    #expect(try Self.provider(kind).reference(in: response) == reference)
  }

  @Test("a template says where the name is, or that there is none")
  func findsGenericReference() throws {
    let url: [String: JSONValue] = ["url": "https://x/?to={{to}}&t={{text}}"]
    let response = OutgoingResponse(status: 200, body: Array(#"{"data":[{"id":7}]}"#.utf8))
    #expect(try Self.generic(url).reference(in: response) == nil)
    #expect(try Self.generic(url.merging(["referencePath": "data.0.id"]) { $1 }).reference(in: response) == "7")
    #expect(throws: OutgoingError.self) {
      try Self.generic(url.merging(["referencePath": "data.1.id"]) { $1 }).reference(in: response)
    }
  }

  @Test(
    "a refusal tells the provider's code and nothing of the message",
    arguments: [
      ("twilio", 400, #"{"code":21211,"message":"The 'To' number +491701234567 is not valid"}"#, "21211"),
      ("vonage", 200, #"{"messages":[{"status":"4","error-text":"Bad Credentials +491701234567"}]}"#, "error 4"),
      (
        "messagebird", 422, #"{"errors":[{"code":9,"description":"no (correct) recipients +491701234567"}]}"#, "error 9"
      ),
      ("sinch", 403, #"{"code":"unauthorized_ip","text":"+491701234567"}"#, "unauthorized_ip"),
      ("twilio", 502, "<html>+491701234567", "502"),
    ])
  func reportsRefusal(_ kind: String, _ status: Int, _ body: String, _ words: String) throws {
    let response = OutgoingResponse(status: status, body: Array(body.utf8))
    let error = try #require(throws: OutgoingError.self) { try Self.provider(kind).reference(in: response) }
    #expect(error.code == .refused)
    #expect(error.text.contains(words))
    #expect(!error.text.contains("1701234567"))
  }

  @Test(
    "numbers are brought into one form",
    arguments: [
      ("+49 170 1234567", "+491701234567"), ("0049(170)12-34.567", "+491701234567"),
      ("+1/202/555 0100", "+12025550100"),
    ])
  func normalizes(_ number: String, _ expected: String) {
    #expect(SMSMessage.normalized(number) == expected)
  }

  @Test(
    "what is no international number is refused",
    arguments: ["", "0170 1234567", "+", "+0170123456", "+49170x", "+1234567890123456", "+123456", "+４９１７０１２３４"])
  func refusesNumber(_ number: String) {
    #expect(SMSMessage.normalized(number) == nil)
  }

  @Test("descriptions show neither number, text nor secret")
  func describes() throws {
    #expect("\(try Self.message())" == "text message link-1")
    #expect("\(try Self.provider("twilio"))" == "SMS through twilio")
  }
}
