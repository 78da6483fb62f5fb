/// What the uncompressed header at the start of a VP9 frame tells (VP9 bitstream specification §6.2).
struct VP9FrameHeader: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    /// Shows a frame that was decoded before; nothing follows.
    case repetition
    case key(bitDepth: UInt8)
    /// Needs no other frame, but is no start.
    case intra
    case inter
  }

  var profile: UInt8
  var kind: Kind
  var isShown: Bool
  /// Nil where it is that of a frame which is not known.
  var size: VP9Size?
  /// The reference slots that the frame is kept in, slot 0 in the lowest bit.
  var refreshedSlots: UInt8
  /// Bits of the whole header; nil when it is not whole, or its size is not known.
  var length: Int?

  /// Bytes that can hold any header.
  private static let maximumLength = 128

  /// Nil when the bytes are no VP9 frame.
  init?(parsing frame: some Sequence<UInt8>, references: VP9References = VP9References()) {
    var parser = VP9HeaderParser(Array(frame.prefix(Self.maximumLength)), references: references)
    guard let parsed = try? parser.parse() else { return nil }
    self = parsed
  }

  init(profile: UInt8, kind: Kind, isShown: Bool, size: VP9Size?, refreshedSlots: UInt8) {
    self.profile = profile
    self.kind = kind
    self.isShown = isShown
    self.size = size
    self.refreshedSlots = refreshedSlots
  }

  /// Where the bit is that says whether the frame is shown.
  private var shownBit: Int { profile == 3 ? 7 : 6 }

  /// The frame that starts with this header, so changed that it is decoded but not shown; nil when it cannot be.
  ///
  /// A frame that is not shown has one more bit, which says that it is predicted from others all the same.
  func hiding(_ frame: ArraySlice<UInt8>) -> [UInt8]? {
    guard isShown else { return Array(frame) }
    switch kind {
    case .repetition, .intra: return nil
    case .key:
      var hidden = Array(frame)
      hidden[shownBit / 8] &= ~(0x80 >> UInt8(shownBit % 8))
      return hidden
    case .inter:
      guard let length, length <= frame.count * 8 else { return nil }
      let header = Array(frame.prefix((length + 7) / 8))
      var bits = BitCursor(header)
      var hidden = BitWriter()
      for place in 0..<length {
        guard let bit = try? bits.flag() else { return nil }
        hidden.append(place == shownBit ? false : bit)
        // error_resilient_mode comes next, and behind it intra_only.
        if place == shownBit + 1 { hidden.append(false) }
      }
      return hidden.bytes + frame.dropFirst(header.count)
    }
  }
}

/// Pixels of a VP9 frame.
struct VP9Size: Hashable, Sendable {
  var width: Int
  var height: Int
}

/// Sizes of the frames that a VP9 decoder keeps: later ones may take theirs from them.
struct VP9References: Hashable, Sendable {
  private var sizes = [VP9Size?](repeating: nil, count: 8)

  /// Keeps what a frame leaves to others.
  mutating func note(_ header: VP9FrameHeader) {
    for slot in sizes.indices where header.refreshedSlots & 1 << UInt8(slot) != 0 { sizes[slot] = header.size }
  }

  /// The size of the frame in a slot, 0 to 7; nil when it is not known.
  subscript(slot: Int) -> VP9Size? { sizes[slot] }
}

/// Writes bits, most significant first.
private struct BitWriter {
  private(set) var bytes: [UInt8] = []
  private var free = 0

  mutating func append(_ bit: Bool) {
    if free == 0 {
      bytes.append(0)
      free = 8
    }
    free -= 1
    if bit { bytes[bytes.count - 1] |= 1 << UInt8(free) }
  }
}
