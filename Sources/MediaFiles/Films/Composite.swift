import Archive
import CLibAV
import Primitives

/// What a side-by-side film shows.
package struct CompositePlan: Sendable {
  /// A camera with a name to show in its cell.
  package struct Camera: Sendable {
    package var label: String
    package var track: RecordedTrack

    package init(label: String, track: RecordedTrack) {
      self.label = label
      self.track = track
    }
  }

  /// A text with the time that it is shown for.
  package struct Caption: Hashable, Sendable {
    package var text: String
    package var span: TimeSpan

    package init(text: String, span: TimeSpan) {
      self.text = text
      self.span = span
    }
  }

  /// What the film covers.
  package var span: TimeSpan
  /// At most ``Composite/maximumCameras``.
  package var cameras: [Camera]
  /// Mixed together; at most ``Composite/maximumMicrophones``.
  package var microphones: [RecordedTrack]
  /// Where the caller was; in the film's head, beside the clock.
  package var places: [Caption]
  /// Chat, notes, changes of priority; in the film's foot.
  package var captions: [Caption]
  /// Shown in a cell while there is no picture.
  package var noPictureText = "No picture"

  package init(
    span: TimeSpan, cameras: [Camera], microphones: [RecordedTrack], places: [Caption] = [], captions: [Caption] = []
  ) {
    self.span = span
    self.cameras = cameras
    self.microphones = microphones
    self.places = places.sorted { $0.span.start < $1.span.start }
    self.captions = captions.sorted { $0.span.start < $1.span.start }
  }
}

/// Makes one film of everything that was recorded of an incident, side by side and on one clock.
///
/// 1280x720, 15 pictures a second, H.264 and AAC in MP4. Cells show a camera as it was to be seen at that moment, turned
/// as it should be; where nothing was recorded a cell is black and says so, and sound is silent. The clock, UTC, the
/// place and captions are part of the picture.
package final class Composite {
  package static let maximumCameras = FilmLayout.maximumCells
  package static let maximumMicrophones = 16
  package static let picturesPerSecond: Int64 = 15
  /// The longest film.
  package static let maximumLength = TimeInterval64(nanoseconds: FilmWriter.maximumLength)

  private let plan: CompositePlan
  private let layout: FilmLayout
  private let cells: [CompositeCell]
  private let sounds: [SoundCursor]
  private let overlay = TextOverlay()
  private let canvas: FrameHandle

  /// Writes the film to `path`, which must be free; throws ``MediaFileError``.
  package static func render(
    _ plan: CompositePlan, to path: String, progress: ProgressHandler? = nil
  ) throws(MediaFileError) {
    try Composite(plan).render(to: path, progress)
  }

  private init(_ plan: CompositePlan) throws(MediaFileError) {
    LibAV.prepare()
    let length = plan.span.end - plan.span.start
    guard length.nanoseconds > 0, length <= Self.maximumLength else {
      throw MediaFileError(.time, "A film covers more than nothing and at most 24 hours, not \(length.seconds) s.")
    }
    guard plan.cameras.count <= Self.maximumCameras, plan.microphones.count <= Self.maximumMicrophones else {
      throw MediaFileError(
        .unsupported,
        "A film holds at most \(Self.maximumCameras) cameras and \(Self.maximumMicrophones) microphones.")
    }
    self.plan = plan
    let layout = FilmLayout(cameras: plan.cameras.count)
    self.layout = layout
    cells = zip(plan.cameras, layout.cells).map { CompositeCell($0, box: $1, origin: plan.span.start) }
    sounds = plan.microphones.map { SoundCursor($0, origin: plan.span.start) }
    canvas = try FrameHandle(width: FilmLayout.width, height: FilmLayout.height, format: AV_PIX_FMT_YUV420P)
    canvas.fill(luma: 16)
  }

  private func render(to path: String, _ progress: ProgressHandler?) throws(MediaFileError) {
    let film = try FilmWriter(
      path: path, size: (FilmLayout.width, FilmLayout.height), hasSound: !plan.microphones.isEmpty)
    var meter = ProgressMeter(progress)
    let length = (plan.span.end - plan.span.start).nanoseconds
    let count = (length * Self.picturesPerSecond + 999_999_999) / 1_000_000_000
    for number in 0..<count {
      let time = number * 1_000_000_000 / Self.picturesPerSecond
      try film.write(try picture(at: time), at: time)
      try film.writeSound(upTo: min(length, time + 1_000_000_000 / Self.picturesPerSecond), mix)
      try meter.report(Double(number) / Double(count) * 0.99)
    }
    try film.finish()
    try meter.report(1)
  }

  private func mix(
    _ start: Int64, _ left: UnsafeMutableBufferPointer<Float>, _ right: UnsafeMutableBufferPointer<Float>
  ) throws(MediaFileError) {
    for sound in sounds { try sound.add(from: start, left: left, right: right) }
  }

  private func picture(at time: Int64) throws(MediaFileError) -> FrameHandle {
    let now = plan.span.start + TimeInterval64(nanoseconds: time)
    var lines = head(at: now) + foot(at: now)
    for cell in cells {
      let isShown = try cell.draw(at: time, on: canvas)
      lines += cell.lines(isShown ? nil : plan.noPictureText)
    }
    let clock = now.text(fractionDigits: 0).replacing("T", with: " ").replacing("Z", with: " UTC")
    return try overlay.draw(lines, clock: clock, on: canvas)
  }

  /// Pixels between the clock and the place.
  private static let placeOffset = 320

  private func head(at now: UTCTime) -> [TextLine] {
    guard let place = plan.places.last(where: { $0.span.contains(now) }) else { return [] }
    let text = TextOverlay.wrap(place.text, width: 78, maximumLines: 1).first ?? ""
    return [TextLine(text: text, x: Self.placeOffset, y: 9, centredIn: nil, size: 22)]
  }

  private static let maximumFootLines = 4

  /// The captions that hold, the newest last; what does not fit is left out from the oldest on.
  private func foot(at now: UTCTime) -> [TextLine] {
    let shown = plan.captions.filter { $0.span.contains(now) }.suffix(Self.maximumFootLines)
    let lines = shown.flatMap { TextOverlay.wrap($0.text, width: 104, maximumLines: 2) }
    return lines.suffix(Self.maximumFootLines).enumerated().map { index, text in
      TextLine(
        text: text, x: 12, y: FilmLayout.height - FilmLayout.footHeight + 6 + index * 24, centredIn: nil, size: 19)
    }
  }
}

/// One camera's part of the canvas.
private final class CompositeCell {
  private let label: String
  private let cursor: PictureCursor
  private let box: FilmLayout.Box
  private let scaler = Scaler()
  /// The number of the picture that the canvas shows; nil for black.
  private var shown: Int?

  init(_ camera: CompositePlan.Camera, box: FilmLayout.Box, origin: UTCTime) {
    label = camera.label
    cursor = PictureCursor(camera.track, origin: origin)
    self.box = box
  }

  /// Brings the cell up to date; false when there is no picture at this moment.
  func draw(at time: Int64, on canvas: FrameHandle) throws(MediaFileError) -> Bool {
    guard let picture = try cursor.picture(at: time) else {
      if shown != nil { canvas.paint(box, luma: 16) }
      shown = nil
      return false
    }
    guard picture.number != shown else { return true }
    let isTurned = picture.rotation == 90 || picture.rotation == 270
    let size = Scaler.fit(
      width: isTurned ? picture.frame.height : picture.frame.width,
      height: isTurned ? picture.frame.width : picture.frame.height,
      into: (box.width, box.height - FilmLayout.labelHeight), enlarges: true)
    let scaled = try scaler.scale(
      picture.frame, width: isTurned ? size.height : size.width, height: isTurned ? size.width : size.height,
      format: AV_PIX_FMT_YUV420P)
    canvas.paint(box, luma: 16)
    canvas.paste(
      try scaled.rotated(picture.rotation), x: box.x + (box.width - size.width) / 2,
      y: box.y + FilmLayout.labelHeight + (box.height - FilmLayout.labelHeight - size.height) / 2)
    shown = picture.number
    return true
  }

  /// The camera's name, and in the middle of the cell what is to be said about it.
  func lines(_ notice: String?) -> [TextLine] {
    let name = TextOverlay.wrap(label, width: box.width / 11, maximumLines: 1).first ?? ""
    var lines = [TextLine(text: name, x: box.x + 8, y: box.y + 3, centredIn: nil, size: 17)]
    if let notice {
      lines.append(TextLine(text: notice, x: box.x, y: box.y + box.height / 2, centredIn: box.width, size: 22))
    }
    return lines
  }
}

extension FrameHandle {
  /// Paints a part of a 4:2:0 picture in one shade of grey; places and sizes must be even and within it.
  func paint(_ box: FilmLayout.Box, luma: UInt8) {
    for index in 0..<3 {
      guard let plane = plane(index) else { continue }
      let shift = index == 0 ? 0 : 1
      let (left, width) = (box.x >> shift, min(box.width >> shift, plane.width - box.x >> shift))
      guard left >= 0, width > 0 else { continue }
      for row in (box.y >> shift)..<min((box.y + box.height) >> shift, plane.height) {
        (plane.data + row * plane.stride + left).update(repeating: index == 0 ? luma : 128, count: width)
      }
    }
  }
}
