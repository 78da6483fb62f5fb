import JSON
import Testing

/// One description that checks values and prints itself.
@Suite("Schema")
struct SchemaTests {
  static let good: [(Schema, JSONValue)] = [
    (.string(1...3), "abc"), (.string(1...3), "😀é\n"), (.string(0...1), ""), (.string(1...9), "\u{8}\t\r\n"),
    (.choice(["a", "b"]), "b"), (.number(-90...90), -90), (.number(-90...90), 12.5), (.integer(1...5), 5),
    (.integer(1...5), .number(2.0)), (.boolean, false), (.array(.boolean, count: 0...2), []),
    (.array(.boolean, count: 0...2), [true, false]), (.dictionary(.integer(0...9), maximumCount: 2), ["x": 1, "y": 2]),
    (.any, nil), (.any, [1, "a"]), (.nullable(.integer(1...5)), nil), (.nullable(.integer(1...5)), 5),
    (.object([.optional("height", .nullable(.integer(1...5)), "A height.")]), ["height": nil]), (.object([]), [:]),
    (position, ["lat": 1, "lon": 2]),
    (position, ["lat": 1, "lon": 2, "note": "here"]),
    (.string(1...40, format: .dateTime), "2026-11-23T03:11:22Z"), (.string(1...9, format: .identifier), "a-Z_9"),
    (.string(6...16, format: .phoneNumber), "+4930112"), (.string(64...64, format: .sha256), .string(hash)),
    (.string(1...99, format: .email), "a@b.example"), (.string(1...99, format: .uri), "https://a.example/?b=c"),
  ]

  @Test("values that fit", arguments: good)
  func accepts(schema: Schema, value: JSONValue) throws {
    try schema.validate(value)
  }

  static let bad: [(Schema, JSONValue, String)] = [
    (.string(1...3), "", "has to be text of 1 to 3 characters."),
    (.string(1...3), "abcd", "has to be text of 1 to 3 characters."),
    (.string(1...3), 1, "has to be text of 1 to 3 characters."),
    (.string(1...3), "a\u{1b}", "has a control character in it. Leave it out; tabs and new lines are taken."),
    (.string(1...3), "\u{0}", "has a control character in it. Leave it out; tabs and new lines are taken."),
    (.string(1...3), "\u{85}", "has a control character in it. Leave it out; tabs and new lines are taken."),
    (.choice(["a", "b"]), "c", #"has to be one of "a", "b"."#),
    (.choice(["a", "b"]), nil, #"has to be one of "a", "b"."#),
    (.number(-90...90), 90.000001, "has to be a number from -90 to 90."),
    (.number(-90...90), "1", "has to be a number from -90 to 90."),
    (.number(0...1), .number(.nan), "has to be a number from 0 to 1."),
    (.number(0...1), .number(.infinity), "has to be a number from 0 to 1."),
    (.integer(1...5), 0, "has to be a whole number from 1 to 5."),
    (.integer(1...5), 1.5, "has to be a whole number from 1 to 5."),
    (.integer(1...5), .number(1e300), "has to be a whole number from 1 to 5."),
    (.nullable(.integer(1...5)), 6, "has to be a whole number from 1 to 5."),
    (.boolean, 1, "has to be true or false."),
    (.array(.boolean, count: 1...2), [], "has to be a list of 1 to 2 values."),
    (.array(.boolean, count: 1...2), [true, true, true], "has to be a list of 1 to 2 values."),
    (.array(.boolean, count: 1...2), [true, 0], "[1]: has to be true or false."),
    (.dictionary(.boolean, maximumCount: 1), ["a": true, "b": true], "has to be an object of at most 1 members."),
    (.dictionary(.boolean, maximumCount: 1), ["a": 1], "a: has to be true or false."),
    (.dictionary(.boolean, maximumCount: 1), ["": true], "has to be text of 1 to 64 characters."),
    (.object([]), [], "has to be an object."),
    (position, ["lat": 1], "lon: is missing."),
    (position, ["lat": nil, "lon": 1], "lat: has to be a number from -90 to 90."),
    (position, ["lat": 1, "lon": 2, "note": nil], "note: is null. Leave it out instead."),
    (position, ["lat": 1, "lon": 2, "x": 3], "x: is not known here. Known: lat, lon, note."),
    (
      .object([.required("position", position, "Where.")]), ["position": ["lat": 91, "lon": 0]],
      "position.lat: has to be a number from -90 to 90."
    ),
    (
      .array(position, count: 0...2), [["lat": 1, "lon": 1], ["lat": 1, "lon": "x"]],
      "[1].lon: has to be a number from -180 to 180."
    ),
    (.string(1...40, format: .dateTime), "yesterday", "has to be text of 1 to 40 characters (date-time)."),
    (.string(1...9, format: .identifier), "a b", "has to be text of 1 to 9 characters (identifier)."),
    (.string(1...9, format: .identifier), "ä", "has to be text of 1 to 9 characters (identifier)."),
    (.string(6...16, format: .phoneNumber), "4930112", "has to be text of 6 to 16 characters (phone-number)."),
    (.string(6...16, format: .phoneNumber), "+49 30112", "has to be text of 6 to 16 characters (phone-number)."),
    (.string(64...64, format: .sha256), .string(hash.uppercased()), "has to be text of 64 to 64 characters (sha256)."),
    (.string(1...99, format: .email), "a@b@c", "has to be text of 1 to 99 characters (email)."),
    (.string(1...99, format: .email), "a@b, c", "has to be text of 1 to 99 characters (email)."),
    (.string(1...99, format: .uri), "javascript:1", "has to be text of 1 to 99 characters (uri)."),
  ]

  @Test("values that do not fit, with place and words", arguments: bad)
  func refuses(schema: Schema, value: JSONValue, text: String) {
    #expect(Self.error(schema, value)?.description == text)
  }

  @Test("a text of a million characters is refused as one that is too long")
  func refusesLongText() {
    #expect(Self.error(.string(1...10), .string(String(repeating: "a", count: 1_000_000))) != nil)
  }

  @Test("an unknown name is cut in the answer")
  func cutsNames() {
    #expect(Self.error(.object([]), .object([String(repeating: "x", count: 5_000): 1]))?.path.count == 64)
  }

  /// JSON Schema, draft 2020-12, validation vocabulary: names and shapes of the keywords.
  @Test func documentIsJSONSchema() {
    let document = Schema.object([
      .required("text", .string(1...9), "A text."), .required("when", .string(20...40, format: .dateTime), "A time."),
      .optional("id", .string(1...9, format: .identifier), "A name."), .optional("word", .choice(["a"]), "A word."),
      .optional("number", .number(0...1.5), "A number."), .optional("count", .integer(0...7), "A count."),
      .optional("flag", .boolean, "A flag."), .optional("list", .array(.boolean, count: 1...2), "A list."),
      .optional("map", .dictionary(.any, maximumCount: 3), "A map."), .optional("any", .any, "Anything."),
      .optional("limit", .nullable(.integer(0...7)), "A limit."),
      .optional("choice", .nullable(.choice(["a"])), "A choice."),
    ]).document
    #expect(document["type"] == "object")
    #expect(document["additionalProperties"] == false)
    #expect(document["required"] == ["text", "when"])
    let properties = document["properties"]?.object ?? [:]
    #expect(properties.count == 12)
    #expect(properties["text"]?["minLength"] == 1 && properties["text"]?["maxLength"] == 9)
    #expect(properties["text"]?["pattern"]?.string != nil)
    #expect(properties["when"]?["format"] == "date-time")
    #expect(properties["id"]?["pattern"] == "^[A-Za-z0-9_-]+$")
    #expect(properties["word"] == ["type": "string", "enum": ["a"], "description": "A word."])
    #expect(properties["number"] == ["type": "number", "minimum": 0, "maximum": 1.5, "description": "A number."])
    #expect(properties["count"] == ["type": "integer", "minimum": 0, "maximum": 7, "description": "A count."])
    #expect(properties["flag"] == ["type": "boolean", "description": "A flag."])
    #expect(properties["list"]?["items"] == ["type": "boolean"])
    #expect(properties["list"]?["minItems"] == 1 && properties["list"]?["maxItems"] == 2)
    #expect(properties["map"]?["maxProperties"] == 3 && properties["map"]?["additionalProperties"] == [:])
    #expect(
      properties["limit"]
        == ["type": ["integer", "null"], "minimum": 0, "maximum": 7, "description": "A limit."])
    #expect(properties["choice"]?["enum"] == ["a", nil])
    #expect(properties["any"] == ["description": "Anything."])
  }

  @Test("what the document's pattern for text says is what is checked")
  func patternAgreesWithTheCheck() throws {
    let pattern = try #require(Schema.string(1...1).document["pattern"]?.string)
    let expression = try Regex(pattern).matchingSemantics(.unicodeScalar)
    for value in 0..<UInt32(0x100) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let isAccepted = Self.error(.string(1...1), .string(String(scalar))) == nil
      let isMatched = try expression.wholeMatch(in: String(scalar)) != nil
      #expect(isAccepted == isMatched, "U+\(String(value, radix: 16))")
    }
  }

  static let position = Schema.object([
    .required("lat", .number(-90...90), "Latitude."), .required("lon", .number(-180...180), "Longitude."),
    .optional("note", .string(1...9), "A note."),
  ])
  static let hash = String(repeating: "0a", count: 32)

  private static func error(_ schema: Schema, _ value: JSONValue) -> SchemaError? {
    do throws(SchemaError) {
      try schema.validate(value)
      return nil
    } catch {
      return error
    }
  }
}
