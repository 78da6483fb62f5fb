import Incidents
import Primitives

/// What a manifest says is in an archive, built line by line, so that a recording can be followed while it goes on.
///
/// The chain is followed and structure is checked; files and signatures are ``Verifier``'s.
package struct ArchiveContents: Sendable {
  package private(set) var header: ManifestEntry.Header?
  /// In the order in which they began.
  package private(set) var tracks: [Track] = []
  package private(set) var files: [ManifestEntry.File] = []
  package private(set) var notes: [(time: UTCTime, text: String)] = []
  package private(set) var seals: [(line: Int, time: UTCTime, seal: ManifestEntry.Seal)] = []
  package private(set) var head = ManifestHead()
  private var trackPlaces: [TrackID: Int] = [:]
  private var segmentPlaces: [ArchivePath: (track: Int, segment: Int)] = [:]
  private var filePlaces: [ArchivePath: Int] = [:]

  /// Tracks of one archive at most.
  package static let maximumTracks = 10_000

  package struct Track: Sendable {
    package let entry: ManifestEntry.Track
    package fileprivate(set) var segments: [Segment] = []
    package fileprivate(set) var gaps: [ManifestEntry.Gap] = []
    /// The line of each gap, so that a reader can be told what is new.
    package fileprivate(set) var gapLines: [Int] = []
    package fileprivate(set) var clocks: [ManifestEntry.ClockPair] = []

    package var id: TrackID { entry.id }
    package var kind: TrackKind { entry.kind }
    package var start: UTCTime? { segments.first { !$0.fragments.isEmpty }?.start }
    package var end: UTCTime? { segments.last { !$0.fragments.isEmpty }?.end }
  }

  package struct Segment: Sendable {
    package let entry: ManifestEntry.Segment
    /// The line that began it.
    package let line: Int
    /// The line of each fragment.
    package fileprivate(set) var fragmentLines: [Int] = []
    package fileprivate(set) var fragments: [ManifestEntry.Fragment] = []

    /// Media time 0 of the file; nil before the first fragment.
    package var start: UTCTime? { fragments.isEmpty ? nil : entry.origin ?? fragments.first?.start }
    package var end: UTCTime? { fragments.last.map { $0.start + $0.duration } }
    /// Bytes that the manifest accounts for.
    package var length: Int { fragments.last.map { $0.offset + $0.length } ?? entry.headerLength }
  }

  package init() {}

  /// Whether the last line is a final seal.
  package var isSealed: Bool { seals.last.map { $0.seal.isFinal && $0.line == head.number } ?? false }

  package func track(_ id: TrackID) -> Track? { trackPlaces[id].map { tracks[$0] } }

  package func segment(_ path: ArchivePath) -> Segment? {
    segmentPlaces[path].map { tracks[$0.track].segments[$0.segment] }
  }

  package func file(_ path: ArchivePath) -> ManifestEntry.File? { filePlaces[path].map { files[$0] } }

  /// Whether a line names the file.
  package func names(_ path: ArchivePath) -> Bool { segmentPlaces[path] != nil || filePlaces[path] != nil }

  /// First and last moment of all tracks; nil while nothing is recorded.
  package var span: (start: UTCTime, end: UTCTime)? {
    guard let start = tracks.compactMap(\.start).min(), let end = tracks.compactMap(\.end).max() else { return nil }
    return (start, end)
  }

  /// Takes the next line, without its end.
  ///
  /// Throws, and nothing is changed, when it does not follow the line before or contradicts what was said.
  package mutating func append(_ bytes: [UInt8]) throws(ManifestError) {
    try append(try ManifestLine(parsing: bytes), bytes: bytes)
  }

  /// Takes the next line, which was parsed out of `bytes`.
  mutating func append(_ line: ManifestLine, bytes: [UInt8]) throws(ManifestError) {
    guard line.number == head.number + 1 else {
      throw ManifestError("line \(line.number) stands where line \(head.number + 1) should")
    }
    guard line.previous == head.hash else {
      throw ManifestError("line \(line.number) does not follow line \(head.number): a line was changed or removed")
    }
    try take(line)
    head = ManifestHead(after: line, bytes: bytes)
  }

  private mutating func take(_ line: ManifestLine) throws(ManifestError) {
    switch line.entry {
    case .archive(let entry):
      guard line.number == 1 else { throw ManifestError("line \(line.number) begins an archive a second time") }
      header = entry
      return
    case .track, .segment, .fragment, .gap, .clock, .file, .note, .seal:
      guard header != nil else { throw ManifestError("the first line does not begin an archive") }
    }
    switch line.entry {
    case .archive: break
    case .track(let entry): try add(entry)
    case .segment(let entry): try add(entry, line.number)
    case .fragment(let entry): try add(entry, line.number)
    case .gap(let entry):
      let place = try place(of: entry.track)
      tracks[place].gaps.append(entry)
      tracks[place].gapLines.append(line.number)
    case .clock(let entry): tracks[try place(of: entry.track)].clocks.append(entry)
    case .file(let entry): try add(entry)
    case .note(let text): notes.append((line.time, text))
    case .seal(let seal): seals.append((line.number, line.time, seal))
    }
  }

  private func place(of track: TrackID) throws(ManifestError) -> Int {
    guard let place = trackPlaces[track] else { throw ManifestError("the track \(track) was not announced") }
    return place
  }

  private mutating func add(_ entry: ManifestEntry.Track) throws(ManifestError) {
    guard trackPlaces[entry.id] == nil else { throw ManifestError("the track \(entry.id) is announced twice") }
    guard tracks.count < Self.maximumTracks else { throw ManifestError("more than \(Self.maximumTracks) tracks") }
    trackPlaces[entry.id] = tracks.count
    tracks.append(Track(entry: entry))
  }

  private mutating func add(_ entry: ManifestEntry.Segment, _ line: Int) throws(ManifestError) {
    let track = try place(of: entry.track)
    guard segmentPlaces[entry.path] == nil else { throw ManifestError("\(entry.path) begins twice") }
    guard entry.path.folder == .media else { throw ManifestError("\(entry.path) is no place for a segment") }
    segmentPlaces[entry.path] = (track, tracks[track].segments.count)
    tracks[track].segments.append(Segment(entry: entry, line: line))
  }

  private mutating func add(_ entry: ManifestEntry.File) throws(ManifestError) {
    guard filePlaces[entry.path] == nil else { throw ManifestError("\(entry.path) is listed twice") }
    guard entry.path.folder == entry.purpose.folder else {
      throw ManifestError("\(entry.path) is no place for what is \(entry.purpose.rawValue)")
    }
    filePlaces[entry.path] = files.count
    files.append(entry)
  }

  private mutating func add(_ entry: ManifestEntry.Fragment, _ line: Int) throws(ManifestError) {
    guard let place = segmentPlaces[entry.segment] else { throw ManifestError("\(entry.segment) has not begun") }
    let expected = tracks[place.track].segments[place.segment].length
    guard entry.offset == expected else {
      throw ManifestError("a fragment of \(entry.segment) begins at \(entry.offset), not at \(expected)")
    }
    guard !entry.offset.addingReportingOverflow(entry.length).overflow else {
      throw ManifestError("a fragment of \(entry.segment) is too long")
    }
    tracks[place.track].segments[place.segment].fragments.append(entry)
    tracks[place.track].segments[place.segment].fragmentLines.append(line)
  }
}
