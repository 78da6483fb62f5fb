import Archive
import Primitives
import Testing

@Suite struct HLSPlaylistTests {
  private func media(_ manifest: ReplayManifest, _ track: String = "v", isComplete: Bool = true) throws -> String? {
    HLSPlaylist(manifest.contents, isComplete: isComplete).media(try manifest.id(track)) { "../\($0)" }
  }

  /// Two files with a hole between them and one in the first.
  private func manifest() throws -> ReplayManifest {
    var manifest = try ReplayManifest()
    try manifest.track("v")
    try manifest.segment("v-0000.mp4", of: "v")
    try manifest.fragments("v-0000.mp4", from: 0, count: 10)
    try manifest.fragments("v-0000.mp4", from: 8, count: 2)
    try manifest.segment("v-0001.mp4", of: "v", width: 1_280)
    try manifest.fragments("v-0001.mp4", from: 9, count: 2)
    return manifest
  }

  @Test func sealedTrackIsWhole() throws {
    #expect(
      try media(manifest()) == """
        #EXTM3U
        #EXT-X-VERSION:8
        #EXT-X-TARGETDURATION:4
        #EXT-X-MEDIA-SEQUENCE:0
        #EXT-X-PLAYLIST-TYPE:VOD
        #EXT-X-MAP:URI="../media/v-0000.mp4",BYTERANGE="100@0"
        #EXT-X-PROGRAM-DATE-TIME:2026-11-23T03:11:22.000Z
        #EXTINF:4.000000,
        #EXT-X-BYTERANGE:8000@100
        ../media/v-0000.mp4
        #EXT-X-PROGRAM-DATE-TIME:2026-11-23T03:11:26.000Z
        #EXTINF:1.000000,
        #EXT-X-BYTERANGE:2000@8100
        ../media/v-0000.mp4
        #EXT-X-GAP
        #EXT-X-PROGRAM-DATE-TIME:2026-11-23T03:11:27.000Z
        #EXTINF:3.000000,
        #EXT-X-BYTERANGE:100@0
        ../media/v-0000.mp4
        #EXT-X-PROGRAM-DATE-TIME:2026-11-23T03:11:30.000Z
        #EXTINF:1.000000,
        #EXT-X-BYTERANGE:2000@10100
        ../media/v-0000.mp4
        #EXT-X-DISCONTINUITY
        #EXT-X-MAP:URI="../media/v-0001.mp4",BYTERANGE="100@0"
        #EXT-X-PROGRAM-DATE-TIME:2026-11-23T03:11:31.000Z
        #EXTINF:1.000000,
        #EXT-X-BYTERANGE:2000@100
        ../media/v-0001.mp4
        #EXT-X-ENDLIST

        """)
  }

  @Test func whatMayStillGrowIsNotTold() throws {
    var manifest = try manifest()
    let before = try #require(try media(manifest, isComplete: false))
    #expect(before.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n") && before.contains("#EXT-X-TARGETDURATION:10\n"))
    #expect(!before.contains("v-0001.mp4") && !before.contains("ENDLIST"))
    try manifest.fragments("v-0001.mp4", from: 10, count: 10)
    let after = try #require(try media(manifest, isComplete: false))
    #expect(after.hasPrefix(before), "what was told once stays as it was")
    #expect(after.contains("#EXT-X-BYTERANGE:8000@100\n../media/v-0001.mp4\n"))
  }

  @Test func multivariantPlaylistNamesEveryTrackThatHLSCarries() throws {
    var manifest = try manifest()
    try manifest.track("old")
    try manifest.segment("old-0000.webm", of: "old", mime: "video/webm; codecs=\"vp8\"")
    try manifest.fragments("old-0000.webm", from: 0, count: 2)
    try manifest.track("a", .audio)
    try manifest.segment("a-0000.mp4", of: "a", mime: "audio/mp4; codecs=\"opus\"", width: 0)
    try manifest.fragments("a-0000.mp4", from: 0, count: 4)
    try manifest.track("empty")
    #expect(
      HLSPlaylist(manifest.contents, isComplete: true).multivariant { "\($0).m3u8?token=x" } == """
        #EXTM3U
        #EXT-X-VERSION:8
        # old is left out: HLS carries no VP8 in WebM.
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="a",DEFAULT=YES,AUTOSELECT=YES,URI="a.m3u8?token=x"
        #EXT-X-STREAM-INF:BANDWIDTH=32000,CODECS="avc1.42c01f,opus",RESOLUTION=1280x720,AUDIO="sound"
        v.m3u8?token=x

        """)
    #expect(try media(manifest, "old") == nil)
    #expect(try media(manifest, "empty") == nil)
    #expect(try media(manifest, "unknown") == nil)
  }

  @Test func soundAloneIsAStreamOfItsOwn() throws {
    var manifest = try ReplayManifest()
    try manifest.track("a", .audio)
    try manifest.segment("a-0000.mp4", of: "a", mime: "audio/mp4; codecs=\"opus\"", width: 0)
    try manifest.fragments("a-0000.mp4", from: 0, count: 4)
    let text = HLSPlaylist(manifest.contents, isComplete: true).multivariant { "\($0).m3u8" }
    #expect(text.hasSuffix("#EXT-X-STREAM-INF:BANDWIDTH=16000,CODECS=\"opus\",AUDIO=\"sound\"\na.m3u8\n"))
  }
}
