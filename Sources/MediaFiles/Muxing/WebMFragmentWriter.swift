import Archive

/// Writes a WebM of one video track, a cluster a fragment (RFC 9559).
///
/// By hand, because libavformat never writes how long a cluster's last frame lasts, and a player then shows it until the
/// next: a gap would look like a still picture. The file's clock counts milliseconds, as WebM's guidelines demand. WebM
/// has no rotation that browsers heed; whoever plays the file takes it from the track's format.
struct WebMFragmentWriter {
  let header: [UInt8]

  /// A block's time is 16 bits relative to its cluster (RFC 9559 §10.1).
  private static let maximumSpan: Int64 = 32_767
  /// A segment that may grow for ever (RFC 8794 §6.2).
  private static let unknownSize: [UInt8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
  private static let millisecond: UInt64 = 1_000_000

  init(_ format: TrackFormat) {
    var file = EBMLWriter()
    file.element(0x1A45_DFA3) { ebml in
      ebml.unsigned(0x4286, 1)  // EBMLVersion
      ebml.unsigned(0x42F7, 1)  // EBMLReadVersion
      ebml.unsigned(0x42F2, 4)  // EBMLMaxIDLength
      ebml.unsigned(0x42F3, 8)  // EBMLMaxSizeLength
      ebml.text(0x4282, "webm")  // DocType
      ebml.unsigned(0x4287, 4)  // DocTypeVersion
      ebml.unsigned(0x4285, 2)  // DocTypeReadVersion
    }
    file.identifier(0x1853_8067)  // Segment
    file.raw(Self.unknownSize)
    file.element(0x1549_A966) { info in
      info.unsigned(0x2AD7B1, Self.millisecond)  // TimestampScale
      info.text(0x4D80, "Sightline")  // MuxingApp
      info.text(0x5741, "Sightline")  // WritingApp
    }
    file.element(0x1654_AE6B) { tracks in
      tracks.element(0xAE) { entry in
        entry.unsigned(0xD7, 1)  // TrackNumber
        entry.unsigned(0x73C5, 1)  // TrackUID
        entry.unsigned(0x83, 1)  // TrackType: video
        entry.unsigned(0x9C, 0)  // FlagLacing
        entry.text(0x22B59C, "und")  // Language
        entry.text(0x86, "V_VP8")  // CodecID
        entry.element(0xE0) { video in
          video.unsigned(0xB0, UInt64(clamping: format.width))
          video.unsigned(0xBA, UInt64(clamping: format.height))
        }
      }
    }
    header = file.bytes
  }

  /// A cluster of known size; only its last frame is a block group with a duration.
  func cluster(_ samples: [FragmentSample]) throws(MediaFileError) -> [UInt8] {
    guard let first = samples.first, let last = samples.last else { return [] }
    guard last.time - first.time <= Self.maximumSpan else {
      throw MediaFileError(.time, "A WebM fragment cannot be longer than \(Self.maximumSpan) ms.")
    }
    var file = EBMLWriter()
    file.element(0x1F43_B675) { cluster in
      cluster.unsigned(0xE7, UInt64(clamping: first.time))  // Timestamp
      for sample in samples.dropLast() {
        cluster.binary(0xA3, block(sample, from: first.time, isSimple: true))  // SimpleBlock
      }
      cluster.element(0xA0) { group in
        group.binary(0xA1, block(last, from: first.time, isSimple: false))  // Block
        group.unsigned(0x9B, UInt64(clamping: last.duration))  // BlockDuration
        // Any reference says that the block is no keyframe (RFC 9559 §5.1.3.5.5): the frame before it.
        if !last.frame.isKeyframe {
          group.signed(0xFB, samples.count > 1 ? samples[samples.count - 2].time - last.time : -1)
        }
      }
    }
    return file.bytes
  }

  /// Track number, relative time, flags and the frame (RFC 9559 §10.1, §10.2).
  private func block(_ sample: FragmentSample, from start: Int64, isSimple: Bool) -> [UInt8] {
    let offset = UInt16(truncatingIfNeeded: sample.time - start)
    let flags: UInt8 = isSimple && sample.frame.isKeyframe ? 0x80 : 0
    return [0x81, UInt8(offset >> 8), UInt8(truncatingIfNeeded: offset), flags] + sample.frame.bytes
  }
}

/// Writes EBML elements (RFC 8794).
struct EBMLWriter {
  private(set) var bytes: [UInt8] = []

  mutating func identifier(_ value: UInt32) {
    bytes += Self.minimal(UInt64(value))
  }

  mutating func raw(_ values: [UInt8]) {
    bytes += values
  }

  mutating func binary(_ identifier: UInt32, _ content: [UInt8]) {
    self.identifier(identifier)
    // A size of four bytes holds up to 256 MiB, of eight 2^56 (RFC 8794 §4).
    let size = UInt64(content.count)
    if size < 1 << 28 {
      bytes += Self.bigEndian(size | 1 << 28).suffix(4)
    } else {
      bytes += Self.bigEndian(size | 1 << 56)
    }
    bytes += content
  }

  mutating func unsigned(_ identifier: UInt32, _ value: UInt64) {
    binary(identifier, Self.minimal(value))
  }

  mutating func signed(_ identifier: UInt32, _ value: Int64) {
    binary(identifier, Self.bigEndian(UInt64(bitPattern: value)))
  }

  mutating func text(_ identifier: UInt32, _ value: String) {
    binary(identifier, Array(value.utf8))
  }

  mutating func element(_ identifier: UInt32, _ body: (inout EBMLWriter) -> Void) {
    var content = EBMLWriter()
    body(&content)
    binary(identifier, content.bytes)
  }

  private static func bigEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
  }

  /// Without leading zeros, at least one byte.
  private static func minimal(_ value: UInt64) -> [UInt8] {
    let all = bigEndian(value)
    return Array(all.drop { $0 == 0 }.isEmpty ? [0] : all.drop { $0 == 0 })
  }
}
