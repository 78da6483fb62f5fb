import Archive
import CLibAV
import Primitives

/// An overview of a recording: small pictures, every few seconds, out of its keyframes.
package enum ContactSheet {
  /// Pictures of one sheet.
  package static let maximumPictures = 1_000
  /// Of a sprite.
  package static let columns = 10
  /// Pixels of a sprite's cell.
  package static let cellWidth = 160
  package static let cellHeight = 90

  /// Small pictures in one: ``columns`` in a row, cells of ``cellWidth`` by ``cellHeight``, in the order of `times`.
  package struct Sprite: Hashable, Sendable {
    package var width: Int
    package var height: Int
    /// When each picture was taken, on the file's clock.
    package var times: [TimeInterval64]
    package var jpeg: [UInt8]
  }

  /// One JPEG each, no wider than ``StillDecoder/thumbnailWidth``.
  ///
  /// They are at least `every` apart; there may be none.
  package static func thumbnails(
    from source: ByteSource, every: TimeInterval64, rotation: Int? = nil, limit: Int = maximumPictures
  ) throws(MediaFileError) -> [Still] {
    var stills: [Still] = []
    try forEachPicture(source, every: every, limit: limit) { (frame, turned) throws(MediaFileError) in
      stills.append(try StillDecoder.encode(frame, rotation: rotation ?? turned, size: .thumbnail))
    }
    return stills
  }

  /// All in one JPEG; throws with the code `empty` when there is no picture.
  package static func sprite(
    from source: ByteSource, every: TimeInterval64, rotation: Int? = nil, limit: Int = maximumPictures
  ) throws(MediaFileError) -> Sprite {
    var cells: [FrameHandle] = []
    try forEachPicture(source, every: every, limit: limit) { (frame, turned) throws(MediaFileError) in
      let small = try StillDecoder.prepare(frame, rotation: rotation ?? turned, size: .thumbnail)
      let size = Scaler.fit(
        width: small.width, height: small.height, into: (cellWidth, cellHeight), enlarges: true)
      cells.append(try Scaler().scale(small, width: size.width, height: size.height, format: AV_PIX_FMT_YUVJ420P))
    }
    guard !cells.isEmpty else { throw MediaFileError(.empty, "The recording has no whole picture.") }
    let rows = (cells.count + columns - 1) / columns
    let sheet = try FrameHandle(
      width: cellWidth * min(columns, cells.count), height: cellHeight * rows, format: AV_PIX_FMT_YUVJ420P)
    sheet.fill(luma: 0)
    for (index, cell) in cells.enumerated() {
      sheet.paste(
        cell, x: index % columns * cellWidth + (cellWidth - cell.width) / 2,
        y: index / columns * cellHeight + (cellHeight - cell.height) / 2)
    }
    return Sprite(
      width: sheet.width, height: sheet.height,
      times: cells.map { TimeInterval64(nanoseconds: $0.pointer.pointee.pts) },
      jpeg: try JPEGEncoder.encode(sheet, quality: .preview))
  }

  /// Decodes keyframes alone; `body` gets the rotation that the file states as well.
  private static func forEachPicture(
    _ source: ByteSource, every: TimeInterval64, limit: Int,
    _ body: (FrameHandle, Int) throws(MediaFileError) -> Void
  ) throws(MediaFileError) {
    let demuxer = try FragmentDemuxer(source)
    guard let track = demuxer.tracks.first(where: { $0.kind == .video }) else {
      throw MediaFileError(.empty, "The recording has no pictures.")
    }
    let decoder = try TrackDecoder(track)
    var next: TimeInterval64?
    var count = 0
    while count < min(limit, maximumPictures), let packet = try demuxer.next() {
      guard packet.track == track.index, packet.isKeyframe, next.map({ packet.time >= $0 }) ?? true else { continue }
      var picture: FrameHandle?
      try decoder.decode(packet) { picture = $0 }
      try decoder.drain { picture = $0 }
      guard let picture else { continue }
      try body(picture, track.rotation)
      next = packet.time + every
      count += 1
    }
  }
}
