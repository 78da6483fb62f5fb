import JSON
import Testing

/// What RFC 8259 allows, and what RFC 7493 (I-JSON) forbids beyond.
@Suite("JSON parsing")
struct ParsingTests {
  static let good: [(String, JSONValue)] = [
    ("null", .null), (" true ", true), ("\t\r\nfalse", false), ("-0", .number(0)), ("1", 1), ("-12", -12),
    ("1.5e3", 1500), ("1E+2", 100), ("1e-2", .number(0.01)), ("9007199254740991", .number(9_007_199_254_740_991)),
    ("123456789012345678", .number(123_456_789_012_345_680)), ("1e-999", .number(0)), (#""""#, ""),
    (#""\u0041\n\/\b\f\r\t\"\\""#, "A\n/\u{8}\u{c}\r\t\"\\"), (#""\ud83d\ude00""#, "😀"), ("\"😀é\"", "😀é"),
    (#""\u0000""#, "\u{0}"), ("[]", []), ("[ ]", []), ("{}", [:]), ("{ }", [:]), ("[1,[2 , 3],{}]", [1, [2, 3], [:]]),
    (#"{"a":1 ,"b" : {"c":null}}"#, ["a": 1, "b": ["c": nil]]), (#"{"":0}"#, ["": 0]),
  ]

  @Test("texts that are JSON", arguments: good)
  func accepts(text: String, value: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == value)
  }

  static let bad: [(String, JSONError.Reason)] = [
    ("", .unexpectedEnd), (" ", .unexpectedEnd), ("nul", .unexpectedEnd), ("nulL", .unexpectedByte),
    ("True", .unexpectedByte), ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte), ("-Infinity", .unexpectedByte),
    ("1 2", .unexpectedByte), ("01", .badNumber), ("-01", .badNumber), ("1.", .badNumber), (".5", .unexpectedByte),
    ("+1", .unexpectedByte), ("1e", .badNumber), ("1e+", .badNumber), ("-", .unexpectedEnd), ("1e400", .badNumber),
    ("-1e309", .badNumber), ("0x10", .unexpectedByte), ("1_000", .unexpectedByte), ("[1,]", .unexpectedByte),
    ("[,1]", .unexpectedByte), ("[1", .unexpectedByte), ("[1 2]", .unexpectedByte), ("{", .unexpectedEnd),
    (#"{"a"}"#, .unexpectedByte), (#"{"a":}"#, .unexpectedByte), (#"{"a":1,}"#, .unexpectedByte),
    ("{a:1}", .unexpectedByte), (#"{'a':1}"#, .unexpectedByte), (#"{"a":1 "b":2}"#, .unexpectedByte),
    ("// no\n1", .unexpectedByte), ("\u{feff}1", .unexpectedByte), ("\u{a0}1", .unexpectedByte),
    (#""a"#, .unexpectedEnd), (#""\"#, .unexpectedEnd), (#""\x""#, .badString), (#""\u12"     "#, .badString),
    (#""\u12"#, .unexpectedEnd), (#""\u00zz""#, .badString), (#""\u+041""#, .badString), ("\"a\nb\"", .badString),
    ("\"\u{0}\"", .badString), ("\"\\n\u{1f}\"", .badString), ("]", .unexpectedByte), ("}", .unexpectedByte),
  ]

  @Test("texts that are none, each with its reason", arguments: bad)
  func refuses(text: String, reason: JSONError.Reason) {
    #expect(Self.reason(text) == reason)
  }

  @Test(
    "half of a surrogate pair (RFC 7493 §2.1)",
    arguments: [
      #""\ud800""#, #""\udc00""#, #""\ud800\ud800""#, #""\ud800x""#, #""\ud800\n""#, #""\udc00\ud800""#,
      #""\ud800\u0041""#,
    ])
  func refusesLoneSurrogates(text: String) {
    #expect(Self.reason(text) == .badUnicode)
  }

  static let brokenUTF8: [[UInt8]] = [
    [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
    [0x22, 0xe2, 0x82, 0x22], [0x22, 0x5c, 0x6e, 0x80, 0x22],
  ]

  @Test("bytes that are not UTF-8", arguments: brokenUTF8)
  func refusesBrokenUTF8(bytes: [UInt8]) {
    #expect(Self.reason(bytes) == .badUnicode)
  }

  /// RFC 7493 §2.3, after escapes are undone; names that Unicode counts as the same are one name as well.
  @Test(
    "two members of one name",
    arguments: [
      (#"{"a":1,"a":1}"#, 7), (#"{"a":1,"\u0061":2}"#, 7), (#"{"x":{"b":0,"c":0,"b":0}}"#, 18),
      ("{\"\u{e9}\":1,\"e\u{301}\":2}", 8),
    ])
  func refusesDuplicates(text: String, offset: Int) {
    #expect(Self.error(Array(text.utf8)).map { [$0.reason == .duplicateName, $0.offset == offset] } == [true, true])
  }

  @Test("values may nest so deeply and no deeper", arguments: [("[", "]"), (#"{"a":"#, "}")])
  func boundsDepth(opening: String, closing: String) throws {
    func nested(_ depth: Int) -> String {
      String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
    }
    _ = try JSONValue(parsing: nested(JSONValue.maximumDepth))
    #expect(Self.reason(nested(JSONValue.maximumDepth + 1)) == .tooDeep)
    #expect(Self.reason(String(repeating: opening, count: 100_000)) == .tooDeep)
  }

  @Test func boundsLength() throws {
    _ = try JSONValue(parsing: "[1,2]", limit: 5)
    #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,2]", limit: 4) }
  }

  @Test("every beginning of an object's text is refused, and none traps")
  func refusesBeginnings() throws {
    let bytes = Array(#"{"a":[1.5e3,-0,true,null,"\u00e9\ud83d\ude00"],"b":{"c":"é"}}"#.utf8)
    _ = try JSONValue(parsing: bytes)
    for length in 0..<bytes.count { #expect(Self.reason(Array(bytes.prefix(length))) != nil) }
  }

  @Test func integersAreWholeAndExact() {
    #expect(JSONValue.number(3).integer == 3)
    #expect(JSONValue.number(-9_007_199_254_740_991).integer == -9_007_199_254_740_991)
    #expect(JSONValue.number(9_007_199_254_740_992).integer == nil)
    #expect(JSONValue.number(1.5).integer == nil)
    #expect(JSONValue.number(1e300).integer == nil)
    #expect(JSONValue.string("3").integer == nil)
  }

  @Test func membersLeavesOutWhatIsMissing() {
    #expect(JSONValue.members(["a": 1, "b": nil, "c": JSONValue.null]) == ["a": 1, "c": nil])
  }

  private static func reason(_ text: String) -> JSONError.Reason? { error(Array(text.utf8))?.reason }

  private static func reason(_ bytes: [UInt8]) -> JSONError.Reason? { error(bytes)?.reason }

  private static func error(_ bytes: [UInt8]) -> JSONError? {
    do throws(JSONError) {
      _ = try JSONValue(parsing: bytes)
      return nil
    } catch {
      return error
    }
  }
}
