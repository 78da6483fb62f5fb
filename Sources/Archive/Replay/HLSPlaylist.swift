import Primitives

/// A track as an HLS media playlist, and an archive as a multivariant one (RFC 8216bis), for players of others.
///
/// Every entry is a byte range of a recorded file that begins with a keyframe, or behind a gap. Files begin at media time 0: each starts
/// behind an `EXT-X-DISCONTINUITY` with its own `EXT-X-MAP`, and `EXT-X-PROGRAM-DATE-TIME` puts all tracks on one
/// clock. VP8 in WebM has no place in HLS and is left out.
package struct HLSPlaylist: Sendable {
  package let contents: ArchiveContents
  /// Bytes that a part is longer on the disk than a player is given.
  package let overhead: Int
  /// Whether nothing will be added.
  package let isComplete: Bool

  /// Seconds that an entry lasts at least, where keyframes allow it.
  static let wantedDuration = 4.0
  /// Seconds between two fragments from which on something is missing.
  static let smallestGap = 0.25
  /// Seconds that a growing playlist promises no entry to exceed; it may not change.
  static let liveTarget = 10

  package init(_ contents: ArchiveContents, overhead: Int = 0, isComplete: Bool) {
    self.contents = contents
    self.overhead = overhead
    self.isComplete = isComplete
  }

  // MARK: - Multivariant playlist

  /// The playlist of playlists (RFC 8216bis §4.4.6); `address` says where a track's is.
  package func multivariant(_ address: (TrackID) -> String) -> String {
    var lines = ["#EXTM3U", "#EXT-X-VERSION:8"]
    let (carried, others) = (contents.tracks.filter(Self.isCarried), contents.tracks.filter { !Self.isCarried($0) })
    for track in others where !track.segments.isEmpty {
      lines.append("# \(track.id) is left out: HLS carries no \(track.segments[0].entry.codec) in WebM.")
    }
    let sounds = carried.filter { $0.kind == .audio }
    for (index, track) in sounds.enumerated() {
      lines.append(
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"\(track.id)\",DEFAULT=\(index == 0 ? "YES" : "NO"),"
          + "AUTOSELECT=YES,URI=\"\(address(track.id))\"")
    }
    let sound = sounds.first
    let pictures = carried.filter { $0.kind == .video }
    for track in pictures {
      lines.append(streamInformation(track, sound: sound))
      lines.append(address(track.id))
    }
    if pictures.isEmpty, let sound {
      lines.append(streamInformation(sound, sound: sound))
      lines.append(address(sound.id))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func streamInformation(_ track: ArchiveContents.Track, sound: ArchiveContents.Track?) -> String {
    var codecs = Self.codecs(of: track)
    for codec in sound.map(Self.codecs) ?? [] where !codecs.contains(codec) { codecs.append(codec) }
    var bandwidth = peakBandwidth(of: track)
    if let sound, sound.id != track.id { bandwidth += peakBandwidth(of: sound) }
    var text = "#EXT-X-STREAM-INF:BANDWIDTH=\(max(1, bandwidth)),CODECS=\"\(codecs.joined(separator: ","))\""
    if let size = track.segments.map(\.entry).max(by: { $0.width < $1.width }), size.width > 0 {
      text += ",RESOLUTION=\(size.width)x\(size.height)"
    }
    return text + (sound == nil ? "" : ",AUDIO=\"sound\"")
  }

  /// Bits per second of the entry that has most.
  private func peakBandwidth(of track: ArchiveContents.Track) -> Int {
    entries(of: track).compactMap { entry in
      guard case .media(let chunk) = entry, chunk.duration > 0 else { return nil }
      return Int(min(1e12, Double(chunk.bytes.count) * 8 / chunk.duration))
    }.max() ?? 0
  }

  private static func codecs(of track: ArchiveContents.Track) -> [String] {
    var names: [String] = []
    for segment in track.segments where isCarried(segment) {
      let parts = segment.entry.mimeType.split(separator: "\"")
      guard parts.count > 1, !names.contains(String(parts[1])) else { continue }
      names.append(String(parts[1]))
    }
    return names
  }

  private static func isCarried(_ track: ArchiveContents.Track) -> Bool {
    track.segments.contains { isCarried($0) && !$0.fragments.isEmpty }
  }

  private static func isCarried(_ segment: ArchiveContents.Segment) -> Bool {
    segment.entry.path.name.hasSuffix(".mp4")
  }

  // MARK: - Media playlist

  /// A track's playlist (RFC 8216bis §4.4.3); nil when there is no such track that HLS can carry.
  package func media(_ id: TrackID, _ address: (ArchivePath) -> String) -> String? {
    guard let track = contents.track(id), Self.isCarried(track) else { return nil }
    let entries = entries(of: track)
    let longest = entries.map(\.duration).max() ?? 0
    let target = max(Int(longest.rounded(.up)), isComplete ? 1 : Self.liveTarget)
    var lines = [
      "#EXTM3U", "#EXT-X-VERSION:8", "#EXT-X-TARGETDURATION:\(target)", "#EXT-X-MEDIA-SEQUENCE:0",
      "#EXT-X-PLAYLIST-TYPE:\(isComplete ? "VOD" : "EVENT")",
    ]
    var isFirst = true
    for entry in entries {
      switch entry {
      case .gap(let start, let duration, let path, let header):
        lines += [
          "#EXT-X-GAP", "#EXT-X-PROGRAM-DATE-TIME:\(start.text(fractionDigits: 3))",
          "#EXTINF:\(Self.text(duration)),", "#EXT-X-BYTERANGE:\(header)@0", address(path),
        ]
      case .media(let chunk):
        if let header = chunk.header {
          if !isFirst { lines.append("#EXT-X-DISCONTINUITY") }
          lines.append("#EXT-X-MAP:URI=\"\(address(chunk.path))\",BYTERANGE=\"\(header)@0\"")
        }
        isFirst = false
        lines += [
          "#EXT-X-PROGRAM-DATE-TIME:\(chunk.start.text(fractionDigits: 3))", "#EXTINF:\(Self.text(chunk.duration)),",
          "#EXT-X-BYTERANGE:\(chunk.bytes.count)@\(chunk.bytes.lowerBound)", address(chunk.path),
        ]
      }
    }
    if isComplete { lines.append("#EXT-X-ENDLIST") }
    return lines.joined(separator: "\n") + "\n"
  }

  private enum Entry {
    case media(Chunk)
    /// Time of which there is nothing.
    ///
    /// A player that does not know gaps is sent to a file's header, which shows nothing.
    case gap(start: UTCTime, duration: Double, path: ArchivePath, header: Int)

    /// Seconds.
    var duration: Double {
      switch self {
      case .media(let chunk): chunk.duration
      case .gap(_, let duration, _, _): duration
      }
    }
  }

  /// Fragments that are one entry.
  private struct Chunk {
    let path: ArchivePath
    /// Bytes of the file's header, for the first entry of a file.
    let header: Int?
    let start: UTCTime
    var end: UTCTime
    /// In the file as a player is given it.
    var bytes: Range<Int>

    var duration: Double { (end - start).seconds }
  }

  private func entries(of track: ArchiveContents.Track) -> [Entry] {
    var entries: [Entry] = []
    var end: UTCTime?
    let segments = track.segments.filter { Self.isCarried($0) && !$0.fragments.isEmpty }
    for (index, segment) in segments.enumerated() {
      var chunks = chunks(of: segment)
      // What may still grow is not told yet: an entry may not change once it is there.
      if !isComplete, index == segments.count - 1 { chunks.removeLast() }
      for chunk in chunks {
        if let end, (chunk.start - end).seconds >= Self.smallestGap {
          let header = SegmentLayout(segment, overhead: overhead).clear(0).length
          entries.append(
            .gap(start: end, duration: (chunk.start - end).seconds, path: chunk.path, header: header))
        }
        entries.append(.media(chunk))
        end = chunk.end
      }
    }
    return entries
  }

  /// A segment's fragments in runs that begin with a keyframe, or behind a gap.
  private func chunks(of segment: ArchiveContents.Segment) -> [Chunk] {
    let layout = SegmentLayout(segment, overhead: overhead)
    var chunks: [Chunk] = []
    for (index, fragment) in segment.fragments.enumerated() {
      let run = layout.clear(index + 1)
      let end = fragment.start + fragment.duration
      if var last = chunks.last {
        let isLongEnough = last.duration >= Self.wantedDuration && fragment.startsWithKeyframe
        if !isLongEnough, (fragment.start - last.end).seconds < Self.smallestGap {
          last.end = max(last.end, end)
          last.bytes = last.bytes.lowerBound..<max(last.bytes.lowerBound, run.end)
          chunks[chunks.count - 1] = last
          continue
        }
      }
      chunks.append(
        Chunk(
          path: layout.path, header: chunks.isEmpty ? layout.clear(0).length : nil, start: fragment.start, end: end,
          bytes: run.offset..<run.end))
    }
    return chunks
  }

  /// Seconds with six digits behind the point, without a floating-point surprise.
  private static func text(_ seconds: Double) -> String {
    let microseconds = Int64(max(0, min(1e9, seconds)) * 1e6 + 0.5)
    let fraction = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}
