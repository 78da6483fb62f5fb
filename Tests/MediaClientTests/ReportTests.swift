import Foundation
import MediaClient
import Testing

@Suite("Load reports")
struct ReportTests {
  /// A result as `--json` prints it.
  private static func result(
    target: String = "http://a.example", warnings: [String] = [], server: Bool = true
  ) throws -> LoadResult {
    let sample = { (second: Int) in
      """
      {"seconds": \(second), "phase": "measuring", "callers": 1, "viewers": 100, "packetsPerSecond": \(28_000 + second),
       "bitsPerSecond": 2.1e8, "missing": 0, "p50": 1.2, "p99": \(Double(second) * 1.5), "maximum": 10,
       "serverPercent": 12.5, "serverResidentBytes": 90000000, "generatorPercent": 6.5}
      """
    }
    let set = #"{"count": 100, "p50": 6.04, "p99": 11.6, "maximum": 13.5}"#
    let process = """
      "server": {"cpuPercent": 12.4, "microsecondsPerPacket": 4.45, "microsecondsPerNumber": 3.1, "residentBytes": 90000000,
       "peakResidentBytes": 95000000, "threads": [{"name": "media-0", "cpuPercent": 6.2}]},
      """
    let text = """
      {"target": "\(target)", "callers": 1, "viewersPerCaller": 100, "seconds": 5,
       "clip": {"codec": "VP8", "bitrate": 2010000},
       "sessions": {"callers": 1, "viewers": 100, "receiving": 99, "failed": 0, "lost": 1, "failures": ["viewer 3 was lost"]},
       "setup": {"answered": \(set), "connected": \(set), "firstPacket": \(set)},
       "traffic": {"sentPacketsPerSecond": 279.4, "packetsPerSecond": 27854, "bitsPerSecond": 210300000,
        "lostPackets": 14, "lostShare": 0.0001, "repairedPackets": 3},
       "delay": {"packets": 139270, "mean": 1.4, "p50": 1.211, "p90": 3.8, "p99": 6.659, "p999": 10.26, "maximum": 10.4,
        "distribution": [{"percentile": 0, "milliseconds": 0.1}, {"percentile": 50, "milliseconds": 1.2},
         {"percentile": 99.99, "milliseconds": 10.4}]},
       \(server ? process : "")
       "generator": {"cpuPercent": 12.4, "busiestThreadPercent": 6.1, "residentBytes": 90000000},
       "counters": {"packets": 139270, "bytes": 1, "retransmissions": 3, "repaired": 3, "duplicates": 2, "unstamped": 0,
        "rejected": 0, "unknown": 0, "requests": 17, "keyframeRequests": 0, "sent": 1397, "skipped": 0, "resent": 0,
        "expected": 139284, "distinct": 139270},
       "warnings": [\(warnings.map { "\"\($0)\"" }.joined(separator: ","))],
       "series": [\((1...8).map(sample).joined(separator: ","))]}
      """
    return try JSONDecoder().decode(LoadResult.self, from: Data(text.utf8))
  }

  @Test func `the table is plain text in fixed columns`() throws {
    #expect(
      LoadTable.render(try Self.result(warnings: ["slow"])) == """
        http://a.example: 1 callers x 100 viewers, 5.0 s measured

        clip                  VP8, 2.01 Mbit/s
        sessions              1 callers, 100 viewers (99 with media), 0 failed, 1 lost
        set-up: answer        p50 6.0, p99 11.6, max 13.5 ms
        set-up: keys          p50 6.0, p99 11.6, max 13.5 ms
        set-up: first packet  p50 6.0, p99 11.6, max 13.5 ms
        set-up: keyframe      -
        set-up: live video    -
        sent                  279 packets/s
        received              27854 packets/s, 210.3 Mbit/s
        lost                  14 packets (0.0100 %), 3 repaired, 2 duplicates
        forwarding delay      p50 1.211, p90 3.800, p99 6.659, p99.9 10.260, max 10.400 ms
        server                12.4 % of a core, 4.45 us/packet, 90 MB (peak 95)
        busiest thread        media-0 6.2 %
        load generator        12.4 % of a core, busiest thread 6.1 %, 90 MB

        viewer 3 was lost

        Warning: slow
        """)
  }

  @Test func `the page is self-contained and has every plot`() throws {
    let page = LoadReport.render(try Self.result(target: "<b>&"))
    #expect(page.hasPrefix("<!doctype html>") && page.hasSuffix("</html>\n"))
    #expect(page.components(separatedBy: "<svg ").count == 6)
    // Five plots; the delay and the processor plot have two lines.
    #expect(page.components(separatedBy: "<polyline ").count == 8)
    #expect(page.contains("&lt;b&gt;&amp;") && !page.contains("<b>"))
    for reference in ["http:", "https:", "src=", "href=", "url(", "@import"] { #expect(!page.contains(reference)) }
    for number in ["nan", "inf"] { #expect(!page.contains(number)) }
  }

  @Test func `a line goes from its first to its last value`() throws {
    let page = LoadReport.render(try Self.result())
    // p99 rises from 1.5 to 12 under marks up to 15; the plot is 720 wide with margins of 62 and 14.
    #expect(page.contains(#"points="62.0,199.2 "#))
    #expect(page.contains(#"706.0,53.6"/>"#))
  }

  @Test func `without the server's process there is no figure and no line for it`() throws {
    let result = try Self.result(server: false)
    #expect(!LoadTable.render(result).contains("us/packet"))
    #expect(LoadReport.render(result).components(separatedBy: "<polyline ").count == 7)
  }
}
