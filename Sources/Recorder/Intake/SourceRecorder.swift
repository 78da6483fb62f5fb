import Archive
import Incidents
import MediaFiles
import Primitives
import Relay

/// The clock of a peer, shared by the recorders of its sources; used by the intake thread alone.
final class SharedClock {
  var clock = PeerClock()
}

/// Records one source: packets in, jobs for the disk out; used by the intake thread alone.
final class SourceRecorder {
  /// Where its outputs go.
  struct Sink {
    let queue: JobQueue
    let tell: @Sendable (RecorderEvent) -> Void
    let requestKeyframe: (SSRC) -> Void
  }

  let peer: PeerID
  private let incident: IncidentID
  private let track: ManifestEntry.Track
  private let formats: [FormatIndex: RecordedPacket.Format]
  private let clock: SharedClock
  private let anchor: ClockAnchor
  private let sink: Sink
  private var recorder: TrackRecorder
  private var muxer: FragmentMuxer?
  private var segments = 0
  /// Since when the queue to the disk, or the muxer, has taken nothing.
  private var refusedSince: UTCTime?
  private var counts = RecorderStatistics()

  /// Nil when nothing of the source can be recorded.
  init?(_ source: SourceAnnouncement, clock: SharedClock, anchor: ClockAnchor, sink: Sink) {
    let name = SourceName(source)
    guard let id = TrackID(name.track) else { return nil }
    peer = source.peer
    incident = source.incident
    track = ManifestEntry.Track(
      id: id, kind: source.kind == .audio ? .audio : .video, peer: source.peer.description, source: name.source)
    formats = source.formats.mapValues(\.recorded)
    self.clock = clock
    self.anchor = anchor
    self.sink = sink
    recorder = TrackRecorder(track: id, kind: track.kind)
    submit(.track(track))
  }

  func receive(_ entry: HandoverEntry, _ payload: UnsafeRawBufferPointer) {
    guard let format = formats[entry.format] else { return }
    counts.packets += 1
    let packet = RecordedPacket(
      format: format, ssrc: entry.ssrc, sequence: entry.extended, rtpTimestamp: entry.timestamp, marker: entry.marker,
      arrival: anchor.wall(at: entry.arrival), payload: Array(payload))
    take(recorder.receive(packet, encoding: Int(entry.layer), clock: clock.clock))
  }

  func receive(report entry: HandoverEntry) {
    let report = RecordedReport(
      ssrc: entry.ssrc, rtpTimestamp: entry.timestamp, ntpTime: entry.ntpTime, arrival: anchor.wall(at: entry.arrival))
    clock.clock.update(report)
    take(recorder.receive(report, clock: clock.clock))
  }

  func advance(to now: UTCTime) {
    take(recorder.advance(to: now, clock: clock.clock))
  }

  /// Packets were lost on their way here.
  func noteOverload(at now: UTCTime) {
    take(recorder.interrupt(reason: .overload, at: now, clock: clock.clock))
    sink.tell(
      .alarm(incident, track: track.id.value, "The recorder does not keep up: packets were not recorded."))
  }

  /// Hands out the last of it.
  func end(at now: UTCTime) {
    take(recorder.end(at: now, clock: clock.clock))
    closeRefusal(at: now)
    submit(.trackEnded(track.id))
  }

  func addCounts(to total: inout RecorderStatistics) {
    total.packets += counts.packets
    total.fragments += counts.fragments
    total.bytes += counts.bytes
    total.fragmentsDropped += counts.fragmentsDropped
  }

  private func take(_ outputs: [TrackOutput]) {
    for output in outputs {
      switch output {
      case .fragment(let fragment, let beginsSegment, let layer): write(fragment, beginsSegment, layer)
      case .gap(let gap): submit(.gap(gap))
      case .clock(let pair): submit(.clock(pair))
      case .keyframeWanted(let stream): sink.requestKeyframe(stream)
      }
    }
  }

  private func write(_ fragment: MediaFragment, _ beginsSegment: Bool, _ layer: ManifestEntry.Layer?) {
    do throws(MediaFileError) {
      let muxer = try muxer(for: fragment, beginsSegment)
      let bytes = try muxer.mux(fragment)
      let job = FragmentBytes(
        track: track,
        segment: .init(
          number: segments, format: muxer.format, layer: layer, header: muxer.header, origin: muxer.start),
        bytes: bytes, start: fragment.start, duration: fragment.end - fragment.start,
        startsWithKeyframe: fragment.startsWithKeyframe, frames: fragment.frames.count)
      closeRefusal(at: fragment.start)
      guard submit(.fragment(job)) else { return refuse(fragment, "The disk does not keep up: recordings have gaps.") }
      counts.fragments += 1
      counts.bytes += bytes.count
    } catch {
      muxer = nil
      refuse(fragment, "A stream cannot be written to a file: \(error)")
    }
  }

  private func muxer(for fragment: MediaFragment, _ beginsSegment: Bool) throws(MediaFileError) -> FragmentMuxer {
    if let muxer, !beginsSegment { return muxer }
    let made = try FragmentMuxer(format: fragment.format, start: fragment.start)
    muxer = made
    segments += 1
    return made
  }

  private func refuse(_ fragment: MediaFragment, _ text: String) {
    if refusedSince == nil { refusedSince = fragment.start }
    counts.fragmentsDropped += 1
    sink.tell(.alarm(incident, track: track.id.value, text))
  }

  private func closeRefusal(at end: UTCTime) {
    guard let since = refusedSince,
      submit(.gap(.init(track: track.id, start: since, end: end, reason: .disk)))
    else { return }
    refusedSince = nil
  }

  @discardableResult
  private func submit(_ work: ArchiveJob.Work) -> Bool { sink.queue.submit(ArchiveJob(incident, work)) }
}

/// How a source is called in an archive.
private struct SourceName {
  let track: String
  /// As `media.source` events have it.
  let source: String

  init(_ source: SourceAnnouncement) {
    self.source = "s\(source.number)"
    let kind = source.kind == .audio ? "a" : "v"
    track = "\(kind)-\(source.peer.description.prefix(12))-\(source.number)"
  }
}

extension MediaFormat {
  /// What the recorder makes of it.
  fileprivate var recorded: RecordedPacket.Format {
    switch self {
    case .h264: .video(.h264)
    case .vp8: .video(.vp8)
    case .vp9: .video(.vp9)
    case .av1: .video(.av1)
    case .opus: .opus
    }
  }
}
