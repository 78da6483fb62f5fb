import Incidents
import Interchange
import JSON
import Primitives
import Testing

@Suite("AML")
struct AMLTests {
  /// ETSI TS 103 625 V1.1.1, the example of clause 6.
  private static let example =
    #"A"ML=1;lt=+54.76397;lg=-0.18305;rd=50;top=20130717141935;lc=90;pm=W;si=123456789012345;"#
    + "ei=1234567890123456;mcc=234;mnc=30;ml=128"

  @Test("the standard's example is read without a problem")
  func firstVersion() throws {
    let report = AMLReport(sms: Self.example, sender: "00447477593102")
    #expect((report.latitude, report.longitude, report.accuracy) == (54.76397, -0.18305, 50))
    #expect((report.confidence, report.method) == (90, .wifi))
    #expect(report.fixedAt == UTCTime("2013-07-17T14:19:35Z"))
    #expect(report.number == "+447477593102")
    #expect(report.problems == [])
  }

  @Test("the second version has other names")
  func secondVersion() throws {
    let text =
      #"A"ML=2;en=112;et=1619190000;lo=+54.76397,-0.18305,12.5;lt=-3;lc=95;lz=61.2,4;ls=G;ei=1;nc=23430;hc=23430;lg=en"#
    let report = AMLReport(sms: text)
    #expect((report.latitude, report.longitude, report.accuracy) == (54.76397, -0.18305, 12.5))
    #expect((report.altitude, report.altitudeAccuracy, report.confidence) == (61.2, 4, 95))
    #expect((report.method, report.emergencyNumber) == (.satellites, "112"))
    #expect(report.fixedAt == UTCTime(seconds: 1_619_189_997))
    #expect(report.problems == [])
  }

  @Test("Android's form is read: blanks for pluses, milliseconds, shares of one")
  func form() throws {
    let body =
      "v=1&device_number=+447700900123&location_latitude=55.85732&location_longitude=-4.26325"
      + "&location_time=1476189444435&location_accuracy=10.4&location_source=GPS&location_confidence=0.6827"
      + "&location_altitude=0.0&location_vertical_accuracy=3&location_bearing=90&location_speed=1.5&time=1&hmac=00"
      + "&emergency_number=112&device_imsi=234159176307582"
    let report = AMLReport(form: Array(body.utf8))
    #expect(report.number == "+447700900123")
    #expect((report.latitude, report.longitude, report.accuracy) == (55.85732, -4.26325, 10.4))
    #expect(report.confidence.map { ($0 - 68.27).magnitude < 1e-9 } == true)
    #expect(report.fixedAt == UTCTime(microseconds: 1_476_189_444_435_000))
    #expect((report.altitude, report.altitudeAccuracy, report.heading, report.speed) == (0, 3, 90, 1.5))
    #expect((report.method, report.emergencyNumber) == (.satellites, "112"))
    #expect(report.problems == [])
    #expect(!"\(report)".contains("234159176307582"), "an identifier of the subscriber was taken over")
  }

  @Test("percent encoding is undone, and what is none stands for itself")
  func percentEncoding() {
    let report = AMLReport(form: Array("device%5Fnumber=%2B49%20171%2f1234567&emergency_number=11%2&=%&&x".utf8))
    #expect(report.number == "+491711234567")
    #expect(report.emergencyNumber == "11%2")
  }

  @Test("the same fields are read from JSON, as numbers or texts")
  func json() {
    let report = AMLReport(json: [
      "location_latitude": 55.85732, "location_longitude": "-4.26325", "location_time": 1_476_189_444_435,
      "location_confidence": 83, "device_number": 447_700_900_123, "nested": ["x": 1], "location_accuracy": nil,
    ])
    #expect((report.latitude, report.longitude, report.confidence) == (55.85732, -4.26325, 83))
    #expect(report.fixedAt == UTCTime(microseconds: 1_476_189_444_435_000))
    #expect(report.number == "+447700900123")
    #expect(report.problems == [])
    #expect(AMLReport(json: [1]).problems.count == 1)
  }

  @Test("a report becomes the payload of a location event")
  func payload() throws {
    let payload = try #require(AMLReport(sms: Self.example).locationPayload(caller: "c1"))
    try EventKind.location.traits.payload.validate(payload)
    #expect(
      payload == [
        "caller": "c1", "source": "aml", "lat": 54.76397, "lon": -0.18305, "accuracy": 50, "confidence": 90,
        "fixedAt": "2013-07-17T14:19:35.000000Z",
      ])
    #expect(AMLReport(sms: #"A"ML=1;lt=+54.76397"#).locationPayload(caller: "c1") == nil)
  }

  @Test(
    "a phone that found nothing has no place",
    arguments: [
      "lt=+00.00000;lg=+000.00000;rd=-1;pm=N", "lt=+54.7;lg=+1.0;rd=N;pm=G", "lt=54.7;lg=1;rd=5;pm=N", "lt=0;lg=0;rd=9",
      "lt=54.7;rd=5", "lg=1", "lt=91;lg=1", "lt=54.7;lg=-180.1", "lt=nan;lg=1", "lt=0x10;lg=1", "lt=inf;lg=1",
      "lt=;lg=",
      "top=20130717141935",
    ])
  func noPlace(_ fields: String) {
    let report = AMLReport(sms: "A\"ML=1;\(fields)")
    #expect(!report.hasPlace)
    #expect((report.latitude, report.longitude) == (nil, nil))
    #expect(!report.problems.isEmpty)
  }

  @Test(
    "what cannot be read is told, and the rest counts",
    arguments: [
      ("rd=x", "rd"), ("top=20130732141935", "top"), ("top=2013", "top"), ("top=2013071714193５", "top"),
      ("lc=101", "lc"),
      ("pm=Q", "method"), ("ml=5", "ml"), ("rd=1e99", "rd"),
    ])
  func partly(_ field: String, _ word: String) {
    let report = AMLReport(sms: "A\"ML=1;lt=1.5;lg=2.5;\(field)")
    #expect((report.latitude, report.longitude) == (1.5, 2.5))
    #expect(report.problems.count == 1)
    #expect(report.problems.first?.contains(word) == true)
  }

  @Test("headers that gateways spoil are borne")
  func headers() {
    for header in ["AML=1", "a\"ml=1", " A\"ML = 1 "] {
      #expect(AMLReport(sms: "\(header); lt = 1,5 ;lg=2.5\r\n\u{0}").latitude == 1.5)
    }
    #expect(AMLReport(sms: "A\"ML=9;lt=1;lg=2").problems.count == 1)
    #expect(AMLReport(sms: "lt=1;lg=2").hasPlace)
  }

  @Test("input of any size is bounded")
  func bounds() {
    #expect(AMLReport(sms: String(repeating: ";", count: AMLReport.maximumBytes + 1)).problems.count == 1)
    #expect(AMLReport(form: Array(repeating: 38, count: AMLReport.maximumBytes + 1)).problems.count == 1)
    let bad = Array(repeating: (name: "location_latitude", value: String(repeating: "x", count: 999)), count: 500)
    let report = AMLReport(fields: bad)
    #expect(report.problems.count == AMLReport.maximumProblems)
    #expect(report.problems.allSatisfy { $0.count < 128 })
  }

  @Test("problems repeat neither places nor numbers, and a character of many scalars makes none of them long")
  func problems() {
    let long = "e" + String(repeating: "\u{301}", count: 5_000)
    let reports = [
      AMLReport(sms: "A\"ML=\(long);lt=91.2345;lg=-181.2345;pm=\(long)", sender: "0171 987654"),
      AMLReport(fields: [("location_latitude", "91.2345"), ("location_source", long), ("device_number", "0171 987654")]
      ),
    ]
    for text in reports.flatMap(\.problems) {
      #expect(text.utf8.count < 128)
      #expect(!text.contains("2345") && !text.contains("987654"))
    }
  }

  @Test("random bytes do no harm")
  func randomBytes() {
    var random = RandomSource.seeded(0xa31)
    let pieces = [
      "A\"ML=", "lt", "lg", "=", ";", "&", "%", "location_latitude", "+", "-", "1", "9e", ",", "device_number", "\u{0}",
    ]
    for _ in 0..<2_000 {
      let text = (0..<Int(random.next() % 24)).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined()
      for report in [AMLReport(sms: text), AMLReport(form: Array(text.utf8))] {
        guard let payload = report.locationPayload(caller: "c1") else { continue }
        #expect(throws: Never.self) { try EventKind.location.traits.payload.validate(payload) }
      }
    }
  }

  @Test(
    "numbers are brought into E.164 where it can be told what they are",
    arguments: [
      ("+44 7477 593102", nil, "+447477593102"), ("00447477593102", nil, "+447477593102"),
      ("447477593102", nil, "+447477593102"), ("tel:+1-201-555-0123", nil, "+12015550123"),
      ("0171 / 123 45 67", "49", "+491711234567"), ("+49 (171) 1234567", "49", "+491711234567"),
      ("0171 1234567", nil, nil),
      ("112", nil, nil), ("112", "49", nil), ("", nil, nil), ("+", nil, nil), ("anonymous", nil, nil),
      ("+4474775931021234567", nil, nil), ("+0447477593102", nil, nil), ("0001", nil, nil), ("0171 1234567", "x", nil),
      ("+４９1711234567", nil, nil),
    ] as [(String, String?, String?)])
  func numbers(_ text: String, _ countryCode: String?, _ expected: String?) {
    #expect(PhoneNumberText.e164(text, countryCode: countryCode) == expected)
  }
}
