import Archive
import MediaFiles
import Primitives
import Testing

@Suite("Files out of fragments")
struct FragmentMuxerTests {
  private func ticks(_ offset: TimeInterval64, _ format: TrackFormat) -> Int64 {
    let perSecond: Int64 = format.container == .webm ? 1_000 : format.kind == .audio ? 48_000 : 90_000
    return (offset.nanoseconds / 1_000 * perSecond + 500_000) / 1_000_000
  }

  @Test("FFmpeg reads every frame back at its tick and decodes the file without a word", arguments: Footage.names)
  func roundTrip(name: String) throws {
    let footage = try Footage.named(name)
    let path = try Tool.file(try footage.file(), ".\(footage.format.container.rawValue)")
    let probe = try Tool.probe(path)
    let packets = try #require(probe.packets)
    #expect(packets.count == footage.frames.count)
    #expect(packets.map(\.pts) == footage.frames.map { ticks($0.time - Footage.start, footage.format) })
    #expect(packets.map(\.isKeyframe) == footage.frames.map(\.isKeyframe))
    #expect(packets.map(\.size) == footage.frames.map { String($0.bytes.count) })
    #expect(probe.streams.count == 1)
    #expect(probe.streams[0].width ?? 0 == footage.format.width)
    #expect(probe.streams[0].height ?? 0 == footage.format.height)
    #expect(try Tool.complaints(path) == "")
  }

  @Test("A file that begins in the middle, with a gap, keeps its times", arguments: Footage.names)
  func lateStartAndGap(name: String) throws {
    var footage = try Footage.named(name).shifted(.milliseconds(7_531))
    let half = footage.frames.count / 2
    for index in half..<footage.frames.count {
      footage.frames[index].time = footage.frames[index].time + .milliseconds(4_200)
    }
    footage.frames[half - 1].duration = .milliseconds(250)
    let muxer = try FragmentMuxer(format: footage.format, start: Footage.start)
    var bytes = muxer.header
    bytes += try muxer.mux(MediaFragment(format: footage.format, frames: Array(footage.frames[..<half])))
    bytes += try muxer.mux(MediaFragment(format: footage.format, frames: Array(footage.frames[half...])))
    let path = try Tool.file(bytes, ".\(footage.format.container.rawValue)")
    let packets = try #require(try Tool.probe(path).packets)
    #expect(packets.map(\.pts) == footage.frames.map { ticks($0.time - Footage.start, footage.format) })
  }

  @Test("A gap's first moment is in the file: the last frame lasts as long as it says", arguments: Footage.names)
  func lastDuration(name: String) throws {
    let footage = try Footage.named(name)
    var fragment = footage.fragments()[0]
    fragment.frames[fragment.frames.count - 1].duration = .microseconds(253_000)
    let muxer = try FragmentMuxer(format: footage.format, start: Footage.start)
    let bytes = try muxer.mux(fragment)
    let (first, last) = (fragment.start - Footage.start, fragment.frames[fragment.frames.count - 1])
    let end = ticks(last.time - Footage.start + last.duration, footage.format)
    if footage.format.container == .webm {
      let packet = try Tool.probe(try Tool.file(muxer.header + bytes, ".webm")).packets?.last
      #expect(packet?.duration == end - ticks(last.time - Footage.start, footage.format))
    } else {
      #expect(Box.totalDuration(bytes) == UInt64(end - ticks(first, footage.format)))
    }
  }

  @Test("The header and each fragment are what browsers append", arguments: ["h264", "vp9", "av1", "opus"])
  func boxes(name: String) throws {
    let footage = try Footage.named(name)
    let muxer = try FragmentMuxer(format: footage.format, start: Footage.start)
    #expect(Box.names(muxer.header) == ["ftyp", "moov"])
    for fragment in footage.fragments() {
      #expect(Box.names(try muxer.mux(fragment)) == ["moof", "mdat"])
    }
  }

  @Test("Decode time in the file is the fragment's offset, also in the first")
  func decodeTime() throws {
    let footage = try Footage.h264.get().shifted(.milliseconds(86_400_000))
    let muxer = try FragmentMuxer(format: footage.format, start: Footage.start)
    for fragment in footage.fragments() where !fragment.frames.isEmpty {
      let bytes = try muxer.mux(fragment)
      #expect(Box.decodeTime(bytes) == UInt64(ticks(fragment.start - Footage.start, footage.format)))
    }
    #expect(!Box.contains(muxer.header, "edts"))
  }

  @Test("Pictures are turned by the player", arguments: [0, 90, 180, 270])
  func rotation(degrees: Int) throws {
    var footage = try Footage.h264.get()
    footage.format.rotation = degrees
    let bytes = try footage.file()
    let probe = try Tool.probe(try Tool.file(bytes, ".mp4"))
    // FFmpeg counts the other way round.
    let shown = probe.streams[0].sideDataList?.compactMap(\.rotation).first ?? 0
    #expect((360 - shown) % 360 == degrees)
    #expect(try FragmentDemuxer(ByteSource(bytes)).tracks[0].rotation == degrees)
  }

  @Test("Times that jump back a little are written behind their predecessor; a lot is refused")
  func backwards() throws {
    let footage = try Footage.h264.get()
    let muxer = try FragmentMuxer(format: footage.format, start: Footage.start)
    var frames = Array(footage.frames[..<10])
    frames[5].time = frames[2].time
    let bytes = muxer.header + (try muxer.mux(MediaFragment(format: footage.format, frames: frames)))
    let stamps = try #require(try Tool.probe(try Tool.file(bytes, ".mp4")).packets?.compactMap(\.pts))
    #expect(stamps == stamps.sorted() && Set(stamps).count == 10)
    frames[0].time = Footage.start + .milliseconds(-2_000)
    #expect(throws: MediaFileError.self) { try muxer.mux(MediaFragment(format: footage.format, frames: frames)) }
  }

  @Test("Nothing absurd is written, and the file goes on afterwards", arguments: Footage.names)
  func absurd(name: String) throws {
    let footage = try Footage.named(name)
    let muxer = try FragmentMuxer(format: footage.format, start: Footage.start)
    let good = footage.frames[0]
    func attempt(_ change: (inout MediaFrame) -> Void) {
      var frame = good
      change(&frame)
      #expect(throws: MediaFileError.self) { try muxer.mux(MediaFragment(format: footage.format, frames: [frame])) }
    }
    attempt { $0.bytes = [] }
    attempt { $0.duration = .milliseconds(3_600_001) }
    attempt { $0.duration = TimeInterval64(nanoseconds: .max) }
    attempt { $0.time = UTCTime(microseconds: .max) }
    attempt { $0.time = UTCTime(microseconds: .min) }
    #expect(throws: MediaFileError.self) { try muxer.mux(MediaFragment(format: footage.format, frames: [])) }
    var negative = good
    negative.duration = TimeInterval64(nanoseconds: .min)
    let bytes = try muxer.header + muxer.mux(MediaFragment(format: footage.format, frames: [negative]))
    #expect(try FragmentDemuxer(ByteSource(bytes)).next()?.bytes == good.bytes)
  }

  @Test(
    "Formats that no header can say are refused",
    arguments: [
      TrackFormat(codec: .vp8, width: 0, height: 180),
      TrackFormat(codec: .vp8, width: 320, height: 1_000_000),
      TrackFormat(codec: .vp9(profile: 9, bitDepth: 8), width: 320, height: 180),
      TrackFormat(codec: .vp9(profile: 0, bitDepth: 9), width: 320, height: 180),
      TrackFormat(codec: .h264(sequenceParameters: [], pictureParameters: []), width: 320, height: 180),
      TrackFormat(codec: .h264(sequenceParameters: [[]], pictureParameters: [[1]]), width: 320, height: 180),
      TrackFormat(codec: .av1(sequenceHeader: []), width: 320, height: 180),
      TrackFormat(codec: .av1(sequenceHeader: [1, 2, 3, 4, 5]), width: 320, height: 180),
      TrackFormat(codec: .opus(channels: 0)),
      TrackFormat(codec: .vp8, width: 320, height: 180, rotation: 45),
    ])
  func formats(format: TrackFormat) {
    #expect(throws: MediaFileError.self) { try FragmentMuxer(format: format, start: Footage.start) }
  }
}
