import Archive
import CLibAV
import Primitives

/// What a redacted copy must not show and must not say.
package struct RedactionPlan: Hashable, Sendable {
  /// A part of the picture as it is shown, turned; from 0 to 1, from the left and from the top.
  package struct Region: Hashable, Sendable {
    package var x: Double
    package var y: Double
    package var width: Double
    package var height: Double
    package var span: TimeSpan

    package init(x: Double, y: Double, width: Double, height: Double, span: TimeSpan) {
      self.x = x
      self.y = y
      self.width = width
      self.height = height
      self.span = span
    }
  }

  package var regions: [Region]
  package var mutedSpans: [TimeSpan]

  package init(regions: [Region], mutedSpans: [TimeSpan]) {
    self.regions = regions
    self.mutedSpans = mutedSpans
  }
}

/// Makes a copy of a film in which parts of the picture cannot be recognised, and stretches of sound are silent.
///
/// All is encoded anew, H.264 and AAC in MP4, and nothing else of the original is kept: no second track, no hidden
/// messages in the stream. Regions become a mosaic of at most eight by eight tiles, each in its own mean colour. Turned
/// pictures are turned for good. The copy says nothing about its parent: that is the caller's to note.
package final class Redaction {
  /// Regions and muted spans.
  package static let maximumItems = 1_000
  private static let tilesAcross = 8
  /// The first picture or sound of a film whose header says nothing.
  private let start: UTCTime
  private let plan: RedactionPlan
  private let scaler = Scaler()
  private var size: (width: Int, height: Int)?

  /// Copies a film (its clock counts from its segment's start) to `path`, which must be free.
  ///
  /// Throws ``MediaFileError``; `time` or `unsupported` when the plan makes no sense.
  package static func apply(
    _ plan: RedactionPlan, to film: RecordedSegment, path: String, progress: ProgressHandler? = nil
  ) throws(MediaFileError) {
    try Redaction(plan, start: film.start).run(film, path, progress)
  }

  private init(_ plan: RedactionPlan, start: UTCTime) throws(MediaFileError) {
    guard plan.regions.count + plan.mutedSpans.count <= Self.maximumItems else {
      throw MediaFileError(.unsupported, "A redaction has at most \(Self.maximumItems) regions and muted spans.")
    }
    for region in plan.regions {
      let values = [region.x, region.y, region.width, region.height]
      guard values.allSatisfy({ (0...1).contains($0) }), region.width > 0, region.height > 0 else {
        throw MediaFileError(.unsupported, "A region's place and size are between 0 and 1.")
      }
    }
    guard (plan.regions.map(\.span) + plan.mutedSpans).allSatisfy({ $0.start < $0.end }) else {
      throw MediaFileError(.time, "A redacted span ends after it begins.")
    }
    self.plan = plan
    self.start = start
  }

  private func run(_ film: RecordedSegment, _ path: String, _ progress: ProgressHandler?) throws(MediaFileError) {
    let kinds = Set(try FragmentDemuxer(film.source).tracks.map(\.kind))
    let pictures = TrackReader(RecordedTrack(kind: .video, segments: [film]), origin: start)
    let sound = SoundCursor(RecordedTrack(kind: .audio, segments: [film]), origin: start)
    let first = kinds.contains(.video) ? try pictures.peek() : nil
    if let track = first?.track {
      let isTurned = track.rotation == 90 || track.rotation == 270
      let (width, height) = isTurned ? (track.height, track.width) : (track.width, track.height)
      size = (max(2, width & ~1), max(2, height & ~1))
    }
    let writer = try FilmWriter(path: path, size: size, hasSound: kinds.contains(.audio))
    var meter = ProgressMeter(progress)
    if let track = first?.track {
      let decoder = try TrackDecoder(track, threads: 2)
      while let packet = try pictures.read() {
        try decoder.decode(packet.packet) { (frame) throws(MediaFileError) in
          try self.write(frame, track.rotation, sound, writer)
        }
        try meter.report(pictures.progress * 0.99)
      }
      try decoder.drain { (frame) throws(MediaFileError) in try self.write(frame, track.rotation, sound, writer) }
    }
    if kinds.contains(.audio) {
      while !sound.isFinished {
        try writer.writeSound(upTo: self.end(writer) + Self.soundStep) { (at, left, right) throws(MediaFileError) in
          try self.add(sound, at, left, right)
        }
        // Without pictures nothing else tells how far the work is, but it can be stopped.
        try meter.report(0.99)
      }
    }
    try writer.finish()
    try meter.report(1)
  }

  /// Nanoseconds of sound between two questions whether to go on.
  private static let soundStep: Int64 = 1_000_000_000

  private func end(_ writer: FilmWriter) -> Int64 {
    writer.samples * 1_000_000_000 / Int64(Encoder.sampleRate)
  }

  private func write(
    _ frame: FrameHandle, _ rotation: Int, _ sound: SoundCursor, _ writer: FilmWriter
  ) throws(MediaFileError) {
    guard let size else { return }
    let time = max(0, frame.pointer.pointee.pts)
    let isTurned = rotation == 90 || rotation == 270
    let scaled = try scaler.scale(
      frame, width: isTurned ? size.height : size.width, height: isTurned ? size.width : size.height,
      format: AV_PIX_FMT_YUV420P)
    let picture = try scaled.rotated(rotation)
    let now = start + TimeInterval64(nanoseconds: time)
    for region in plan.regions where region.span.contains(now) { hide(region, in: picture) }
    try writer.writeSound(upTo: time) { (at, left, right) throws(MediaFileError) in
      try self.add(sound, at, left, right)
    }
    try writer.write(picture, at: time)
  }

  /// Sound, without what is muted: a little more than was asked for, by as much as sound may be off its time.
  private func add(
    _ sound: SoundCursor, _ position: Int64, _ left: UnsafeMutableBufferPointer<Float>,
    _ right: UnsafeMutableBufferPointer<Float>
  ) throws(MediaFileError) {
    try sound.add(from: position, left: left, right: right)
    for span in plan.mutedSpans {
      let from = sample(span.start, roundedUp: false) - SoundCursor.tolerance - position
      let to = sample(span.end, roundedUp: true) + SoundCursor.tolerance - position
      let range = Int(max(0, min(from, Int64(left.count))))..<Int(max(0, min(to, Int64(left.count))))
      for index in range {
        left[index] = 0
        right[index] = 0
      }
    }
  }

  private func sample(_ time: UTCTime, roundedUp: Bool) -> Int64 {
    let nanoseconds = max(0, min((time - start).nanoseconds, Ticks.maximumTime))
    let product = nanoseconds / 1_000 * Int64(Encoder.sampleRate)
    return (product + (roundedUp ? 999_999 : 0)) / 1_000_000
  }

  /// Replaces a region by a mosaic.
  private func hide(_ region: RedactionPlan.Region, in picture: FrameHandle) {
    for index in 0..<3 {
      guard let plane = picture.plane(index) else { continue }
      let left = Int((region.x * Double(plane.width)).rounded(.down))
      let top = Int((region.y * Double(plane.height)).rounded(.down))
      let right = min(plane.width, Int(((region.x + region.width) * Double(plane.width)).rounded(.up)))
      let bottom = min(plane.height, Int(((region.y + region.height) * Double(plane.height)).rounded(.up)))
      guard left < right, top < bottom else { continue }
      let tile = max(4, (max(right - left, bottom - top) + Self.tilesAcross - 1) / Self.tilesAcross)
      for y in stride(from: top, to: bottom, by: tile) {
        for x in stride(from: left, to: right, by: tile) {
          plane.flatten(columns: x..<min(x + tile, right), rows: y..<min(y + tile, bottom))
        }
      }
    }
  }
}

extension FrameHandle.Plane {
  /// Gives all pixels of a part their mean.
  fileprivate func flatten(columns: Range<Int>, rows: Range<Int>) {
    var sum = 0
    for row in rows {
      for column in columns { sum += Int(data[row * stride + column]) }
    }
    let mean = UInt8(clamping: sum / max(1, columns.count * rows.count))
    for row in rows {
      (data + row * stride + columns.lowerBound).update(repeating: mean, count: columns.count)
    }
  }
}
