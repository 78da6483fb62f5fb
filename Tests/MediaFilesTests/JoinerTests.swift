import Archive
import Foundation
import MediaFiles
import Primitives
import Testing

@Suite("Joined films")
struct JoinerTests {
  private func track(_ footage: [Footage], starts: [UTCTime]? = nil) throws -> RecordedTrack {
    let segments = try footage.enumerated().map { index, footage in
      let start = starts?[index] ?? footage.frames[0].time
      return RecordedSegment(source: ByteSource(try footage.file(start: start)), start: start)
    }
    return RecordedTrack(kind: footage[0].format.kind, segments: segments)
  }

  private func seconds(_ packet: Tool.Packet, _ stream: Tool.Stream) -> Double {
    let base = stream.timeBase.split(separator: "/").compactMap { Double($0) }
    return Double(packet.pts ?? -1) * base[0] / base[1]
  }

  @Test("Segments with a gap between them become one film with real times", arguments: Footage.names)
  func gap(name: String) throws {
    let first = try Footage.named(name)
    let second = first.shifted(.milliseconds(5_250))
    let report = try TrackJoiner.join(
      video: name == "opus" ? nil : track([first, second]), audio: name == "opus" ? track([first, second]) : nil,
      to: Tool.path(""))
    #expect(report.files.count == 1 && report.damagedVideo.isEmpty && report.damagedAudio.isEmpty)
    let film = report.files[0]
    #expect(film.container == first.format.container)
    #expect(film.start == first.frames[0].time)
    #expect(abs(film.duration.seconds - 7.25) < 0.04)
    let probe = try Tool.probe(film.path)
    let times = try #require(probe.packets).map { seconds($0, probe.streams[0]) }
    let wanted = (first.frames + second.frames).map { ($0.time - first.frames[0].time).seconds }
    #expect(times.count == wanted.count)
    #expect(zip(times, wanted).allSatisfy { abs($0 - $1) < 0.001 })
    let complaints = try Tool.complaints(film.path)
    #expect(complaints == "")
  }

  @Test("Pictures and sound go into one film, in step", arguments: ["h264", "vp8", "vp9", "av1"])
  func together(name: String) throws {
    let (video, audio) = try (Footage.named(name), Footage.opus.get().shifted(.milliseconds(300)))
    var fractions: [Double] = []
    let report = try TrackJoiner.join(video: track([video]), audio: track([audio]), to: Tool.path("")) {
      fractions.append($0)
      return true
    }
    #expect(report.files.map(\.kinds) == [[.video, .audio]])
    #expect(fractions.last == 1 && fractions == fractions.sorted())
    let probe = try Tool.probe(report.files[0].path)
    let packets = try #require(probe.packets)
    for (index, wanted) in [0, 0.3].enumerated() {
      let first = try #require(packets.first { $0.streamIndex == index })
      #expect(abs(seconds(first, probe.streams[index]) - wanted) < 0.002)
    }
    #expect(try Tool.complaints(report.files[0].path) == "")
  }

  @Test("A change of codec or rotation begins another film")
  func changes() throws {
    let (first, second) = try (Footage.h264.get(), Footage.vp8.get().shifted(.milliseconds(2_000)))
    var third = try Footage.ramp.get().shifted(.milliseconds(4_100))
    third.format.rotation = 90
    let audio = try track([Footage.opus.get(), Footage.opus.get().shifted(.milliseconds(2_000))])
    let report = try TrackJoiner.join(video: track([first, second, third]), audio: audio, to: Tool.path(""))
    #expect(report.files.map(\.container) == [.mp4, .webm, .mp4])
    #expect(report.files.map(\.kinds) == [[.video, .audio], [.video, .audio], [.video]])
    #expect(report.files[1].path.hasSuffix("-2.webm"))
    #expect(abs((report.files[2].start - first.frames[0].time).seconds - 4.1) < 0.03)
    for file in report.files { #expect(try Tool.complaints(file.path) == "") }
    #expect(try FragmentDemuxer(ByteSource(path: report.files[2].path)).tracks[0].rotation == 90)
  }

  @Test("The size may change in the middle of a film", arguments: ["h264", "vp8", "vp9", "av1"])
  func sizes(name: String) throws {
    let (large, small) = try (Footage.named(name), Footage.small(name))
    let parts = [large, small.shifted(.milliseconds(2_000)), large.shifted(.milliseconds(4_000))]
    let report = try TrackJoiner.join(video: track(parts), to: Tool.path(""))
    #expect(report.files.count == 1)
    #expect(try Tool.probe(report.files[0].path).packets?.count == 180)
    #expect(try Tool.complaints(report.files[0].path) == "")
    let source = try ByteSource(path: report.files[0].path)
    for (time, width) in [(4_500, 320), (2_500, 160), (500, 320)] {
      #expect(try StillDecoder.still(from: source, at: .milliseconds(Int64(time))).width == width)
    }
  }

  @Test("A film that players cannot turn says so")
  func missingRotation() throws {
    var video = try track([Footage.vp8.get()])
    video.segments[0].rotation = 270
    #expect(try TrackJoiner.join(video: video, to: Tool.path("")).files.map(\.missingRotation) == [270])
  }

  @Test("A damaged segment is named, and the others are joined")
  func damaged() throws {
    let footage = try Footage.h264.get()
    var whole = try track([footage, footage.shifted(.milliseconds(3_000))])
    whole.segments.insert(
      RecordedSegment(source: ByteSource([1, 2, 3, 4]), start: Footage.start + .milliseconds(2_500)), at: 1)
    let report = try TrackJoiner.join(video: whole, to: Tool.path(""))
    #expect(report.damagedVideo == [1])
    #expect(try Tool.probe(report.files[0].path).packets?.count == 2 * footage.frames.count)
  }

  @Test("Nothing is overwritten, nothing half done is left")
  func refusals() throws {
    let video = try track([Footage.h264.get()])
    let base = Tool.path("")
    _ = try Tool.file([7], "")
    _ = try TrackJoiner.join(video: video, to: base)
    #expect(throws: MediaFileError.self) { try TrackJoiner.join(video: video, to: base) }
    #expect(throws: MediaFileError.self) { try TrackJoiner.join(to: base) }
    #expect(throws: MediaFileError.self) { try TrackJoiner.join(video: video, to: "/nowhere/film") }
    let other = Tool.path("")
    #expect(throws: MediaFileError(.cancelled, "Stopped on request.")) {
      try TrackJoiner.join(video: video, to: other) { $0 < 0.5 }
    }
    #expect(!FileManager.default.fileExists(atPath: other + ".mp4"))
  }
}
