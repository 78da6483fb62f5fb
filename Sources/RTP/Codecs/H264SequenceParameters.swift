import Primitives

/// The part of an H.264 sequence parameter set that tells the picture's size (ITU-T H.264 §7.3.2.1.1).
enum H264SequenceParameters {
  /// Profiles whose parameter sets say more about colour (§7.3.2.1.1).
  private static let highProfiles: Set<UInt8> = [100, 110, 122, 244, 44, 83, 86, 118, 128]
  /// Most reference frames in a picture order count cycle (§7.4.2.1.1).
  private static let maximumCycle: UInt32 = 255

  /// The size in pixels after cropping; `unit` is the NAL unit without its header byte.
  ///
  /// Throws ``RTPError`` when the bytes end too soon or make no sense.
  static func pictureSize(_ unit: UnsafeRawBufferPointer) throws(RTPError) -> PictureSize {
    // Emulation prevention bytes (§7.4.1.1) do not come before the sizes but in contrived sets.
    var reader = BitReader(unit)
    let profile = UInt8(try reader.bits(8))
    _ = try reader.bits(16)
    _ = try reader.exponentialGolomb()
    var chroma: UInt32 = 1
    if highProfiles.contains(profile) {
      chroma = try reader.exponentialGolomb()
      if chroma == 3 { _ = try reader.flag() }
      _ = try reader.exponentialGolomb()
      _ = try reader.exponentialGolomb()
      _ = try reader.flag()
      // Scaling lists are not used by WebRTC encoders; their length depends on their content.
      guard try !reader.flag() else { throw .malformed }
    }
    try skipPictureOrder(&reader)
    _ = try reader.exponentialGolomb()
    _ = try reader.flag()
    return try readSize(&reader, chroma: chroma)
  }

  private static func skipPictureOrder(_ reader: inout BitReader) throws(RTPError) {
    _ = try reader.exponentialGolomb()
    switch try reader.exponentialGolomb() {
    case 0: _ = try reader.exponentialGolomb()
    case 1:
      _ = try reader.flag()
      _ = try reader.exponentialGolomb()
      _ = try reader.exponentialGolomb()
      let cycle = try reader.exponentialGolomb()
      guard cycle <= maximumCycle else { throw .malformed }
      for _ in 0..<cycle { _ = try reader.exponentialGolomb() }
    default: break
    }
  }

  private static func readSize(_ reader: inout BitReader, chroma: UInt32) throws(RTPError) -> PictureSize {
    let columns = try reader.exponentialGolomb()
    let rows = try reader.exponentialGolomb()
    let hasOnlyFrames = try reader.flag()
    if !hasOnlyFrames { _ = try reader.flag() }
    _ = try reader.flag()
    guard columns < 1_024, rows < 1_024 else { throw .limitExceeded }
    var width = (columns + 1) * 16
    var height = (rows + 1) * 16 * (hasOnlyFrames ? 1 : 2)
    if try reader.flag() {
      let horizontal: UInt32 = chroma == 1 || chroma == 2 ? 2 : 1
      let vertical: UInt32 = (chroma == 1 ? 2 : 1) * (hasOnlyFrames ? 1 : 2)
      let (left, right) = (try reader.exponentialGolomb(), try reader.exponentialGolomb())
      let (top, bottom) = (try reader.exponentialGolomb(), try reader.exponentialGolomb())
      guard left < 8_192, right < 8_192, top < 8_192, bottom < 8_192, (left + right) * horizontal < width,
        (top + bottom) * vertical < height
      else { throw .malformed }
      width -= (left + right) * horizontal
      height -= (top + bottom) * vertical
    }
    return PictureSize(width: UInt16(clamping: width), height: UInt16(clamping: height))
  }
}
