import Relay

extension MediaStatistics {
  /// Sums the shards' samples under their Prometheus names.
  init(_ samples: [ShardSample]) {
    self.init(counters: [], gauges: [])
    for row in Self.shardCounters { addCounter(row.name, row.help, samples) { $0.shard[keyPath: row.path] } }
    for row in Self.relayCounters { addCounter(row.name, row.help, samples) { $0.relay[keyPath: row.path] } }
    addCounter("sightline_udp_sends_dropped_total", "Messages that the socket did not take.", samples) {
      $0.sendsDropped
    }
    addCounter("sightline_udp_send_calls_total", "System calls that sent datagrams.", samples) { $0.sendCalls }
    addGauge("sightline_peers", "Peers with a session.", samples, \.peers)
    addGauge("sightline_incidents", "Incidents with peers or listeners.", samples, \.incidents)
    addGauge("sightline_sources", "Audio and video sources.", samples, \.sources)
    addGauge(
      "sightline_mirrored_sources", "Sources that more than one media thread fans out, once for each further thread.",
      samples, \.mirrors)
    addGauge("sightline_tcp_connections", "ICE-TCP connections.", samples, \.connections)
    addGauge("sightline_realtime_media_threads", "Media threads that run in real time.", samples, \.realtime)
  }

  private mutating func addCounter(
    _ name: String, _ help: String, _ samples: [ShardSample], _ value: (ShardSample) -> UInt64
  ) {
    counters.append(Row(name: name, help: help, value: samples.reduce(0) { $0 &+ value($1) }))
  }

  private mutating func addGauge(
    _ name: String, _ help: String, _ samples: [ShardSample], _ path: KeyPath<ShardSample, Int>
  ) {
    gauges.append(Row(name: name, help: help, value: samples.reduce(0) { $0 + UInt64(max(0, $1[keyPath: path])) }))
  }

  private struct Description<Root> {
    let name: String
    let help: String
    let path: KeyPath<Root, UInt64>

    init(_ name: String, _ path: KeyPath<Root, UInt64>, _ help: String) {
      self.name = "sightline_\(name)_total"
      self.help = help
      self.path = path
    }
  }

  private static var shardCounters: [Description<ShardCounters>] {
    [
      .init("datagrams_received", \.datagramsReceived, "UDP datagrams and TCP frames received."),
      .init("datagrams_sent", \.datagramsSent, "UDP datagrams and TCP frames sent."),
      .init("bytes_sent", \.bytesSent, "Payload bytes sent."),
      .init("datagrams_without_path", \.datagramsWithoutPath, "Media for peers that have no working path."),
      .init("unknown_sender", \.unknownSender, "Datagrams from addresses that no session has proven."),
      .init("unknown_protocol", \.unknownProtocol, "Datagrams that are neither STUN nor DTLS nor media."),
      .init("foreign_stun", \.foreignSTUN, "STUN messages for no session or with the wrong password."),
      .init("media_before_keys", \.mediaBeforeKeys, "Media before the handshake was done."),
      .init("srtp_rejected", \.srtpRejected, "Media that failed authentication or was malformed."),
      .init("srtp_replayed", \.srtpReplayed, "Media that came twice or far too late."),
      .init("handshakes_done", \.handshakesDone, "DTLS handshakes completed."),
      .init("handshakes_failed", \.handshakesFailed, "DTLS handshakes that failed, wrong fingerprints included."),
      .init("handshakes_dropped", \.handshakesDropped, "DTLS datagrams dropped because too many waited."),
      .init("tcp_frames_dropped", \.tcpFramesDropped, "Frames that a slow TCP receiver left no room for."),
      .init("viewers_reduced", \.viewersReduced, "Viewers who came while the node had no room for their picture."),
      .init("viewers_refused", \.viewersRefused, "Viewers turned away because not even their sound found room."),
      .init("media_processor_nanoseconds", \.processorTime, "Processor time of the media threads."),
    ]
  }

  private static var relayCounters: [Description<RelayCounters>] {
    [
      .init("rtp_received", \.packetsReceived, "RTP packets received."),
      .init("rtp_received_bytes", \.bytesReceived, "RTP bytes received."),
      .init("rtp_forwarded", \.packetsForwarded, "RTP packets sent to viewers."),
      .init("rtp_malformed", \.malformedRTP, "RTP packets that do not parse."),
      .init("rtp_jumps", \.jumps, "RTP packets left out since their numbers were too far ahead of the last ones."),
      .init("rtcp_malformed", \.malformedRTCP, "RTCP packets that do not parse."),
      .init("rtp_unknown_ssrc", \.unknownSSRC, "RTP packets of no negotiated stream."),
      .init("rtp_unknown_format", \.unknownFormat, "RTP packets of a payload type that was not negotiated."),
      .init("rtp_duplicates", \.duplicates, "RTP packets that came twice."),
      .init("rtx_received", \.recovered, "Lost packets that callers sent again."),
      .init(
        "red_recovered", \.recoveredFromRedundancy, "Lost packets of sound that callers had repeated in later ones."),
      .init("red_sent", \.redundantSent, "Packets of sound sent with earlier ones repeated, over weak links."),
      .init("nacks_sent", \.nacksSent, "Packets asked for again from callers."),
      .init("nacks_received", \.nacksReceived, "Packets that viewers asked for again."),
      .init("rtx_sent", \.retransmitted, "Packets sent again to viewers."),
      .init(
        "rtx_missed", \.retransmissionsMissed,
        "Requests for packets that are not there: no longer kept, or lost before they came here."),
      .init("rtx_over_budget", \.retransmissionsOverBudget, "Requests beyond a viewer's budget."),
      .init("keyframes_requested", \.keyframesRequested, "Keyframe requests sent to callers."),
      .init("keyframe_requests_received", \.keyframeRequestsReceived, "Keyframe requests from viewers."),
      .init(
        "keyframe_requests_ignored", \.keyframeRequestsIgnored, "Keyframe requests of a viewer that came too often."),
      .init("keyframes_replayed", \.keyframesReplayed, "Cached keyframes sent to new viewers."),
      .init("absurd_feedback", \.absurdFeedback, "Feedback of viewers that cannot be true."),
      .init("probes_sent", \.probesSent, "Bursts sent to learn whether a viewer's link bears more."),
      .init("probe_bytes", \.paddingSent, "Bytes of those bursts."),
      .init(
        "pictures_paced", \.packetsPaced, "Times that video waited because a link or the node bears no more at once."),
      .init("replays_shortened", \.replaysShortened, "Replays to new viewers that a fresh keyframe ended."),
      .init("backlogs_abandoned", \.backlogsAbandoned, "Times that waiting video was given up for a fresh keyframe."),
      .init("rtx_late", \.retransmissionsLate, "Requests for packets that would come too late."),
      .init("views_reduced_link", \.reducedForLink, "Pictures reduced because the viewer's link bears no more."),
      .init("views_reduced_overload", \.reducedForOverload, "Pictures reduced because more urgent calls come first."),
      .init("views_raised", \.raised, "Pictures that were given more again."),
      .init("stills_sent", \.stillsSent, "Still pictures sent in place of video."),
      .init("mirrored", \.mirrored, "Packets that one media thread fanned out for another."),
      .init("mirrors_dropped", \.mirrorsDropped, "Packets that a busy media thread left no room for."),
      .init("control_dropped", \.outputsDropped, "Control messages dropped because too many waited."),
    ]
  }
}
