/// Boxes of an MP4 (ISO/IEC 14496-12 §4.2).
enum Box {
  static func names(_ bytes: [UInt8]) -> [String] {
    var names: [String] = []
    var offset = 0
    while offset + 8 <= bytes.count {
      let size = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      names.append(String(decoding: bytes[offset + 4..<offset + 8], as: UTF8.self))
      offset += max(8, size)
    }
    return names
  }

  static func contains(_ bytes: [UInt8], _ name: String) -> Bool { position(bytes, name) != nil }

  /// `tfdt` with 64 bits.
  static func decodeTime(_ bytes: [UInt8]) -> UInt64? {
    position(bytes, "tfdt").map { at in bytes[at + 8..<at + 16].reduce(0) { $0 << 8 | UInt64($1) } }
  }

  /// Of all samples: `trun` with `tfhd`'s default where it has no durations of its own.
  static func totalDuration(_ bytes: [UInt8]) -> UInt64? {
    guard let header = position(bytes, "tfhd"), let run = position(bytes, "trun") else { return nil }
    let defaults = integer(bytes, header + 4) & 0xff_ffff
    let skipped = [0x1: 8, 0x2: 4].reduce(0) { defaults & UInt64($1.key) != 0 ? $0 + $1.value : $0 }
    let usual = defaults & 0x8 != 0 ? integer(bytes, header + 12 + skipped) : 0
    let (flags, count) = (integer(bytes, run + 4) & 0xff_ffff, integer(bytes, run + 8))
    guard flags & 0x100 != 0 else { return usual * count }
    let width = [0x100, 0x200, 0x400, 0x800].reduce(0) { flags & UInt64($1) != 0 ? $0 + 4 : $0 }
    let first = run + 12 + [0x1, 0x4].reduce(0) { flags & UInt64($1) != 0 ? $0 + 4 : $0 }
    return (0..<Int(count)).reduce(0) { $0 + integer(bytes, first + $1 * width) }
  }

  private static func integer(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func position(_ bytes: [UInt8], _ name: String) -> Int? {
    let wanted = Array(name.utf8)
    return bytes.indices.dropLast(3).first { Array(bytes[$0..<$0 + 4]) == wanted }
  }
}
