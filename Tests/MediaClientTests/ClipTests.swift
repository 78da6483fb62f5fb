import MediaClient
import Primitives
import SDP
import Testing

@Suite("Clips")
struct ClipTests {
  @Test(arguments: [(Fixtures.webm, MediaCodec.vp8), (Fixtures.mp4, .h264)])
  func `a clip becomes payloads in order, with markers and keyframes`(path: String, codec: MediaCodec) throws {
    let clip = try Clip(path: path)
    #expect(clip.codec == codec)
    #expect(clip.width == 1_280 && clip.height == 720)
    // Ten seconds of 30 pictures and 50 sounds a second, a keyframe every two seconds.
    #expect((9.9...10.1).contains(clip.duration.seconds))
    let video = clip.payloads.filter(\.isVideo)
    #expect(video.count(where: \.marker) == 300)
    #expect(video.filter(\.startsKeyframe).map { ($0.time.seconds * 10).rounded() / 10 } == [0, 2, 4, 6, 8])
    #expect((495...502).contains(clip.payloads.count { !$0.isVideo }))
    #expect(clip.payloads.allSatisfy { !$0.bytes.isEmpty && $0.bytes.count <= 1_140 })
    #expect(zip(clip.payloads, clip.payloads.dropFirst()).allSatisfy { $0.time <= $1.time })
    #expect((1_500_000...2_500_000).contains(clip.videoBitrate))
    #expect(clip.payloads.first?.startsKeyframe == true || clip.payloads.first?.isVideo == false)
  }

  @Test func `a file that is no clip is refused in words`() {
    let error = #expect(throws: ClipError.self) { try Clip(path: "/nowhere/clip.webm") }
    #expect(error?.description.contains("/nowhere/clip.webm") == true)
    #expect(throws: ClipError.self) { try Clip(path: #filePath) }
  }
}
