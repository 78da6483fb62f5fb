import Archive
import Cryptography
import Incidents
import JSON
import Primitives

/// An archive in memory, made as a recorder makes it: two tracks, three segments, a still, a late upload, a journal.
struct ExampleArchive {
  /// By name, `media/…` included.
  var files: [String: [UInt8]] = [:]
  /// Folders, links and the like beside the files.
  var others: [ArchiveItem] = []
  var head = ManifestHead()
  var journal: [JournalEvent] = []
  private var random = RandomSource.seeded(7)

  static let key = makeKey(1)
  static let otherKey = makeKey(2)
  static let media = ["media/video-0001.mp4", "media/video-0002.mp4", "media/audio-0001.mp4"]
  static let incident = make(IncidentID("26-001482"))
  static let start = UTCTime(seconds: 1_795_403_482)

  private static func makeKey(_ byte: UInt8) -> Ed25519PrivateKey {
    make(Ed25519PrivateKey(seed: [UInt8](repeating: byte, count: 32)))
  }

  static func path(_ text: String) -> ArchivePath { make(ArchivePath(text)) }
  static func track(_ text: String) -> TrackID { make(TrackID(text)) }

  private static func make<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("an example that is none") }
    return value
  }

  /// Not sealed yet; `seconds` fragments a segment.
  init(seconds: Int = 3, partSize: Int = 400, isEncrypted: Bool = false) {
    files["key.pub"] = Array(ArchivePublicKeys.text([Self.key.publicKey]).utf8)
    files["manifest.jsonl"] = []
    files["journal.jsonl"] = []
    write(.archive(.init(incident: Self.incident, agency: "metro", isEncrypted: isEncrypted)))
    record(kind: "incident.opened")
    for track in ["video", "audio"] {
      write(.track(.init(id: Self.track(track), kind: track == "video" ? .video : .audio, peer: "c1", source: "s1")))
    }
    for name in Self.media {
      begin(name)
      for second in 0..<seconds { add(to: name, at: second, size: partSize + second) }
      seal(isFinal: false)
      record(kind: "chat.message")
    }
    addFile("stills/s-0001.jpg", .still)
    addFile("late/l-0001.webm", .late)
    write(.gap(.init(track: Self.track("video"), start: Self.start, end: Self.start, reason: .loss)))
    write(
      .clock(
        .init(
          track: Self.track("video"), ssrc: SSRC(1), rtpTimestamp: 90_000, ntpTime: NTPTimestamp(bits: 0xe1),
          arrival: Self.start)))
    write(.note("all is well"))
  }

  static var sealed: ExampleArchive {
    var archive = ExampleArchive()
    archive.seal(isFinal: true)
    return archive
  }

  var contents: ArchiveContents {
    get throws {
      var contents = ArchiveContents()
      for line in lines { try contents.append(line) }
      return contents
    }
  }

  /// Lines of the manifest, without their ends.
  var lines: [[UInt8]] {
    get { (files["manifest.jsonl"] ?? []).split(separator: UInt8(ascii: "\n")).map { Array($0) } }
    set { files["manifest.jsonl"] = newValue.flatMap { $0 + [UInt8(ascii: "\n")] } }
  }

  var mark: ManifestEntry.JournalMark {
    guard let last = journal.last else { return .empty }
    return .init(number: last.number, hash: last.hash, length: files["journal.jsonl"]?.count ?? 0)
  }

  // MARK: - Writing

  mutating func write(_ entry: ManifestEntry, at time: UTCTime = start) {
    files["manifest.jsonl", default: []] += head.append(entry, at: time)
  }

  mutating func seal(isFinal: Bool, with key: Ed25519PrivateKey = key) {
    files["manifest.jsonl", default: []] += head.appendSeal(isFinal: isFinal, journal: mark, key: key, at: Self.start)
  }

  mutating func record(kind: String) {
    let event = JournalEvent(
      incident: Self.incident, number: journal.count + 1, time: Self.start, actor: .system, kind: kind,
      payload: ["text": .string("ümlaut \(journal.count)")], clientID: nil,
      previousHash: journal.last?.hash ?? JournalEvent.genesisHash)
    journal.append(event)
    files["journal.jsonl", default: []] += event.json.canonicalBytes + [UInt8(ascii: "\n")]
  }

  mutating func begin(_ name: String) {
    let header = random.bytes(64)
    files[name] = header
    let isVideo = name.contains("video")
    write(
      .segment(
        .init(
          path: Self.path(name), track: Self.track(isVideo ? "video" : "audio"), codec: isVideo ? "H264" : "opus",
          mimeType: "video/mp4", width: 1_280, height: 720, rotation: 0,
          layer: isVideo ? .init(name: "h", count: 3) : nil, headerLength: header.count,
          headerHash: Digest.sha256(header))))
  }

  mutating func add(to name: String, at second: Int, size: Int) {
    let bytes = random.bytes(size)
    write(
      .fragment(
        .init(
          segment: Self.path(name), offset: files[name]?.count ?? 0, length: size, hash: Digest.sha256(bytes),
          start: Self.start + .seconds(Double(second)), duration: .seconds(1), startsWithKeyframe: second == 0,
          frames: 30)))
    files[name, default: []] += bytes
  }

  private mutating func addFile(_ name: String, _ purpose: ManifestEntry.File.Purpose) {
    let bytes = random.bytes(500)
    files[name] = bytes
    write(
      .file(
        .init(
          path: Self.path(name), length: bytes.count, hash: Digest.sha256(bytes), purpose: purpose, track: nil,
          start: Self.start, duration: .zero, mimeType: "image/jpeg", note: "as asked")))
  }

  mutating func flip(_ name: String, bit: Int) { files[name]?[bit / 8] ^= 1 << UInt8(bit % 8) }
}

extension ExampleArchive: ArchiveReading {
  func items() -> [ArchiveItem] {
    let folders = Set(files.keys.filter { $0.contains("/") }.map { String($0.prefix { $0 != "/" }) })
    return files.map { ArchiveItem(name: $0.key, kind: .file(length: $0.value.count)) }
      + folders.map { ArchiveItem(name: $0, kind: .folder) } + others
  }

  func read(_ name: String, from offset: Int, count: Int) -> [UInt8]? {
    guard let bytes = files[name] else { return nil }
    return Array(bytes.dropFirst(offset).prefix(count))
  }
}

extension VerificationReport {
  /// Paths of what is damaged.
  var damaged: Set<String> { Set(findings.filter { $0.severity == .damage }.map(\.path)) }
  var noticed: Set<String> { Set(findings.filter { $0.severity == .notice }.map(\.path)) }
}
