import Archive
import Cryptography
import Incidents
import Primitives
import Testing

@Suite("Manifest")
struct ManifestTests {
  @Test("every line reads back as the same bytes", arguments: ExampleArchive.sealed.lines)
  func readsBack(bytes: [UInt8]) throws {
    let line = try ManifestLine(parsing: bytes)
    #expect(line.bytes == bytes)
    #expect(ManifestHead(after: line).hash == Digest.sha256(bytes))
  }

  @Test("contents are what was written")
  func buildsContents() throws {
    let contents = try ExampleArchive.sealed.contents
    #expect(contents.isSealed && contents.header?.incident == ExampleArchive.incident)
    #expect(contents.tracks.map(\.id.value) == ["video", "audio"])
    let segment = try #require(contents.segment(ExampleArchive.path("media/video-0001.mp4")))
    #expect(segment.fragments.count == 3 && segment.entry.layer == .init(name: "h", count: 3))
    #expect(segment.length == ExampleArchive.sealed.files["media/video-0001.mp4"]?.count)
    #expect(contents.file(ExampleArchive.path("stills/s-0001.jpg"))?.note == "as asked")
    #expect(contents.names(ExampleArchive.path("late/l-0001.webm")))
    #expect(!contents.names(ExampleArchive.path("media/video-0009.mp4")))
  }

  @Test(
    "only the canonical form of known members is taken",
    arguments: [
      ("\"n\":", " \"n\":"), ("\"n\":5", "\"n\":5.0"), ("\"type\"", "\"typ\""), ("\"offset\":64", "\"offset\":-64"),
      ("\"offset\":64", "\"offset\":9007199254740993"), ("\"offset\":64", "\"offset\":64,\"other\":1"),
      ("\"duration\":1000000", "\"duration\":86400000001"), ("media/video", "media/../video"),
      ("media/video", "/etc/x"),
      ("media/video", "media//video"), ("media/video", "stills\\/video"), ("\"sha256\":\"", "\"sha256\":\"00"),
      ("\"type\":\"fragment\"", "\"type\":\"future\""), ("Z\",\"type", "+00:00\",\"type"),
    ])
  func refusesOtherForms(part: String, replacement: String) throws {
    let example = ExampleArchive.sealed
    let bytes = try #require(try example.lines.first { try ManifestLine(parsing: $0).entry.type == "fragment" })
    let text = String(decoding: bytes, as: UTF8.self)
    let changed = text.replacing(part, with: replacement)
    try #require(changed != text, "the line has no \(part)")
    #expect(throws: ManifestError.self) { try ManifestLine(parsing: Array(changed.utf8)) }
  }

  @Test("a future version says what to do")
  func refusesFutureVersion() throws {
    let text = String(decoding: ExampleArchive.sealed.lines[0], as: UTF8.self)
    let error = #expect(throws: ManifestError.self) {
      try ManifestLine(parsing: Array(text.replacing("\"version\":1", with: "\"version\":2").utf8))
    }
    #expect(error?.text.contains("use a newer one") == true)
  }

  @Test(
    "a path is a known folder and a plain name",
    arguments: [
      "../x", "/media/x", "media/../x", "media/.x", "media/", "media", "x/y", "media/a/b", "media/a b", "media/ä",
      "media/" + String(repeating: "a", count: 101), "MEDIA/x", "media\\x", "",
    ])
  func refusesPaths(_ text: String) {
    #expect(ArchivePath(text) == nil)
  }

  /// Lines that chain, but say what cannot be.
  static let contradictions: [ManifestEntry] = [
    .archive(.init(incident: ExampleArchive.incident, agency: "", isEncrypted: false)),
    .track(.init(id: ExampleArchive.track("video"), kind: .video, peer: "", source: "")),
    segment("media/video-0001.mp4", "video"), segment("stills/x.mp4", "video"), segment("media/x.mp4", "unknown"),
    fragment("media/video-0001.mp4", offset: 5), fragment("media/video-0009.mp4", offset: 0),
    .gap(
      .init(
        track: ExampleArchive.track("unknown"), start: ExampleArchive.start, end: ExampleArchive.start, reason: .loss)),
    file("stills/s-0001.jpg", .still), file("stills/s-0002.jpg", .late), file("media/video-0001.mp4", .still),
  ]

  @Test("what contradicts an earlier line is refused, and nothing is changed", arguments: contradictions)
  func refusesContradictions(_ entry: ManifestEntry) throws {
    var archive = ExampleArchive()
    var contents = try archive.contents
    let head = contents.head
    archive.write(entry)
    let line = try #require(archive.lines.last)
    #expect(throws: ManifestError.self) { try contents.append(line) }
    #expect(contents.head == head && contents.files.count == 2 && contents.tracks.count == 2)
  }

  private static func segment(_ path: String, _ track: String) -> ManifestEntry {
    .segment(
      .init(
        path: ExampleArchive.path(path), track: ExampleArchive.track(track), codec: "VP8", mimeType: "video/webm",
        width: 1, height: 1, rotation: 0, layer: nil, headerLength: 0, headerHash: [UInt8](repeating: 0, count: 32)))
  }

  private static func fragment(_ path: String, offset: Int) -> ManifestEntry {
    .fragment(
      .init(
        segment: ExampleArchive.path(path), offset: offset, length: 1, hash: [UInt8](repeating: 0, count: 32),
        start: ExampleArchive.start, duration: .zero, startsWithKeyframe: true, frames: 1))
  }

  private static func file(_ path: String, _ purpose: ManifestEntry.File.Purpose) -> ManifestEntry {
    .file(
      .init(
        path: ExampleArchive.path(path), length: 1, hash: [UInt8](repeating: 0, count: 32), purpose: purpose,
        track: nil, start: ExampleArchive.start, duration: .zero, mimeType: "", note: nil))
  }
}
