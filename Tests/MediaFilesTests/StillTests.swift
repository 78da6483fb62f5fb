import Archive
import MediaFiles
import Primitives
import Testing

@Suite("Single pictures")
struct StillTests {
  /// Of frame `n` of ``Footage/ramp``, as a JPEG has it.
  private func luma(_ n: Int) -> Int { 3 * n * 255 / 219 }

  @Test("The picture that was to be seen at a moment", arguments: [0, 1, 14, 15, 16, 29, 44, 59], [true, false])
  func moment(frame: Int, isH264: Bool) throws {
    let footage = try (isH264 ? Footage.ramp : Footage.rampVP8).get()
    let moment = footage.frames[frame].time - Footage.start + .milliseconds(10)
    let still = try StillDecoder.still(from: ByteSource(try footage.file()), at: moment)
    #expect((still.width, still.height) == (320, 180))
    #expect(abs((still.time - (footage.frames[frame].time - Footage.start)).seconds) < 0.001)
    let shown = try Tool.luma(try Tool.file(still.jpeg, ".jpg"))
    #expect(abs(shown - luma(frame)) <= 2)
  }

  @Test("A header and the fragments of one group are enough", arguments: Footage.names.filter { $0 != "opus" })
  func group(name: String) throws {
    let footage = try Footage.named(name)
    let muxer = try FragmentMuxer(format: footage.format, start: Footage.start)
    let fragments = try footage.fragments().map { (fragment) in try muxer.mux(fragment) }
    let still = try StillDecoder.still(from: ByteSource(muxer.header + fragments[1]), at: .milliseconds(1_500))
    #expect((still.time.seconds - 1.5).magnitude < 0.034)
    let path = try Tool.file(still.jpeg, ".jpg")
    #expect(try Tool.complaints(path) == "")
    #expect(try Tool.probe(path).streams[0].width == 320)
  }

  @Test("Before the first and behind the last picture there is the nearest")
  func beyond() throws {
    let source = ByteSource(try Footage.ramp.get().shifted(.milliseconds(5_000)).file())
    #expect(abs(try StillDecoder.still(from: source, at: .zero).time.seconds - 5) < 0.001)
    #expect(abs(try StillDecoder.still(from: source, at: .milliseconds(90_000)).time.seconds - 6.966) < 0.002)
  }

  @Test(
    "Pictures are turned",
    arguments: [(0, "iw/2:ih:0:0"), (90, "iw:ih/2:0:0"), (180, "iw/2:ih:iw/2:0"), (270, "iw:ih/2:0:ih/2")])
  func rotation(degrees: Int, white: String) throws {
    var footage = try Footage.halves.get()
    footage.format.rotation = degrees
    let source = ByteSource(try footage.file())
    for size in [Still.Size.full, .thumbnail] {
      let still = try StillDecoder.still(from: source, at: .zero, size: size)
      #expect((still.width > still.height) == (degrees % 180 == 0))
      #expect(try Tool.luma(try Tool.file(still.jpeg, ".jpg"), crop: white) > 245)
    }
    #expect(try StillDecoder.still(from: source, at: .zero, rotation: 0).width == 320)
  }

  @Test("Sound has no pictures, and neither has what is cut off too early")
  func nothing() throws {
    #expect(throws: MediaFileError.self) {
      try StillDecoder.still(from: ByteSource(try Footage.opus.get().file()), at: .zero)
    }
    let footage = try Footage.h264.get()
    let header = try FragmentMuxer(format: footage.format, start: Footage.start).header
    #expect(throws: MediaFileError.self) { try StillDecoder.still(from: ByteSource(header), at: .zero) }
    #expect(throws: MediaFileError.self) { try StillDecoder.still(from: ByteSource([]), at: .zero) }
  }

  @Test("A contact sheet takes keyframes that are far enough apart")
  func contactSheet() throws {
    let source = ByteSource(try Footage.ramp.get().file())
    let thumbnails = try ContactSheet.thumbnails(from: source, every: .milliseconds(900))
    #expect(thumbnails.map { ($0.time.seconds * 10).rounded() } == [0, 10])
    for (index, thumbnail) in thumbnails.enumerated() {
      #expect(abs(try Tool.luma(try Tool.file(thumbnail.jpeg, ".jpg")) - luma(index * 30)) <= 2)
    }
    let sprite = try ContactSheet.sprite(from: source, every: .milliseconds(400))
    #expect((sprite.width, sprite.height) == (640, 90))
    #expect(sprite.times.map { ($0.seconds * 10).rounded() } == [0, 5, 10, 15])
    let path = try Tool.file(sprite.jpeg, ".jpg")
    for index in 0..<4 {
      #expect(abs(try Tool.luma(path, crop: "100:50:\(index * 160 + 30):20") - luma(index * 15)) <= 3)
    }
    #expect(try ContactSheet.thumbnails(from: source, every: .zero, limit: 1).count == 1)
  }
}
