import Archive
import MediaFiles
import Primitives
import Testing

@Suite("Files that are damaged or hostile")
struct HostileFileTests {
  @Test("1,000 files with flipped bits are read, shown or refused, and never trap", arguments: Footage.names)
  func flips(name: String) throws {
    let footage = try Footage.named(name)
    let whole = try footage.file()
    var random = RandomSource.seeded(2026)
    for round in 0..<200 {
      var bytes = whole
      // Half of them in the header, where a flip does the most.
      let range = round % 2 == 0 ? 600 : bytes.count
      for _ in 0...(round % 4) {
        bytes[Int(random.next() % UInt64(min(range, bytes.count)))] ^= 1 << UInt8(random.next() % 8)
      }
      read(bytes)
      if round % 4 == 1, footage.format.kind == .video { show(bytes) }
    }
  }

  @Test("A file that is cut off anywhere gives its whole frames", arguments: Footage.names)
  func truncated(name: String) throws {
    let whole = try Footage.named(name).file()
    var counts: [Int] = []
    for part in 0...20 {
      counts.append(read(Array(whole.prefix(whole.count * part / 20))))
    }
    #expect(counts == counts.sorted())
    #expect(counts.last == (try Footage.named(name).frames.count))
  }

  @Test("Damaged recordings are joined, composed and redacted as far as they can be", arguments: Footage.names)
  func films(name: String) throws {
    let footage = try Footage.named(name)
    let whole = try footage.file()
    var random = RandomSource.seeded(112)
    for round in 0..<4 {
      var bytes = whole
      for _ in 0..<(1 + round * 8) { bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8) }
      let segment = RecordedSegment(source: ByteSource(bytes), start: Footage.start)
      let track = RecordedTrack(kind: footage.format.kind, segments: [segment])
      let isVideo = footage.format.kind == .video
      _ = try? TrackJoiner.join(video: isVideo ? track : nil, audio: isVideo ? nil : track, to: Tool.path(""))
      let span = TimeSpan(start: Footage.start, end: Footage.start + .milliseconds(500))
      // What cannot be read is black or silent, never a reason to give up.
      try Composite.render(
        CompositePlan(
          span: span, cameras: isVideo ? [.init(label: "", track: track)] : [], microphones: isVideo ? [] : [track]),
        to: Tool.path(".mp4"))
      _ = try? Redaction.apply(
        RedactionPlan(regions: [.init(x: 0, y: 0, width: 1, height: 1, span: span)], mutedSpans: [span]), to: segment,
        path: Tool.path(".mp4"))
    }
  }

  @Test("Other containers and playlists are refused")
  func others() throws {
    let playlists = [
      "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile /etc/passwd\n", "<html>", "",
    ]
    for text in playlists {
      #expect(throws: MediaFileError.self) { try FragmentDemuxer(ByteSource(Array(text.utf8))) }
    }
    let path = Tool.path(".avi")
    try Tool.ffmpeg(["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-c:v", "mjpeg", path])
    #expect(throws: MediaFileError.self) { try FragmentDemuxer(ByteSource(path: path)) }
    #expect(throws: MediaFileError.self) { try ByteSource(path: "/nowhere/file.mp4") }
  }

  @Test("A summary says what is in a file", arguments: Footage.names)
  func summary(name: String) throws {
    let footage = try Footage.named(name).shifted(.milliseconds(3_000))
    let summary = try MediaFileSummary(of: ByteSource(try footage.file()))
    #expect(summary.container == footage.format.container)
    #expect(summary.mimeType == "\(footage.format.kind.rawValue)/\(footage.format.container.rawValue)")
    #expect((summary.frames, summary.tracks.count) == (footage.frames.count, 1))
    #expect(summary.keyframes == footage.frames.filter(\.isKeyframe).count)
    #expect(abs(summary.start.seconds - 3) < 0.001)
    #expect(abs(summary.duration.seconds - 2) < 0.04)
    let header = try FragmentMuxer(format: footage.format, start: Footage.start).header
    #expect(throws: MediaFileError.self) { try MediaFileSummary(of: ByteSource(header)) }
  }

  @Test("What a source throws comes through")
  func failingSource() throws {
    let whole = try Footage.h264.get().file(fragmentSeconds: 0.2)
    let failing = ByteSource(length: whole.count) { range throws(MediaFileError) in
      guard range.upperBound < whole.count else { throw MediaFileError(.input, "The disk is gone.") }
      return Array(whole[range])
    }
    #expect(throws: MediaFileError(.input, "The disk is gone.")) {
      let demuxer = try FragmentDemuxer(failing)
      while try demuxer.next() != nil {}
    }
  }

  @discardableResult
  private func read(_ bytes: [UInt8]) -> Int {
    var count = 0
    guard let demuxer = try? FragmentDemuxer(ByteSource(bytes)) else { return 0 }
    while let packet = try? demuxer.next(), count < 10_000 {
      count += 1
      _ = (packet.time, packet.length)
    }
    return count
  }

  private func show(_ bytes: [UInt8]) {
    _ = try? StillDecoder.still(from: ByteSource(bytes), at: .milliseconds(700), size: .thumbnail)
  }
}
