import Archive
import Foundation
import MediaFiles
import Primitives
import Testing

@Suite("Films that are encoded anew")
struct FilmTests {
  private func segment(_ footage: Footage) throws -> RecordedSegment {
    RecordedSegment(
      source: ByteSource(try footage.file(start: footage.frames[0].time)), start: footage.frames[0].time,
      rotation: footage.format.rotation)
  }

  private func track(_ footage: Footage...) throws -> RecordedTrack {
    RecordedTrack(kind: footage[0].format.kind, segments: try footage.map { try segment($0) })
  }

  private func span(_ from: Double, _ to: Double) -> TimeSpan {
    TimeSpan(start: Footage.start + .seconds(from), end: Footage.start + .seconds(to))
  }

  /// 320x180 grows to 640x360 in a cell of 640x576: its rows are from 40 + 24 + 96 on.
  private func cell(_ index: Int) -> String { "400:60:\(index * 640 + 120):190" }

  @Test("Two cameras and a microphone on one clock, with a gap")
  func sideBySide() throws {
    let ramp = try Footage.ramp.get()
    let plan = CompositePlan(
      span: span(0, 6),
      cameras: [
        .init(label: "Caller", track: try track(ramp, ramp.shifted(.milliseconds(4_000)))),
        .init(label: "Ambulance", track: try track(Footage.rampVP8.get().shifted(.milliseconds(1_000)))),
      ],
      microphones: [try track(Footage.opus.get().shifted(.milliseconds(1_500)))],
      places: [.init(text: "60.1699 N, 24.9384 E", span: span(0, 9))],
      captions: [.init(text: "Operator: help is on its way", span: span(1, 3))])
    let path = Tool.path(".mp4")
    var fractions: [Double] = []
    try Composite.render(plan, to: path) {
      fractions.append($0)
      return true
    }
    #expect(fractions.last == 1 && fractions == fractions.sorted())
    let probe = try Tool.probe(path)
    #expect(probe.streams.map(\.codecName) == ["h264", "aac"])
    #expect((probe.streams[0].width, probe.streams[0].height) == (1280, 720))
    #expect(probe.packets?.filter { $0.streamIndex == 0 }.count == 90)
    #expect(abs((Double(probe.format?.duration ?? "") ?? 0) - 6) < 0.1)
    #expect(try Tool.complaints(path) == "")
    // Frame 30 n of the ramp is to be seen n seconds later.
    #expect(abs(try Tool.luma(path, crop: cell(0), seek: 1) - (16 + 3 * 30)) <= 5)
    #expect(abs(try Tool.luma(path, crop: cell(1), seek: 2) - (16 + 3 * 30)) <= 5)
    #expect(abs(try Tool.luma(path, crop: cell(0), seek: 5) - (16 + 3 * 30)) <= 5)
    // Nothing yet, and nothing more two seconds after the last picture.
    #expect(try Tool.luma(path, crop: cell(1), seek: 0.5) <= 18)
    #expect(try Tool.luma(path, crop: cell(1), seek: 5.5) <= 18)
    // The clock, the place and a caption; then none.
    #expect(try Tool.luma(path, crop: "300:40:0:0", seek: 0) > 20)
    #expect(try Tool.luma(path, crop: "300:40:320:0", seek: 0) > 20)
    #expect(try Tool.luma(path, crop: "300:30:0:616", seek: 2) > 20)
    #expect(try Tool.luma(path, crop: "300:30:0:616", seek: 4) == 16)
    #expect(try Tool.loudness(path, from: 0, seconds: 1.4) < 0.001)
    #expect(try Tool.loudness(path, from: 1.6, seconds: 1.8) > 0.05)
    #expect(try Tool.loudness(path, from: 3.7, seconds: 2) < 0.001)
  }

  @Test("A gap that the manifest names is black at once, and so is what lies outside of the film's span")
  func namedGap() throws {
    var video = try track(Footage.ramp.get())
    video.gaps = [span(0.8, 1.2)]
    let plan = CompositePlan(span: span(0.5, 2), cameras: [.init(label: "", track: video)], microphones: [])
    let path = Tool.path(".mp4")
    try Composite.render(plan, to: path)
    let middle = "200:60:540:100"
    #expect(abs(try Tool.luma(path, crop: middle, seek: 0) - (16 + 3 * 15)) <= 5)
    #expect(try Tool.luma(path, crop: middle, seek: 0.4) <= 18)
    #expect(abs(try Tool.luma(path, crop: middle, seek: 0.8) - (16 + 3 * 39)) <= 5)
    #expect(try Tool.probe(path).streams.count == 1)
  }

  @Test("Sound before the film's span is not heard in it")
  func laterStart() throws {
    let plan = CompositePlan(span: span(1.5, 4), cameras: [], microphones: [try track(Footage.opus.get())])
    let path = Tool.path(".mp4")
    try Composite.render(plan, to: path)
    #expect(try Tool.loudness(path, from: 0, seconds: 0.45) > 0.05)
    #expect(try Tool.loudness(path, from: 0.7, seconds: 1.5) < 0.001)
  }

  @Test("Foreign text is only text")
  func foreignText() throws {
    let texts = [
      "%{localtime} %{pts} \\ ' : , ; [in] {} = \u{0} \n\r\u{202e}", "':x=0,drawbox=color=red[a]", "مساعدة في الطريق",
      "",
      String(repeating: "word ", count: 2_000), String(repeating: "W", count: 5_000), "👩🏽‍🚒 火事です",
    ]
    let plan = CompositePlan(
      span: span(0, Double(texts.count) / 2),
      cameras: texts.prefix(3).map { .init(label: $0, track: RecordedTrack(kind: .video, segments: [])) },
      microphones: [], places: [.init(text: texts[0], span: span(0, 9))],
      captions: texts.enumerated().map { .init(text: $1, span: span(Double($0) / 2, Double($0) / 2 + 1)) })
    let path = Tool.path(".mp4")
    try Composite.render(plan, to: path)
    #expect(try Tool.complaints(path) == "")
  }

  @Test("Plans that make no sense are refused, a stopped film is removed")
  func refusals() throws {
    let camera = CompositePlan.Camera(label: "", track: try track(Footage.ramp.get()))
    let path = Tool.path(".mp4")
    func attempt(_ plan: CompositePlan) {
      #expect(throws: MediaFileError.self) { try Composite.render(plan, to: path) }
    }
    attempt(CompositePlan(span: span(1, 1), cameras: [camera], microphones: []))
    attempt(CompositePlan(span: span(0, 90_000), cameras: [camera], microphones: []))
    attempt(CompositePlan(span: span(0, 1), cameras: Array(repeating: camera, count: 17), microphones: []))
    #expect(throws: MediaFileError(.cancelled, "Stopped on request.")) {
      try Composite.render(CompositePlan(span: span(0, 2), cameras: [camera], microphones: []), to: path) { $0 < 0.3 }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("Regions cannot be recognised and spans cannot be heard; the rest is as it was", arguments: [0, 90])
  func redaction(rotation: Int) throws {
    var footage = try Footage.halves.get()
    footage.format.rotation = rotation
    let joined = try TrackJoiner.join(
      video: track(footage), audio: track(Footage.opus.get()), to: Tool.path("")
    ).files[0]
    let film = RecordedSegment(source: try ByteSource(path: joined.path), start: joined.start)
    // White to the left, or above once turned; the border of white and black lies within a tile.
    let isTurned = rotation == 90
    let region = RedactionPlan.Region(
      x: isTurned ? 0 : 0.25, y: isTurned ? 0.25 : 0, width: isTurned ? 1 : 0.6, height: isTurned ? 0.6 : 1,
      span: span(0, 1))
    let path = Tool.path(".mp4")
    try Redaction.apply(RedactionPlan(regions: [region], mutedSpans: [span(0.5, 1)]), to: film, path: path)
    let probe = try Tool.probe(path)
    #expect((probe.streams[0].width, probe.streams[0].height) == (isTurned ? (180, 320) : (320, 180)))
    #expect(probe.packets?.filter { $0.streamIndex == 0 }.count == footage.frames.count)
    let border = isTurned ? "160:12:10:156" : "12:160:156:10"
    let mixed = (235 * 8 + 16 * 16) / 24
    #expect(abs(try Tool.luma(path, crop: border, seek: 0.5) - mixed) <= 6)
    #expect(abs(try Tool.luma(path, crop: isTurned ? "160:4:10:154" : "4:160:154:10", seek: 1.5) - 235) <= 6)
    #expect(try Tool.loudness(path, from: 0, seconds: 0.4) > 0.05)
    #expect(try Tool.loudness(path, from: 0.5, seconds: 0.5) < 0.002)
    #expect(try Tool.loudness(path, from: 1.1, seconds: 0.7) > 0.05)
    #expect(try Tool.complaints(path) == "")
  }

  @Test("Sound alone is redacted as well; regions outside of the picture are refused")
  func soundAlone() throws {
    let film = try segment(Footage.opus.get())
    let path = Tool.path(".mp4")
    try Redaction.apply(RedactionPlan(regions: [], mutedSpans: [span(0, 1)]), to: film, path: path)
    #expect(try Tool.loudness(path, from: 0, seconds: 1) < 0.002)
    #expect(try Tool.loudness(path, from: 1.1, seconds: 0.8) > 0.05)
    for value in [-0.1, 1.1, .nan, .infinity] {
      let region = RedactionPlan.Region(x: value, y: 0, width: 0.1, height: 0.1, span: span(0, 1))
      #expect(throws: MediaFileError.self) {
        try Redaction.apply(RedactionPlan(regions: [region], mutedSpans: []), to: film, path: Tool.path(".mp4"))
      }
    }
  }
}
