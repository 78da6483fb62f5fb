/// Goes through an uncompressed header field by field, which is the only way to find its end (VP9 bitstream specification §6.2).
struct VP9HeaderParser {
  private var bits: BitCursor
  private let references: VP9References
  private var profile: UInt8 = 0

  init(_ bytes: [UInt8], references: VP9References) {
    bits = BitCursor(bytes)
    self.references = references
  }

  /// Nil for what is no VP9 frame.
  mutating func parse() throws(OutOfBits) -> VP9FrameHeader? {
    guard try bits.bits(2) == 2 else { return nil }
    let low = try bits.bits(1)
    profile = UInt8(low | (try bits.bits(1)) << 1)
    if profile == 3 { try bits.skip(1) }
    if try bits.flag() {
      return VP9FrameHeader(profile: profile, kind: .repetition, isShown: true, size: nil, refreshedSlots: 0)
    }
    let isInter = try bits.flag()
    let isShown = try bits.flag()
    let isResilient = try bits.flag()
    guard isInter else { return try parseKeyFrame(isShown: isShown, isResilient: isResilient) }
    var header = VP9FrameHeader(profile: profile, kind: .inter, isShown: isShown, size: nil, refreshedSlots: 0)
    // What is cut off may not matter: that it is no keyframe is known.
    guard (try? parseReferences(of: &header, isResilient: isResilient)) == true else { return header }
    header.length = try? end(of: header, isResilient: isResilient)
    return header
  }

  private mutating func parseKeyFrame(isShown: Bool, isResilient: Bool) throws(OutOfBits) -> VP9FrameHeader? {
    guard try bits.bits(24) == Self.syncCode else { return nil }
    let bitDepth = try colourConfiguration()
    let size = try frameSize()
    var header = VP9FrameHeader(
      profile: profile, kind: .key(bitDepth: bitDepth), isShown: isShown, size: size, refreshedSlots: 0xff)
    header.length = try? end(of: header, isResilient: isResilient)
    return header
  }

  private static let syncCode: UInt32 = 0x49_83_42

  /// Reads up to the size; false for what makes no sense.
  private mutating func parseReferences(of header: inout VP9FrameHeader, isResilient: Bool) throws(OutOfBits) -> Bool {
    if !header.isShown, try bits.flag() { header.kind = .intra }
    // reset_frame_context
    if !isResilient { try bits.skip(2) }
    guard header.kind == .inter else {
      guard try bits.bits(24) == Self.syncCode else { return false }
      if profile > 0 { _ = try colourConfiguration() }
      header.refreshedSlots = UInt8(try bits.bits(8))
      header.size = try frameSize()
      return true
    }
    header.refreshedSlots = UInt8(try bits.bits(8))
    var slots: [Int] = []
    for _ in 0..<3 {
      slots.append(Int(try bits.bits(3)))
      // ref_frame_sign_bias
      try bits.skip(1)
    }
    header.size = try frameSize(outOf: slots)
    return true
  }

  /// The position behind the last field; nil when it cannot be found.
  private mutating func end(of header: VP9FrameHeader, isResilient: Bool) throws(OutOfBits) -> Int? {
    guard let size = header.size else { return nil }
    // render_and_frame_size_different
    if try bits.flag() { try bits.skip(32) }
    if header.kind == .inter {
      // allow_high_precision_mv, is_filter_switchable
      try bits.skip(1)
      if try !bits.flag() { try bits.skip(2) }
    }
    // refresh_frame_context, frame_parallel_decoding_mode, frame_context_idx
    try bits.skip(isResilient ? 2 : 4)
    try skipLoopFilter()
    try skipQuantization()
    try skipSegmentation()
    try skipTiles(width: size.width)
    // header_size_in_bytes
    try bits.skip(16)
    return bits.position
  }
}

// MARK: - Fields

extension VP9HeaderParser {
  /// The bits of a sample (§6.2.2).
  private mutating func colourConfiguration() throws(OutOfBits) -> UInt8 {
    var bitDepth: UInt8 = 8
    if profile >= 2 { bitDepth = try bits.flag() ? 12 : 10 }
    let isRGB = try bits.bits(3) == 7
    let hasSubsampling = profile == 1 || profile == 3
    if !isRGB {
      try bits.skip(hasSubsampling ? 4 : 1)
    } else if hasSubsampling {
      try bits.skip(1)
    }
    return bitDepth
  }

  private mutating func frameSize() throws(OutOfBits) -> VP9Size {
    let width = Int(try bits.bits(16)) + 1
    return VP9Size(width: width, height: Int(try bits.bits(16)) + 1)
  }

  /// A size of its own, or that of one of the frames that it refers to (§6.2.5).
  private mutating func frameSize(outOf slots: [Int]) throws(OutOfBits) -> VP9Size? {
    for slot in slots where try bits.flag() { return references[slot] }
    return try frameSize()
  }

  /// The loop filter (§6.2.8).
  private mutating func skipLoopFilter() throws(OutOfBits) {
    try bits.skip(6 + 3)
    guard try bits.flag(), try bits.flag() else { return }
    // Four deltas of references, two of modes.
    for _ in 0..<6 where try bits.flag() { try bits.skip(7) }
  }

  /// The quantizer (§6.2.9).
  private mutating func skipQuantization() throws(OutOfBits) {
    try bits.skip(8)
    for _ in 0..<3 where try bits.flag() { try bits.skip(5) }
  }

  /// Segments (§6.2.11).
  private mutating func skipSegmentation() throws(OutOfBits) {
    guard try bits.flag() else { return }
    if try bits.flag() {
      for _ in 0..<7 where try bits.flag() { try bits.skip(8) }
      if try bits.flag() {
        for _ in 0..<3 where try bits.flag() { try bits.skip(8) }
      }
    }
    guard try bits.flag() else { return }
    try bits.skip(1)
    // Each segment's quantizer and loop filter with a sign, its reference, and whether it is skipped.
    for _ in 0..<8 {
      for length in [9, 7, 2, 0] where try bits.flag() { try bits.skip(length) }
    }
  }

  /// Tiles, whose least and greatest number follows from the width (§6.2.13).
  private mutating func skipTiles(width: Int) throws(OutOfBits) {
    let columns = ((width + 7) / 8 + 7) / 8
    var least = 0
    while 64 << least < columns { least += 1 }
    var most = 1
    while columns >> most >= 4 { most += 1 }
    most -= 1
    while least < most, try bits.flag() { least += 1 }
    if try bits.flag() { try bits.skip(1) }
  }
}
