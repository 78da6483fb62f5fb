import Foundation
import Primitives
import Testing

@Suite("UTC time")
struct UTCTimeTests {
  /// Seconds since 1970 by `date -u -d … +%s`.
  static let known: [(String, Int64)] = [
    ("1970-01-01T00:00:00Z", 0), ("2000-02-29T00:00:00Z", 951_782_400), ("1900-03-01T00:00:00Z", -2_203_891_200),
    ("2026-11-23T03:11:22Z", 1_795_403_482), ("1969-12-31T23:59:59Z", -1), ("0000-01-01T00:00:00Z", -62_167_219_200),
    ("9999-12-31T23:59:59Z", 253_402_300_799), ("2024-12-31T23:59:59Z", 1_735_689_599),
    ("1985-04-12T23:20:50Z", 482_196_050),
  ]

  @Test("known times are read and written", arguments: known)
  func readsKnown(text: String, seconds: Int64) throws {
    let time = try #require(UTCTime(text))
    #expect(time == UTCTime(seconds: seconds))
    #expect(time.text(fractionDigits: 0) == text)
  }

  /// The first four are the examples of RFC 3339 §5.8.
  @Test(
    "offsets, fractions and leap seconds",
    arguments: [
      ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000Z"),
      ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000000Z"),
      ("1990-12-31T23:59:60Z", "1990-12-31T23:59:59.000000Z"),
      ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000Z"),
      ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000000Z"), ("2026-01-01 00:00:00Z", "2026-01-01T00:00:00.000000Z"),
      ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00.000000Z"),
      ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z"),
      ("2026-01-01T00:00:00.000001+00:00", "2026-01-01T00:00:00.000001Z"),
      ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    ])
  func reads(text: String, expected: String) {
    #expect(UTCTime(text)?.description == expected)
  }

  @Test(
    "what is no time",
    arguments: [
      "", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00Z", "2026-1-01T00:00:00Z",
      "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+24:00",
      "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00Zx", " 2026-01-01T00:00:00Z",
      "-026-01-01T00:00:00Z", "+2026-01-01T00:00:00Z", "２０２６-01-01T00:00:00Z", "2026-01-01X00:00:00Z",
      // Their offsets lead out of the years that can be written.
      "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    ])
  func refuses(text: String) {
    #expect(UTCTime(text) == nil)
  }

  @Test("any time of four-digit years reads back", arguments: 0..<20 as Range<UInt64>)
  func roundTrip(seed: UInt64) {
    var random = RandomSource.seeded(seed)
    let span = UInt64(253_402_300_800 + 62_167_219_200) * 1_000_000
    for _ in 0..<200 {
      let time = UTCTime(microseconds: Int64(random.next() % span) - 62_167_219_200_000_000)
      #expect(UTCTime(time.description) == time, "\(time)")
    }
  }

  @Test("Foundation names the same days", arguments: 0..<4 as Range<UInt64>)
  func agreesWithFoundation(seed: UInt64) throws {
    var random = RandomSource.seeded(seed &+ 77)
    let formatter = ISO8601DateFormatter()
    for _ in 0..<200 {
      // From 1600 on: Foundation's calendar is Julian before 1582.
      let seconds = Int64(random.next() % 265_000_000_000) - 11_676_096_000
      let text = UTCTime(seconds: seconds).text(fractionDigits: 0)
      #expect(formatter.string(from: Date(timeIntervalSince1970: Double(seconds))) == text)
    }
  }

  @Test("the ends of the clock saturate and print", arguments: [Int64.min, .max])
  func ends(microseconds: Int64) {
    let time = UTCTime(microseconds: microseconds)
    #expect(!time.description.isEmpty)
    #expect(time + .seconds(microseconds > 0 ? 1 : -1) == time)
    #expect((UTCTime(microseconds: .max) - UTCTime(microseconds: .min)).nanoseconds == .max)
    #expect((UTCTime(microseconds: .min) - UTCTime(microseconds: .max)).nanoseconds == .min)
    #expect(UTCTime(seconds: microseconds) == time)
  }

  @Test func secondsRoundDown() {
    #expect(UTCTime(microseconds: -1).seconds == -1)
    #expect(UTCTime(microseconds: 1_999_999).seconds == 1)
    #expect(UTCTime(microseconds: 5) - UTCTime(microseconds: 3) == .microseconds(2))
  }

  @Test func fractionsAreCut() {
    let time = UTCTime(microseconds: 1_999_999)
    #expect(time.text(fractionDigits: 3) == "1970-01-01T00:00:01.999Z")
    #expect(time.text(fractionDigits: 9) == "1970-01-01T00:00:01.999999Z")
    #expect(time.text(fractionDigits: -1) == "1970-01-01T00:00:01Z")
  }
}
