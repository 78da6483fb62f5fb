import ControlRoom
import MediaServer
import Recorder

/// Writes the text format that Prometheus reads (exposition format 0.0.4).
package struct PrometheusText {
  package enum Kind: String {
    case counter
    case gauge
  }

  package private(set) var text = ""

  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// One metric without labels.
  mutating func add(_ name: String, _ kind: Kind, help: String, _ value: UInt64) {
    add(name, kind, help: help, samples: [("", value)])
  }

  /// One metric with one sample a value of `label`; nothing when there is none.
  mutating func add(_ name: String, _ kind: Kind, help: String, by label: String, _ values: [String: UInt64]) {
    let samples = values.sorted { $0.key < $1.key }.map { ("{\(label)=\"\($0.key)\"}", $0.value) }
    add(name, kind, help: help, samples: samples)
  }

  private mutating func add(_ name: String, _ kind: Kind, help: String, samples: [(labels: String, value: UInt64)]) {
    guard !samples.isEmpty else { return }
    let line = help.split(whereSeparator: \.isNewline).joined(separator: " ")
    text += "# HELP \(name) \(line.replacing("\\", with: "\\\\"))\n# TYPE \(name) \(kind.rawValue)\n"
    for sample in samples {
      text += "\(name)\(sample.labels) \(sample.value)\n"
    }
  }
}

extension PrometheusText {
  /// Everything that this node counts.
  package init(
    media: MediaStatistics, gateway: GatewayMetrics.Values, sessions: Int, room: ControlRoom? = nil,
    webhooks: WebhookDesk? = nil, space: ArchiveSpace.Reading? = nil, recorder: RecorderStatistics? = nil
  ) {
    for row in media.counters { add(row.name, .counter, help: row.help, row.value) }
    for row in media.gauges { add(row.name, .gauge, help: row.help, row.value) }
    let classes = Dictionary(uniqueKeysWithValues: gateway.requestsByClass.map { ("\($0.key)xx", $0.value) })
    add("sightline_http_requests_total", .counter, help: "Answers by class of status.", by: "class", classes)
    add(
      "sightline_rejected_tokens_total", .counter, help: "Refused access tokens by reason.", by: "reason",
      gateway.rejectedTokensByReason)
    add("sightline_websocket_clients", .gauge, help: "WebSockets that are open.", gateway.webSockets)
    add("sightline_websockets_opened_total", .counter, help: "WebSockets since the start.", gateway.webSocketsOpened)
    add(
      "sightline_websocket_slow_consumers_total", .counter,
      help: "WebSockets closed because they did not read.", gateway.slowConsumers)
    add(
      "sightline_websockets_closed_total", .counter,
      help: "WebSockets that the server closed, by code (RFC 6455 §7.4).",
      by: "code",
      Dictionary(uniqueKeysWithValues: gateway.webSocketsClosedByCode.map { (String($0.key), $0.value) }))
    add("sightline_signalling_sessions", .gauge, help: "Sessions that are not known to be over.", UInt64(sessions))
    if let room { add(room) }
    if let webhooks { add(webhooks) }
    if let space, space.diskCapacity > 0 { add(space) }
    if let recorder { add(recorder) }
  }

  private mutating func add(_ recorder: RecorderStatistics) {
    add("sightline_recorded_sources", .gauge, help: "Sources that are being recorded.", UInt64(recorder.sources))
    add("sightline_recorded_packets_total", .counter, help: "Packets that were recorded.", UInt64(recorder.packets))
    add("sightline_recorded_bytes_total", .counter, help: "Bytes of recorded media.", UInt64(recorder.bytes))
    add(
      "sightline_recorder_packets_dropped_total", .counter,
      help: "Packets that were not recorded because the recorder did not keep up.", UInt64(recorder.packetsDropped))
    add(
      "sightline_recorder_fragments_dropped_total", .counter,
      help: "Half seconds that were not recorded because the disk did not keep up.", UInt64(recorder.fragmentsDropped))
    add(
      "sightline_recorder_waiting_bytes", .gauge, help: "Bytes on their way to the disk.",
      UInt64(recorder.bytesWaiting))
  }

  private mutating func add(_ space: ArchiveSpace.Reading) {
    add("sightline_archive_bytes", .gauge, help: "Bytes of all recordings.", UInt64(max(0, space.archive)))
    add("sightline_archive_quota_bytes", .gauge, help: "Bytes that they may take.", UInt64(max(0, space.quota)))
    add("sightline_archive_disk_free_bytes", .gauge, help: "Bytes free on their disk.", UInt64(max(0, space.diskFree)))
    add("sightline_archive_disk_bytes", .gauge, help: "Bytes of their disk.", UInt64(max(0, space.diskCapacity)))
  }

  private mutating func add(_ webhooks: WebhookDesk) {
    let counted = webhooks.statistics
    add(
      "sightline_webhook_deliveries_total", .counter, help: "Events that another system has taken.",
      UInt64(counted.delivered))
    add(
      "sightline_webhook_failed_tries_total", .counter, help: "Calls of another system that failed.",
      UInt64(counted.failedTries))
    add(
      "sightline_webhook_dead_letters", .gauge, help: "Deliveries that were given up.",
      UInt64(max(0, webhooks.deadLetterCount)))
  }

  /// What the control room counts.
  private mutating func add(_ room: ControlRoom) {
    add("sightline_journal_events_total", .counter, help: "Durable events since the start.", room.counters.events)
    add(
      "sightline_journal_failures_total", .counter, help: "Commits that failed; after one the node takes nothing more.",
      room.counters.failures)
    let written = room.journalStatistics
    add("sightline_journal_commits_total", .counter, help: "Commits, each with one fsync.", UInt64(written.commits))
    add("sightline_incidents_in_memory", .gauge, help: "Incidents in memory.", UInt64(room.incidentCount))
    add(
      "sightline_metadata_connections", .gauge, help: "Carriers of the metadata channel.", UInt64(room.connectionCount))
    add(
      "sightline_refused_messages_total", .counter, help: "Refused messages and requests by code.", by: "code",
      Dictionary(uniqueKeysWithValues: room.counters.refused.map { ($0.code.rawValue, $0.count) }))
  }
}
