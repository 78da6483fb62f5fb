import Archive
import Foundation
import MediaFiles
import Primitives

/// Films of an archive by FFmpeg: joined ones, the side-by-side one, redacted copies; and what is decrypted for the package.
package struct FilePackageMedia: PackageMedia {
  /// Opens encrypted archives; nil where the node has no key for them.
  private let envelopeKey: EnvelopeKey?

  package init(envelopeKey: EnvelopeKey?) {
    self.envelopeKey = envelopeKey
  }

  package func makeFilms(
    _ order: FilmOrder, progress: @escaping (Double) throws(PackageError) -> Void
  ) throws(PackageError) -> Films {
    var films = Films()
    let cipher: SegmentCipher?
    do throws(PackageError) {
      cipher = try self.cipher(for: order.archive)
    } catch {
      films.notes.append(error.text)
      return films
    }
    let sources = RecordedSources(archive: order.archive, cipher: cipher)
    if cipher != nil { try decrypt(order, sources, &films) }
    let studio = FilmStudio(order: order, sources: sources, progress: progress)
    try studio.work(&films)
    return films
  }

  /// What opens the archive; nil for one that lies in clear.
  private func cipher(for archive: ArchiveSnapshot) throws(PackageError) -> SegmentCipher? {
    guard archive.contents?.header?.isEncrypted == true else { return nil }
    guard let envelopeKey else {
      throw PackageError(
        .unavailable, "The recording is encrypted and this node has no key for it: no films were made.")
    }
    guard let file = archive.files.first(where: { $0.path.text == ArchiveFile.envelope })?.file,
      file.length <= ArchiveFile.maximumSmallFile
    else {
      throw PackageError(
        .unavailable, "The key of this recording was destroyed: it was erased, and no films can be made.")
    }
    do {
      return try envelopeKey.open(try EnvelopeDocument(parsing: try file.read(at: 0, count: file.length)))
    } catch {
      throw PackageError(.unavailable, "No films were made: \(ArchiveFile.envelope) \(error)")
    }
  }

  /// Stills and late uploads of an encrypted archive, in clear.
  private func decrypt(_ order: FilmOrder, _ sources: RecordedSources, _ films: inout Films) throws(PackageError) {
    for (index, entry) in (order.archive.contents?.files ?? []).enumerated() {
      guard let path = PackagePath(entry.path.description), let content = sources.content(of: entry.path) else {
        films.notes.append("\(entry.path) cannot be decrypted.")
        continue
      }
      let file = "\(order.folder)/file-\(index)"
      try WritableFile(path: file).write(content, at: 0)
      films.films.append(.init(path: path, file: file))
    }
  }
}

/// One order's work.
private struct FilmStudio {
  let order: FilmOrder
  let sources: RecordedSources
  let progress: (Double) throws(PackageError) -> Void
  /// What stopped the work from outside.
  private let stop = Stop()

  private final class Stop {
    var reason: PackageError?
  }

  init(
    order: FilmOrder, sources: RecordedSources, progress: @escaping (Double) throws(PackageError) -> Void
  ) {
    self.order = order
    self.sources = sources
    self.progress = progress
  }

  /// A film that goes into the package, and whose it is.
  private struct Joined {
    let film: JoinedFile
    let path: PackagePath
    let tracks: [TrackID]
    let rotation: Int?
  }

  /// Shares of the work.
  private static let (joinedEnd, compositeEnd) = (0.2, 0.85)
  /// How long a caption is shown.
  private static let captionLength = TimeInterval64.seconds(8)

  func work(_ films: inout Films) throws(PackageError) {
    let tracks = (order.archive.contents?.tracks ?? []).filter { $0.start != nil }
    noteMissing(tracks, &films)
    let joined = try join(tracks, &films)
    try compose(tracks, &films)
    try redact(joined, &films)
  }

  private func noteMissing(_ tracks: [ArchiveContents.Track], _ films: inout Films) {
    for segment in tracks.flatMap(\.segments) where sources.archive.file(segment.entry.path) == nil {
      films.notes.append("\(segment.entry.path) is missing: the films have a gap there.")
    }
    let late = (order.archive.contents?.files ?? []).count { $0.purpose == .late }
    if late > 0 {
      films.notes.append(
        "\(late) recordings that a caller's page uploaded afterwards are in late/ and are no part of the films.")
    }
  }

  // MARK: - Joined films

  /// A film for each camera, with the sound of the same person, and one for each microphone that has no camera.
  private func join(_ tracks: [ArchiveContents.Track], _ films: inout Films) throws(PackageError) -> [Joined] {
    var pairs: [(video: ArchiveContents.Track?, audio: ArchiveContents.Track?)] = []
    var heard: Set<TrackID> = []
    for track in tracks where track.kind == .video {
      let sound = tracks.first { $0.kind == .audio && $0.entry.peer == track.entry.peer }
      if let sound { heard.insert(sound.id) }
      pairs.append((track, sound))
    }
    pairs += tracks.filter { $0.kind == .audio && !heard.contains($0.id) }.map { (nil, $0) }
    var joined: [Joined] = []
    for (index, pair) in pairs.enumerated() {
      guard let id = (pair.video ?? pair.audio)?.id else { continue }
      let base = "\(order.folder)/join-\(index)"
      let report = try attempt("The film of \(id)", &films) { () throws(MediaFileError) in
        try TrackJoiner.join(
          video: pair.video.map(sources.track), audio: pair.audio.map(sources.track), to: base,
          progress: handler(
            from: Self.joinedEnd * Double(index) / Double(pairs.count),
            to: Self.joinedEnd * Double(index + 1) / Double(pairs.count)))
      }
      guard let report else { continue }
      if !report.damagedVideo.isEmpty || !report.damagedAudio.isEmpty {
        films.notes.append("Some segments of \(id) are damaged: its film has a gap there.")
      }
      for (part, film) in report.files.enumerated() {
        let name = "joined/\(id)\(part == 0 ? "" : ".\(part + 1)").\(film.container.rawValue)"
        guard let path = PackagePath(name) else { continue }
        films.films.append(.init(path: path, file: film.path))
        joined.append(
          Joined(
            film: film, path: path, tracks: [pair.video?.id, pair.audio?.id].compactMap { $0 },
            // WebM cannot say it.
            rotation: film.container == .webm ? pair.video?.segments.first?.entry.rotation : nil))
      }
    }
    return joined
  }

  // MARK: - The side-by-side film

  private func compose(_ tracks: [ArchiveContents.Track], _ films: inout Films) throws(PackageError) {
    guard let span = order.archive.contents?.span else { return }
    let cameras = tracks.filter { $0.kind == .video }
    let microphones = tracks.filter { $0.kind == .audio }
    if cameras.count > Composite.maximumCameras || microphones.count > Composite.maximumMicrophones {
      films.notes.append(
        "The composite film shows the first \(Composite.maximumCameras) cameras and \(Composite.maximumMicrophones) "
          + "microphones only.")
    }
    let plan = CompositePlan(
      span: TimeSpan(start: span.start, end: span.end),
      cameras: cameras.prefix(Composite.maximumCameras).map {
        .init(label: order.names[$0.entry.peer] ?? $0.id.value, track: sources.track($0))
      },
      microphones: microphones.prefix(Composite.maximumMicrophones).map(sources.track),
      places: Self.spans(order.places, longest: nil, end: span.end),
      captions: Self.spans(order.captions, longest: Self.captionLength, end: span.end))
    let file = "\(order.folder)/composite.mp4"
    let isMade = try attempt("The composite film", &films) { () throws(MediaFileError) in
      try Composite.render(plan, to: file, progress: handler(from: Self.joinedEnd, to: Self.compositeEnd))
      return true
    }
    if isMade == true { films.films.append(.init(path: PackagePath("composite.mp4"), file: file)) }
  }

  /// Each text until it has been shown for `longest`; without that, until the next one.
  private static func spans(
    _ captions: [FilmOrder.Caption], longest: TimeInterval64?, end: UTCTime
  ) -> [CompositePlan.Caption] {
    captions.enumerated().compactMap { index, caption in
      let next = index + 1 < captions.count ? captions[index + 1].time : end
      let last = longest.map { caption.time + $0 } ?? max(next, caption.time)
      guard caption.time < last else { return nil }
      return .init(text: caption.text, span: TimeSpan(start: caption.time, end: last))
    }
  }

  // MARK: - Redacted copies

  private func redact(_ joined: [Joined], _ films: inout Films) throws(PackageError) {
    guard let redaction = order.redaction else { return }
    let wanted = Set(redaction.tracks)
    for unknown in wanted.subtracting(joined.flatMap(\.tracks)) {
      films.notes.append("There is no film of \(unknown): nothing of it was redacted.")
    }
    let due = joined.filter { !wanted.isDisjoint(with: $0.tracks) }
    for (index, joined) in due.enumerated() {
      let parts = joined.tracks.map(redaction.of)
      let hidden = RedactionOrder(regions: parts.flatMap(\.regions), mutes: parts.flatMap(\.mutes))
      let plan = RedactionPlan(
        regions: hidden.regions.map {
          .init(x: $0.x, y: $0.y, width: $0.width, height: $0.height, span: TimeSpan(start: $0.from, end: $0.to))
        },
        mutedSpans: hidden.mutes.map { TimeSpan(start: $0.from, end: $0.to) })
      let file = "\(order.folder)/redacted-\(index).mp4"
      let share = (1 - Self.compositeEnd) / Double(due.count)
      let from = Self.compositeEnd + share * Double(index)
      let isMade = try attempt("The redacted copy of \(joined.path)", &films) { () throws(MediaFileError) in
        let source = RecordedSegment(
          source: try ByteSource(path: joined.film.path), start: joined.film.start, rotation: joined.rotation)
        try Redaction.apply(plan, to: source, path: file, progress: handler(from: from, to: from + share))
        return true
      }
      let name = joined.path.text.dropFirst("joined/".count).replacing(".webm", with: ".mp4")
      guard isMade == true, let path = PackagePath("redacted/\(name)") else { continue }
      films.films.append(.init(path: path, file: file, redacted: (joined.path, hidden)))
    }
  }

  // MARK: - Failures

  /// Does a part of the work; what cannot be made is noted, what ends all of it is thrown.
  private func attempt<Value>(
    _ what: String, _ films: inout Films, _ body: () throws(MediaFileError) -> Value
  ) throws(PackageError) -> Value? {
    do throws(MediaFileError) {
      return try body()
    } catch {
      if let reason = stop.reason { throw reason }
      switch error.code {
      case .cancelled: throw PackageError(.cancelled, "It was called off.")
      case .output: throw Self.outputFailure(in: order.folder, error)
      case .format, .frame, .time, .damaged, .unsupported, .empty, .input, .library:
        films.notes.append("\(what) could not be made: \(error.text)")
        return nil
      }
    }
  }

  /// FFmpeg does not always say that the disk is full: the disk does.
  private static func outputFailure(in folder: String, _ error: MediaFileError) -> PackageError {
    var status = statvfs()
    guard statvfs(folder, &status) == 0, status.f_bavail * UInt(status.f_frsize) < 1 << 20 else {
      return PackageError(.unavailable, error.text)
    }
    return SystemText.failure(ENOSPC, "The films cannot be written")
  }

  private func handler(from: Double, to: Double) -> ProgressHandler {
    let (progress, stop) = (progress, stop)
    return { share in
      do throws(PackageError) {
        try progress(from + (to - from) * share)
        return true
      } catch {
        stop.reason = error
        return false
      }
    }
  }
}
