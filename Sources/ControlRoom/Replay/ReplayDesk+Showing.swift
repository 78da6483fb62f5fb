import Archive
import Incidents
import JSON
import Primitives

// What a look is given.

extension ReplayDesk {
  /// The playlist of our own player, or what was added behind `line` of the manifest.
  package func playlist(of look: Look, _ incident: Incident, after line: Int) async throws(Refusal) -> JSONValue {
    let manifest = try await library.manifest(of: look.incident)
    return ReplayPlaylist(
      manifest?.contents ?? ArchiveContents(), epoch: look.epoch, overhead: manifest?.source.overhead ?? 0,
      isLive: !incident.state.isClosed, problem: manifest?.problem
    ).json(after: line)
  }

  /// The archive for players of HLS; refused when nothing was recorded.
  package func hls(of look: Look) async throws(Refusal) -> HLSPlaylist {
    guard let manifest = try await library.manifest(of: look.incident) else {
      throw Refusal(.notFound, "Nothing was recorded in this incident, or nothing yet.")
    }
    return HLSPlaylist(
      manifest.contents, overhead: manifest.source.overhead, isComplete: manifest.contents.isSealed)
  }

  /// A file of the archive, to be read in pieces with ``read(_:_:)``.
  package func file(_ path: ArchivePath, of look: Look) async throws(Refusal) -> ArchiveLibrary.Reader {
    try await library.open(path, of: look.incident)
  }

  /// The next bytes of `range`.
  package func read(_ reader: ArchiveLibrary.Reader, _ range: Range<Int>) async throws(Refusal) -> [UInt8] {
    try await library.read(reader, range)
  }

  /// A small picture of a track, as it was to be seen at `time`.
  package func thumbnail(
    of look: Look, _ track: TrackID, at time: UTCTime?
  ) async throws(Refusal) -> RecordedPicture {
    try await library.picture(of: look.incident, track: track, at: time, size: .thumbnail)
  }

  /// How the archive is sealed, as its manifest says; with `verifies` also whether that is true, for which all of it is
  /// read.
  package func seal(of look: Look, _ incident: Incident, verifies: Bool = false) async throws(Refusal) -> JSONValue {
    guard let manifest = try await library.manifest(of: look.incident) else {
      return ["state": .string(ReplayPlaylist.State.none.rawValue)]
    }
    let contents = manifest.contents
    let playlist = ReplayPlaylist(
      contents, epoch: look.epoch, isLive: !incident.state.isClosed, problem: manifest.problem)
    let last = contents.seals.last
    let report = verifies ? try await library.verify(look.incident) : nil
    return .members([
      "state": .string(playlist.state.rawValue), "lines": .integer(contents.head.number),
      "segments": .integer(contents.tracks.reduce(0) { $0 + $1.segments.count }),
      "sealedAt": last.map { .string($0.time.description) }, "sealedLine": last.map { .integer($0.line) },
      "journalEvents": last.map { .integer($0.seal.journal.number) },
      "key": last.map { .string(Hex.encode($0.seal.key)) }, "problem": manifest.problem.map { .string($0) },
      "verification": report.map(Self.json),
    ])
  }

  /// Findings that are told; `sightline verify` tells all.
  private static let maximumFindings = 100

  private static func json(of report: VerificationReport) -> JSONValue {
    let counts = report.counts
    return [
      "whole": .bool(report.isWhole), "state": .string(report.state.rawValue),
      "keys": .string(report.keySource.rawValue), "erased": .bool(report.isErased),
      "segments": .integer(counts.segments), "fragments": .integer(counts.fragments), "files": .integer(counts.files),
      "bytes": .integer(counts.bytes), "seals": .integer(counts.seals), "events": .integer(counts.events),
      "findings": .array(
        report.findings.prefix(maximumFindings).map { finding in
          .members([
            "severity": .string(finding.severity.rawValue), "path": .string(finding.path),
            "line": finding.line.map { .integer($0) }, "text": .string(finding.text),
          ])
        }),
    ]
  }
}
