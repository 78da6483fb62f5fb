import JSON
import Primitives

/// What our own player needs to play an archive, or to go on playing one that grows.
///
/// All times are whole microseconds from the epoch, which is when the incident was opened.
package struct ReplayPlaylist: Sendable {
  /// Where an archive stands.
  package enum State: String, Hashable, Sendable {
    /// Nothing is recorded (yet).
    case none
    /// The incident goes on, and so may the recording.
    case live
    /// The incident is over and the archive not sealed: soon it will be, or the server has ended meanwhile.
    case unsealed
    case sealed
  }

  package let contents: ArchiveContents
  package let epoch: UTCTime
  /// Bytes that a part is longer on the disk than a player is given.
  package let overhead: Int
  package let isLive: Bool
  /// What is wrong with the archive, in words; what came before it can be played.
  package let problem: String?

  package init(
    _ contents: ArchiveContents, epoch: UTCTime, overhead: Int = 0, isLive: Bool, problem: String? = nil
  ) {
    self.contents = contents
    self.epoch = epoch
    self.overhead = overhead
    self.isLive = isLive
    self.problem = problem
  }

  package var state: State {
    if contents.header == nil { return .none }
    if contents.isSealed { return .sealed }
    return isLive ? .live : .unsealed
  }

  /// The playlist: all of it, or with `line` what was added behind that line of the manifest.
  package func json(after line: Int = 0) -> JSONValue {
    let span = contents.span
    return .members([
      "version": 1, "state": .string(state.rawValue), "live": .bool(isLive), "line": .integer(contents.head.number),
      "epoch": .string(epoch.description), "epochMicroseconds": .integer(epoch.microseconds),
      "start": span.map { time($0.start) }, "end": span.map { time($0.end) },
      "tracks": .array(contents.tracks.compactMap { json(of: $0, after: line) }),
      "files": .array(contents.files.map(json)), "seal": seal, "problem": problem.map { .string($0) },
    ])
  }

  /// Microseconds from the epoch.
  private func time(_ time: UTCTime) -> JSONValue { .integer(time.offset(from: epoch)) }

  private func json(of track: ArchiveContents.Track, after line: Int) -> JSONValue? {
    // A gap is news even when nothing is played behind it; a track without any has to be known by its name.
    let gaps = zip(track.gaps, track.gapLines).filter { $0.1 > line }.map(\.0)
    let segments = track.segments.filter { max($0.line, $0.fragmentLines.last ?? 0) > line }
    guard line == 0 || !gaps.isEmpty || !segments.isEmpty else { return nil }
    return [
      "id": .string(track.id.value), "kind": .string(track.kind.rawValue), "peer": .string(track.entry.peer),
      "source": .string(track.entry.source), "segments": .array(segments.map { json(of: $0, after: line) }),
      "gaps": .array(
        gaps.map { ["start": time($0.start), "end": time($0.end), "reason": .string($0.reason.rawValue)] }),
    ]
  }

  /// `from` is the place of the first fragment given; the ones before are known.
  private func json(of segment: ArchiveContents.Segment, after line: Int) -> JSONValue {
    let layout = SegmentLayout(segment, overhead: overhead)
    let from = line == 0 ? 0 : segment.fragmentLines.firstIndex { $0 > line } ?? segment.fragments.count
    let fragments = segment.fragments.indices.dropFirst(from).map { index -> JSONValue in
      let (fragment, run) = (segment.fragments[index], layout.clear(index + 1))
      return [
        .integer(run.offset), .integer(run.length), time(fragment.start),
        .integer(fragment.duration.nanoseconds / 1_000), fragment.startsWithKeyframe ? 1 : 0,
      ]
    }
    let entry = segment.entry
    return .members([
      "name": .string(entry.path.name), "mime": .string(entry.mimeType), "codec": .string(entry.codec),
      "width": .integer(entry.width), "height": .integer(entry.height), "rotation": .integer(entry.rotation),
      "layer": entry.layer.map { ["name": .string($0.name), "of": .integer($0.count)] },
      "header": .integer(layout.clear(0).length), "start": segment.start.map(time), "from": .integer(from),
      "fragments": .array(fragments),
    ])
  }

  private func json(of file: ManifestEntry.File) -> JSONValue {
    .members([
      "folder": .string(file.path.folder.rawValue), "name": .string(file.path.name),
      "purpose": .string(file.purpose.rawValue), "track": file.track.map { .string($0.value) },
      "start": time(file.start), "duration": .integer(file.duration.nanoseconds / 1_000),
      "mime": .string(file.mimeType), "length": .integer(file.length), "note": file.note.map { .string($0) },
    ])
  }

  /// The last signature, as far as the manifest says: whether it is right is a question for the verifier.
  private var seal: JSONValue? {
    contents.seals.last.map { last in
      [
        "line": .integer(last.line), "at": .string(last.time.description), "final": .bool(last.seal.isFinal),
        "key": .string(Hex.encode(last.seal.key)),
      ]
    }
  }
}

extension UTCTime {
  /// Microseconds from `epoch`, negative before it; saturates where a double would no longer be exact.
  package func offset(from epoch: UTCTime) -> Int64 {
    let (offset, overflow) = microseconds.subtractingReportingOverflow(epoch.microseconds)
    let bound = Int64(JSONValue.maximumInteger)
    guard !overflow else { return self > epoch ? bound : -bound }
    return max(-bound, min(bound, offset))
  }
}
