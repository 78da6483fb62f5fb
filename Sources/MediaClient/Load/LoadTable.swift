import Foundation

/// A load run's figures as plain text.
package enum LoadTable {
  /// Lines of labels and figures, warnings last.
  package static func render(_ result: LoadResult) -> String {
    var lines = [
      "\(result.target): \(result.callers) callers x \(result.viewersPerCaller) viewers, \(number(result.seconds, 1)) s measured",
      "",
    ]
    lines += rows(result).map { label, value in label.padding(toLength: 22, withPad: " ", startingAt: 0) + value }
    if !result.sessions.failures.isEmpty { lines += [""] + result.sessions.failures }
    if !result.warnings.isEmpty { lines += [""] + result.warnings.map { "Warning: \($0)" } }
    return lines.joined(separator: "\n")
  }

  /// What the table and the report both show.
  static func rows(_ result: LoadResult) -> [(label: String, value: String)] {
    let (sessions, traffic, delay) = (result.sessions, result.traffic, result.delay)
    var rows = [
      ("clip", "\(result.clip.codec), \(number(Double(result.clip.bitrate) / 1e6, 2)) Mbit/s"),
      (
        "sessions",
        "\(sessions.callers) callers, \(sessions.viewers) viewers (\(sessions.receiving) with media), "
          + "\(sessions.failed) failed, \(sessions.lost) lost"
      ),
      ("set-up: answer", text(result.setup.answered)),
      ("set-up: keys", text(result.setup.connected)),
      ("set-up: first packet", text(result.setup.firstPacket)),
      ("set-up: keyframe", text(result.setup.firstKeyframe)),
      ("set-up: live video", text(result.setup.firstLive)),
      ("sent", "\(number(traffic.sentPacketsPerSecond)) packets/s"),
      (
        "received",
        "\(number(traffic.packetsPerSecond)) packets/s, \(number(traffic.bitsPerSecond / 1e6, 1)) Mbit/s"
      ),
      (
        "lost",
        "\(traffic.lostPackets) packets (\(number(traffic.lostShare * 100, 4)) %), \(traffic.repairedPackets) repaired, "
          + "\(result.counters.duplicates) duplicates"
      ),
      (
        "forwarding delay",
        "p50 \(number(delay.p50, 3)), p90 \(number(delay.p90, 3)), p99 \(number(delay.p99, 3)), "
          + "p99.9 \(number(delay.p999, 3)), max \(number(delay.maximum, 3)) ms"
      ),
    ]
    if let server = result.server {
      rows.append(
        (
          "server",
          "\(number(server.cpuPercent, 1)) % of a core, \(number(server.microsecondsPerPacket, 2)) us/packet, "
            + "\(megabytes(server.residentBytes)) MB (peak \(megabytes(server.peakResidentBytes)))"
        ))
      if let busiest = server.threads.first {
        rows.append(("busiest thread", "\(busiest.name) \(number(busiest.cpuPercent, 1)) %"))
      }
    }
    rows.append(
      (
        "load generator",
        "\(number(result.generator.cpuPercent, 1)) % of a core, busiest thread "
          + "\(number(result.generator.busiestThreadPercent, 1)) %, \(megabytes(result.generator.residentBytes)) MB"
      ))
    return rows
  }

  /// The line that is shown every second.
  package static func progress(_ sample: LoadSample) -> String {
    var text =
      "\(number(sample.seconds)) s  \(sample.phase.rawValue)  \(sample.callers) callers, "
      + "\(sample.viewers) viewers  \(number(sample.packetsPerSecond)) packets/s  "
      + "\(number(sample.bitsPerSecond / 1e6, 1)) Mbit/s  missing \(sample.missing)  "
      + "p50 \(number(sample.p50, 2)) p99 \(number(sample.p99, 2)) ms"
    if let percent = sample.serverPercent { text += "  server \(number(percent)) %" }
    return text + "  generator \(number(sample.generatorPercent)) %"
  }

  static func number(_ value: Double, _ digits: Int = 0) -> String {
    String(format: "%.\(digits)f", value)
  }

  private static func text(_ figures: Percentiles?) -> String {
    guard let figures else { return "-" }
    return "p50 \(number(figures.p50, 1)), p99 \(number(figures.p99, 1)), max \(number(figures.maximum, 1)) ms"
  }

  private static func megabytes(_ bytes: UInt64) -> String { number(Double(bytes) / 1e6) }
}
