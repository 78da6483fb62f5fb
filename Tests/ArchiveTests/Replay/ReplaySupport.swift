import Archive
import Incidents
import JSON
import Primitives
import Testing

/// An archive's manifest that is written line by line, with fragments of half a second.
struct ReplayManifest {
  private(set) var contents = ArchiveContents()
  private var head = ManifestHead()
  private var lengths: [ArchivePath: Int] = [:]

  static let epoch = UTCTime(seconds: 1_795_403_482)
  static let hash = [UInt8](repeating: 7, count: 32)
  static let mp4 = "video/mp4; codecs=\"avc1.42c01f\""

  init() throws {
    try add(.archive(.init(incident: try #require(IncidentID("26-1")), agency: "metro", isEncrypted: false)))
  }

  mutating func add(_ entry: ManifestEntry) throws {
    try contents.append(head.append(entry, at: Self.epoch).dropLast())
  }

  mutating func track(_ name: String, _ kind: TrackKind = .video) throws {
    try add(.track(.init(id: try id(name), kind: kind, peer: "p1", source: name)))
  }

  /// A file with a header of 100 bytes.
  mutating func segment(_ name: String, of track: String, mime: String = mp4, width: Int = 640) throws {
    let path = try path(name)
    lengths[path] = 100
    try add(
      .segment(
        .init(
          path: path, track: id(track), codec: mime.contains("avc1") ? "H264" : mime.contains("vp8") ? "VP8" : "opus",
          mimeType: mime, width: width, height: width * 9 / 16, rotation: 0, layer: nil, headerLength: 100,
          headerHash: Self.hash)))
  }

  /// Half seconds of 1,000 bytes each from `start` seconds on; every second one begins with a keyframe.
  mutating func fragments(_ name: String, from start: Double, count: Int, bytes: Int = 1_000) throws {
    for index in 0..<count {
      let path = try path(name)
      let offset = try #require(lengths[path])
      try add(
        .fragment(
          .init(
            segment: path, offset: offset, length: bytes, hash: Self.hash,
            start: Self.epoch + .seconds(start + Double(index) / 2), duration: .milliseconds(500),
            startsWithKeyframe: index % 2 == 0, frames: 12)))
      lengths[path] = offset + bytes
    }
  }

  mutating func gap(_ track: String, _ start: Double, _ end: Double, _ reason: ManifestEntry.Gap.Reason = .loss) throws
  {
    try add(
      .gap(
        .init(
          track: id(track), start: Self.epoch + .seconds(start), end: Self.epoch + .seconds(end), reason: reason)))
  }

  mutating func seal() throws {
    try add(.seal(.init(isFinal: true, journal: .empty, key: Self.hash, signature: Self.hash + Self.hash)))
  }

  func path(_ name: String) throws -> ArchivePath { try #require(ArchivePath(folder: .media, name: name)) }
  func id(_ name: String) throws -> TrackID { try #require(TrackID(name)) }
}

extension ArchiveContents {
  fileprivate mutating func append(_ bytes: ArraySlice<UInt8>) throws { try append(Array(bytes)) }
}

/// A journal that is written event by event, a second apart.
struct ReplayJournal {
  private(set) var events: [JournalEvent] = []

  @discardableResult
  mutating func happen(
    _ kind: EventKind, _ payload: JSONValue, by name: String = "Olga", role: Role = .operator, at second: Double? = nil
  ) throws -> JournalEvent {
    let event = JournalEvent(
      incident: try #require(IncidentID("26-1")), number: events.count + 1,
      time: ReplayManifest.epoch + .seconds(second ?? Double(events.count)),
      actor: Actor(id: "a-\(name.lowercased())", role: role, name: name), kind: kind.rawValue, payload: payload,
      clientID: nil, previousHash: events.last?.hash ?? JournalEvent.genesisHash)
    events.append(event)
    return event
  }

  var track: TimedTrack {
    var track = TimedTrack(epoch: ReplayManifest.epoch)
    for event in events { track.append(event, payload: event.payload) }
    return track
  }
}
