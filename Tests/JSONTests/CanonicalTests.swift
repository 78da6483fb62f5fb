import Foundation
import JSON
import Primitives
import Testing

/// RFC 8785 by its own examples, and what has to hold for any value.
@Suite("Canonical JSON")
struct CanonicalTests {
  /// RFC 8785, appendix B; NaN and infinities, which are errors there, have a test of their own.
  static let numbers: [(UInt64, String)] = [
    (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
    (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
    (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"), (0x4340_0000_0000_0000, "9007199254740992"),
    (0xc340_0000_0000_0000, "-9007199254740992"), (0x4430_0000_0000_0000, "295147905179352830000"),
    (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"), (0x44b5_2d02_c7e1_4af6, "1e+23"),
    (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
    (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"), (0x444b_1ae4_d6e2_ef50, "1e+21"),
    (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"), (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
    (0x41b3_de43_5555_5553, "333333333.3333332"), (0x41b3_de43_5555_5554, "333333333.33333325"),
    (0x41b3_de43_5555_5555, "333333333.3333333"), (0x41b3_de43_5555_5556, "333333333.3333334"),
    (0x41b3_de43_5555_5557, "333333333.33333343"), (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
    (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
  ]

  @Test("numbers are written as RFC 8785 lists them", arguments: numbers)
  func writesNumbers(bits: UInt64, text: String) {
    #expect(JSONValue.number(Double(bitPattern: bits)).canonical == text)
  }

  static let edges: [(Double, String)] = [
    (1e15, "1000000000000000"), (999_999_999_999_999, "999999999999999"), (-1e20, "-100000000000000000000"),
    (123e-9, "1.23e-7"), (0.5, "0.5"), (-1.5, "-1.5"), (1e100, "1e+100"), (4.5, "4.5"),
  ]

  @Test("numbers at the edges of the notations", arguments: edges)
  func writesEdges(value: Double, text: String) {
    #expect(JSONValue.number(value).canonical == text)
  }

  @Test("what is no number never reaches a text", arguments: [Double.nan, .infinity, -.infinity])
  func writesNoInfinities(value: Double) {
    #expect(JSONValue.number(value).canonical == "null")
  }

  @Test("the sample of RFC 8785 §3.2.2")
  func sampleOfTheRFC() throws {
    let text = #"""
      {
        "numbers": [333333333.33333329, 1E30, 4.50,
                    2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
      }
      """#
    let expected =
      #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#
      + #""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    #expect(try JSONValue(parsing: text).canonical == expected)
  }

  /// RFC 8785 §3.2.3: by UTF-16 code units; the emoji comes before U+FB33, which UTF-8 would put first.
  @Test("names are sorted as RFC 8785 §3.2.3 shows")
  func sortsByUTF16() throws {
    let text = #"""
      {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
       "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}
      """#
    let canonical = try JSONValue(parsing: text).canonical
    let order = [
      "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign", "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]
    let places = order.compactMap { canonical.range(of: $0)?.lowerBound }
    #expect(places.count == order.count)
    #expect(places == places.sorted())
  }

  @Test("control characters have the escapes of RFC 8785 §3.2.2.2 and no others")
  func escapes() {
    let all = (0..<0x20).map { String(Unicode.Scalar(UInt8($0))) }.joined()
    let expected =
      #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010\u0011\u0012\u0013\u0014"#
      + #"\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f""#
    #expect(JSONValue.string(all).canonical == expected)
    #expect(JSONValue.string("/\u{7f}\u{2028}é").canonical == "\"/\u{7f}\u{2028}é\"")
  }

  @Test("parsing a canonical text gives the value back, and the text again", arguments: 0..<40 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    for _ in 0..<50 {
      let value = RandomJSON.value(&random, depth: 0)
      let parsed = try JSONValue(parsing: value.canonical)
      #expect(parsed == value)
      #expect(parsed.canonical == value.canonical)
    }
  }

  @Test("Foundation reads the same out of a canonical text", arguments: 1_000..<1_010 as Range<UInt64>)
  func agreesWithFoundation(seed: UInt64) throws {
    var random = RandomSource.seeded(seed)
    for _ in 0..<50 {
      let value = RandomJSON.value(&random, depth: 0)
      let foreign = try JSONSerialization.jsonObject(with: Data(value.canonicalBytes), options: [.fragmentsAllowed])
      #expect(RandomJSON.isSame(value, foreign), "\(value.canonical)")
    }
  }
}

/// Seeded values of every shape.
enum RandomJSON {
  static func value(_ random: inout RandomSource, depth: Int) -> JSONValue {
    switch random.next() % (depth < 4 ? 7 : 5) {
    case 0: return .null
    case 1: return .bool(random.next() % 2 == 0)
    case 2: return .number(number(&random))
    case 3, 4: return .string(text(&random))
    case 5: return .array((0..<Int(random.next() % 5)).map { _ in value(&random, depth: depth + 1) })
    default:
      var members: [String: JSONValue] = [:]
      for _ in 0..<Int(random.next() % 5) { members[text(&random)] = value(&random, depth: depth + 1) }
      return .object(members)
    }
  }

  private static func number(_ random: inout RandomSource) -> Double {
    switch random.next() % 3 {
    case 0: return Double(Int64(truncatingIfNeeded: random.next()) >> Int64(random.next() % 60))
    case 1: return Double(Int64(truncatingIfNeeded: random.next()) % 1_000_000) / 1_000
    default:
      let value = Double(bitPattern: random.next())
      return value.isFinite && value != 0 ? value : 0.1
    }
  }

  private static func text(_ random: inout RandomSource) -> String {
    let alphabet: [Unicode.Scalar] = [
      "a", "Z", "0", " ", "\"", "\\", "/", "\n", "\t", "\u{0}", "\u{1f}", "\u{7f}", "é", "ö", "€", "\u{2028}",
      "\u{ffff}", "\u{fb33}", "😀", "𝄞",
    ]
    var scalars = String.UnicodeScalarView()
    for _ in 0..<Int(random.next() % 8) { scalars.append(alphabet[Int(random.next() % UInt64(alphabet.count))]) }
    return String(scalars)
  }

  static func isSame(_ value: JSONValue, _ foreign: Any) -> Bool {
    switch value {
    case .null: return foreign is NSNull
    case .bool(let bool): return (foreign as? NSNumber)?.boolValue == bool
    case .number(let number):
      // Foundation keeps many digits as Decimal, whose way to Double rounds once more.
      guard let other = (foreign as? NSNumber)?.doubleValue else { return false }
      return abs(other - number) <= 4 * number.ulp
    case .string(let text): return foreign as? String == text
    case .array(let values):
      guard let others = foreign as? [Any], others.count == values.count else { return false }
      return zip(values, others).allSatisfy { isSame($0, $1) }
    case .object(let members):
      guard let others = foreign as? [String: Any], others.count == members.count else { return false }
      return members.allSatisfy { name, value in others[name].map { isSame(value, $0) } ?? false }
    }
  }
}
