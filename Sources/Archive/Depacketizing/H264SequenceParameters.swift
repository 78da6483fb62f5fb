import RTP

/// The part of a sequence parameter set that a recording needs (ITU-T H.264 §7.3.2.1.1).
enum H264SequenceParameters {
  /// Most reference frames in a picture order count cycle (§7.4.2.1.1).
  private static let maximumCycle: UInt32 = 255
  /// Most macroblocks along a side: 16,384 pixels.
  private static let maximumMacroblocks: UInt32 = 1_024

  /// Profiles whose set says how colour is sampled.
  private static let highProfiles: Set<UInt32> = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]

  /// Width and height in pixels, cropped; nil for a set that makes no sense.
  static func size(in unit: [UInt8]) -> (width: Int, height: Int)? {
    var bits = BitCursor(unescaping: unit.dropFirst())
    return try? parse(&bits)
  }

  private static func parse(_ bits: inout BitCursor) throws(OutOfBits) -> (width: Int, height: Int)? {
    let profile = try bits.bits(8)
    try bits.skip(16)
    _ = try bits.exponentialGolomb()
    var chromaFormat: UInt32 = 1
    if highProfiles.contains(profile) { chromaFormat = try parseHighProfile(&bits) }
    _ = try bits.exponentialGolomb()
    try skipPictureOrder(&bits)
    // max_num_ref_frames, gaps_in_frame_num_value_allowed_flag
    _ = try bits.exponentialGolomb()
    try bits.skip(1)
    let columns = try bits.exponentialGolomb()
    let rows = try bits.exponentialGolomb()
    guard columns < maximumMacroblocks, rows < maximumMacroblocks else { return nil }
    let isFrameOnly = try bits.flag()
    if !isFrameOnly { try bits.skip(1) }
    try bits.skip(1)
    let fields = isFrameOnly ? 1 : 2
    var (width, height) = (Int(columns + 1) * 16, Int(rows + 1) * 16 * fields)
    if try bits.flag() {
      let (unitX, unitY) = (chromaFormat == 1 || chromaFormat == 2 ? 2 : 1, (chromaFormat == 1 ? 2 : 1) * fields)
      let (left, right) = (try bits.exponentialGolomb(), try bits.exponentialGolomb())
      let (top, bottom) = (try bits.exponentialGolomb(), try bits.exponentialGolomb())
      width -= (Int(left) + Int(right)) * unitX
      height -= (Int(top) + Int(bottom)) * unitY
    }
    return width > 0 && height > 0 ? (width, height) : nil
  }

  /// Skips what only high profiles have; the chroma format.
  private static func parseHighProfile(_ bits: inout BitCursor) throws(OutOfBits) -> UInt32 {
    let chromaFormat = try bits.exponentialGolomb()
    if chromaFormat == 3 { try bits.skip(1) }
    // bit_depth_luma_minus8, bit_depth_chroma_minus8, qpprime_y_zero_transform_bypass_flag
    _ = try bits.exponentialGolomb()
    _ = try bits.exponentialGolomb()
    try bits.skip(1)
    guard try bits.flag() else { return chromaFormat }
    for list in 0..<(chromaFormat == 3 ? 12 : 8) where try bits.flag() {
      try skipScalingList(&bits, count: list < 6 ? 16 : 64)
    }
    return chromaFormat
  }

  /// Skips a scaling list (§7.3.2.1.1.1).
  private static func skipScalingList(_ bits: inout BitCursor, count: Int) throws(OutOfBits) {
    var (last, next): (Int64, Int64) = (8, 8)
    for _ in 0..<count {
      if next != 0 { next = (last + (try bits.signedExponentialGolomb())) & 0xff }
      if next != 0 { last = next }
    }
  }

  private static func skipPictureOrder(_ bits: inout BitCursor) throws(OutOfBits) {
    switch try bits.exponentialGolomb() {
    case 0: _ = try bits.exponentialGolomb()
    case 1:
      try bits.skip(1)
      _ = try bits.exponentialGolomb()
      _ = try bits.exponentialGolomb()
      let cycle = try bits.exponentialGolomb()
      guard cycle <= maximumCycle else { throw OutOfBits() }
      for _ in 0..<cycle { _ = try bits.exponentialGolomb() }
    default: break
    }
  }
}
