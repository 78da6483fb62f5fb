import Archive
import JSON
import Primitives
import Testing

@Suite struct ReplayPlaylistTests {
  private func manifest() throws -> ReplayManifest {
    var manifest = try ReplayManifest()
    try manifest.track("v")
    try manifest.segment("v-0000.mp4", of: "v")
    try manifest.fragments("v-0000.mp4", from: 1, count: 2)
    return manifest
  }

  private func playlist(_ contents: ArchiveContents, overhead: Int = 0, isLive: Bool = false) -> ReplayPlaylist {
    ReplayPlaylist(contents, epoch: ReplayManifest.epoch, overhead: overhead, isLive: isLive)
  }

  @Test func timesCountFromTheEpochAndBytesFromTheFile() throws {
    let json = playlist(try manifest().contents).json()
    let track = try #require(json["tracks"]?.array?.first)
    let segment = try #require(track["segments"]?.array?.first)
    #expect(segment["header"] == 100)
    #expect(segment["start"] == 1_000_000)
    #expect(segment["fragments"] == [[100, 1_000, 1_000_000, 500_000, 1], [1_100, 1_000, 1_500_000, 500_000, 0]])
    #expect(json["start"] == 1_000_000 && json["end"] == 2_000_000)
    #expect(json["state"] == "unsealed")
  }

  @Test func whoKnowsALineIsToldTheNewsOnly() throws {
    var manifest = try manifest()
    let known = manifest.contents.head.number
    #expect(playlist(manifest.contents).json(after: known)["tracks"] == [])
    try manifest.track("silent", .audio)
    try manifest.fragments("v-0000.mp4", from: 2, count: 1)
    try manifest.gap("v", 2.5, 4)
    let json = playlist(manifest.contents).json(after: known)
    let tracks = try #require(json["tracks"]?.array)
    #expect(tracks.map { $0["id"] } == ["v"])
    #expect(tracks[0]["segments"]?.array?[0]["from"] == 2)
    #expect(tracks[0]["segments"]?.array?[0]["fragments"] == [[2_100, 1_000, 2_000_000, 500_000, 1]])
    #expect(tracks[0]["gaps"] == [["start": 2_500_000, "end": 4_000_000, "reason": "loss"]])
    #expect(json["line"]?.integer == manifest.contents.head.number)
  }

  @Test func whatEncryptionAddsIsNotToldToPlayers() throws {
    let json = playlist(try manifest().contents, overhead: 16).json()
    let segment = try #require(json["tracks"]?.array?.first?["segments"]?.array?.first)
    #expect(segment["header"] == 84)
    #expect(
      segment["fragments"] == [[84, 984, 1_000_000, 500_000, 1], [1_068, 984, 1_500_000, 500_000, 0]])
  }

  @Test(arguments: [(false, false, "unsealed"), (false, true, "live"), (true, false, "sealed"), (true, true, "sealed")])
  func stateSaysWhetherMoreWillCome(isSealed: Bool, isLive: Bool, expected: String) throws {
    var manifest = try manifest()
    if isSealed { try manifest.seal() }
    #expect(playlist(manifest.contents, isLive: isLive).state.rawValue == expected)
  }

  @Test func nothingRecordedIsAStateOfItsOwn() {
    let json = playlist(ArchiveContents()).json()
    #expect(json["state"] == "none" && json["tracks"] == [] && json["start"] == nil)
  }

  @Test func aTimeFarAwayIsCutOff() {
    let far = UTCTime(microseconds: .max)
    #expect(far.offset(from: UTCTime(microseconds: .min)) == Int64(JSONValue.maximumInteger))
    #expect(UTCTime(microseconds: .min).offset(from: far) == -Int64(JSONValue.maximumInteger))
  }
}

@Suite struct SegmentLayoutTests {
  private func layout(_ overhead: Int) throws -> SegmentLayout {
    var manifest = try ReplayManifest()
    try manifest.track("v")
    try manifest.segment("v-0000.mp4", of: "v")
    try manifest.fragments("v-0000.mp4", from: 0, count: 4)
    return SegmentLayout(try #require(manifest.contents.tracks.first?.segments.first), overhead: overhead)
  }

  @Test(arguments: [
    (0..<1, 0..<1), (0..<100, 0..<1), (0..<101, 0..<2), (99..<101, 0..<2), (100..<101, 1..<2), (1_099..<1_101, 1..<3),
    (4_000..<4_100, 4..<5), (4_099..<9_999, 4..<5), (4_100..<4_101, 0..<0), (50..<50, 0..<0),
  ])
  func partsCoverWhatIsAskedFor(range: Range<Int>, expected: Range<Int>) throws {
    #expect(try layout(0).parts(covering: range) == expected)
  }

  @Test func clearPartsFollowEachOther() throws {
    let layout = try layout(16)
    #expect(layout.storedLength == 4_100 && layout.clearLength == 4_100 - 5 * 16)
    for part in 1..<layout.partCount { #expect(layout.clear(part).offset == layout.clear(part - 1).end) }
    #expect(layout.parts(covering: 84..<85) == 1..<2)
  }
}
