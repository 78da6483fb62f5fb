import ControlRoom
import Incidents
import JSON
import Testing

/// The envelope that clients send.
@Suite("Client envelopes")
struct ClientMetadataTests {
  static let bad: [(String, Refusal.Code)] = [
    ("", .badEnvelope), ("[]", .badEnvelope), ("{", .badEnvelope), (#"{"v":1}"#, .badEnvelope),
    (#"{"kind":"chat","incident":"a"}"#, .wrongVersion), (#"{"v":2,"kind":"chat","incident":"a"}"#, .wrongVersion),
    (#"{"v":"1","kind":"chat","incident":"a"}"#, .wrongVersion),
    (#"{"v":1,"kind":"dance","incident":"a"}"#, .unknownKind),
    (#"{"v":1,"kind":"chat"}"#, .badEnvelope), (#"{"v":1,"kind":"chat","incident":"a b"}"#, .badEnvelope),
    (#"{"v":1,"kind":"chat","incident":7}"#, .badEnvelope),
    (#"{"v":1,"id":7,"kind":"chat","incident":"a"}"#, .badEnvelope),
    (#"{"v":1,"id":"","kind":"chat","incident":"a"}"#, .badEnvelope),
    (#"{"v":1,"kind":"subscribe","incident":"a","after":-1}"#, .badEnvelope),
    (#"{"v":1,"kind":"subscribe","incident":"a","after":1.5}"#, .badEnvelope),
    (#"{"v":1,"kind":"subscribe","incident":"a","after":"1"}"#, .badEnvelope),
    (#"{"v":1,"kind":"list","scope":"world"}"#, .badEnvelope),
    (#"{"v":1,"kind":"list","scope":{"unit":""}}"#, .badEnvelope),
    (#"{"v":1,"kind":"list","scope":{"area":{"lat":91,"lon":0,"radius":10}}}"#, .badEnvelope),
    (#"{"v":1,"kind":"list","scope":{"area":{"lat":1,"lon":0,"radius":500001}}}"#, .badEnvelope),
    (#"{"v":1,"kind":"list","scope":{"area":{"lat":1,"lon":0}}}"#, .badEnvelope),
    (#"{"v":1,"v":1,"kind":"chat","incident":"a"}"#, .badEnvelope),
    (#"{"v":1,"kind":"location","incident":"a","payload":{"lat":NaN}}"#, .badEnvelope),
  ]

  @Test("messages that are none", arguments: bad)
  func refuses(text: String, code: Refusal.Code) {
    #expect(Self.misunderstanding(text)?.refusal.code == code)
    #expect(Self.misunderstanding(text)?.refusal.text.isEmpty == false)
  }

  @Test func answersReferToTheIDWhereThereIsOne() {
    #expect(Self.misunderstanding(#"{"v":1,"id":"x","kind":"dance"}"#)?.id == "x")
    let long = String(repeating: "x", count: 65)
    #expect(Self.misunderstanding(#"{"v":1,"id":"\#(long)","kind":"chat","incident":"a"}"#)?.id == .some(nil))
  }

  @Test func lengthIsBoundedBeforeAnythingIsParsed() {
    let text = String(repeating: "[", count: 1_001)
    #expect(Self.misunderstanding(text)?.refusal.code == .tooLarge)
  }

  @Test("every event kind can be said", arguments: EventKind.allCases)
  func kinds(kind: EventKind) throws {
    #expect(ClientMetadata.isKind(kind.rawValue))
    let text = #"{"v":1,"id":"k","kind":"\#(kind.rawValue)","incident":"a","payload":{"x":1}}"#
    let message = try ClientMetadata(parsing: text, limit: 1_000)
    guard case .submit(kind, let incident, ["x": 1]) = message.request else {
      Issue.record("\(message.request)")
      return
    }
    #expect(incident.value == "a" && message.id == "k")
  }

  @Test func scopes() throws {
    func scope(_ text: String) throws -> FeedScope? {
      guard case .list(let scope) = try ClientMetadata(parsing: text, limit: 1_000).request else {
        return .unit("none")
      }
      return scope
    }
    #expect(try scope(#"{"v":1,"kind":"list"}"#) == .agency)
    #expect(try scope(#"{"v":1,"kind":"list","scope":"agency"}"#) == .agency)
    #expect(try scope(#"{"v":1,"kind":"list","scope":"none"}"#) == nil)
    #expect(try scope(#"{"v":1,"kind":"list","scope":{"unit":"medic-7"}}"#) == .unit("medic-7"))
    #expect(
      try scope(#"{"v":1,"kind":"list","scope":{"area":{"lat":1,"lon":2,"radius":3}}}"#)
        == .area(latitude: 1, longitude: 2, radius: 3))
  }

  private static func misunderstanding(_ text: String) -> ClientMetadata.Misunderstanding? {
    do throws(ClientMetadata.Misunderstanding) {
      _ = try ClientMetadata(parsing: text, limit: 1_000)
      return nil
    } catch {
      return error
    }
  }
}
