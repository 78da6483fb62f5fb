import Archive
import Foundation
import Incidents
import MediaFiles
import Primitives

/// One picture out of a recording, with where it is from.
package struct RecordedPicture: Sendable {
  package let track: TrackID
  /// The stream, as `media.source` events name it.
  package let source: String
  package let time: UTCTime
  package let width: Int
  package let height: Int
  package let jpeg: [UInt8]
}

// Single pictures, decoded where they are asked for.

extension ArchiveLibrary {
  /// The picture of a track that was to be seen at `time`, or the last one that is recorded.
  ///
  /// - Parameters:
  ///   - track: Which track; the video track that was written to last if nil.
  ///   - source: Or by its stream, as `media.source` events name it.
  package func picture(
    of incident: IncidentID, track: TrackID? = nil, source: String? = nil, at time: UTCTime? = nil, size: Still.Size
  ) async throws(Refusal) -> RecordedPicture {
    guard let manifest = try await manifest(of: incident) else { throw .nothingRecorded }
    let wanted = manifest.contents.tracks.filter { candidate in
      candidate.kind == .video && (track ?? candidate.id) == candidate.id
        && (source ?? candidate.entry.source) == candidate.entry.source
    }
    let latest = wanted.max { ($0.end ?? .distantPast) < ($1.end ?? .distantPast) }
    guard let chosen = latest, let place = PicturePlace(in: chosen, at: time) else { throw .nothingRecorded }
    let reader = try await open(place.segment.entry.path, of: incident)
    var bytes = try await read(all: reader, 0..<place.headerLength(overhead: manifest.source.overhead))
    bytes += try await read(all: reader, place.range(overhead: manifest.source.overhead))
    let still = try await decode(bytes, place, size)
    return RecordedPicture(
      track: chosen.id, source: chosen.entry.source, time: place.origin + still.time, width: still.width,
      height: still.height, jpeg: still.jpeg)
  }

  private func read(all reader: Reader, _ range: Range<Int>) async throws(Refusal) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < range.count {
      bytes += try await read(reader, range.lowerBound + bytes.count..<range.upperBound)
    }
    return bytes
  }

  private func decode(_ bytes: [UInt8], _ place: PicturePlace, _ size: Still.Size) async throws(Refusal) -> Still {
    let result = await BlockingWork.run { () -> Result<Still, MediaFileError> in
      Result { () throws(MediaFileError) in
        try StillDecoder.still(
          from: ByteSource(bytes), at: place.offset, rotation: place.segment.entry.rotation, size: size)
      }
    }
    do throws(MediaFileError) {
      return try result.get()
    } catch {
      throw Refusal(.damaged, "There is no picture at this moment: \(error)")
    }
  }
}

/// Where in a track a picture is: from the last keyframe before it.
private struct PicturePlace {
  let segment: ArchiveContents.Segment
  /// Media time 0 of the segment.
  let origin: UTCTime
  /// Of the picture, in the segment.
  let offset: TimeInterval64
  /// The fragments that have to be decoded.
  private let fragments: Range<Int>

  init?(in track: ArchiveContents.Track, at time: UTCTime?) {
    let filled = track.segments.filter { !$0.fragments.isEmpty }
    let after = time.flatMap { time in filled.last { ($0.start ?? .distantPast) <= time } }
    guard let segment = after ?? (time == nil ? filled.last : filled.first), let origin = segment.start,
      let end = segment.end
    else { return nil }
    let wanted = min(time ?? end, end)
    let last = segment.fragments.lastIndex { $0.start <= wanted } ?? 0
    let first = segment.fragments[...last].lastIndex { $0.startsWithKeyframe } ?? 0
    self.segment = segment
    self.origin = origin
    offset = max(.zero, wanted - origin)
    fragments = first..<last + 1
  }

  func headerLength(overhead: Int) -> Int { segment.entry.headerLength - overhead }

  /// Bytes of the fragments in the clear.
  func range(overhead: Int) -> Range<Int> {
    let (first, last) = (segment.fragments[fragments.lowerBound], segment.fragments[fragments.upperBound - 1])
    // Each part before is that much shorter in the clear.
    let start = first.offset - overhead * (fragments.lowerBound + 1)
    let end = last.offset + last.length - overhead * (fragments.upperBound + 1)
    return start..<max(start, end)
  }
}

extension UTCTime {
  fileprivate static let distantPast = UTCTime(microseconds: .min)
}

extension Refusal {
  static let nothingRecorded = Refusal(.wrongState, "No picture is recorded. Wait until one is, or check which stream.")
}
