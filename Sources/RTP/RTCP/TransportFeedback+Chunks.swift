import Primitives

extension TransportFeedback {
  /// A packet's status as the chunks code it (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.1).
  enum Symbol: UInt8 {
    case notReceived = 0
    /// 8 bits of delta, 0 to 63.75 ms.
    case smallDelta = 1
    /// 16 bits of delta, signed.
    case largeDelta = 2

    init(_ status: Status) {
      switch status {
      case .notReceived: self = .notReceived
      case .received(let delta): self = (0...255).contains(delta) ? .smallDelta : .largeDelta
      }
    }
  }
}

extension TransportFeedback.Symbol {
  private static let maximumRun = 0x1fff
  private static let oneBitSymbols = 14
  private static let twoBitSymbols = 7

  /// Reads chunks until `count` symbols are known.
  ///
  /// What a last chunk holds beyond them is ignored.
  static func parse(_ count: Int, _ reader: inout ByteReader) throws(RTPError) -> [Self] {
    var symbols: [Self] = []
    symbols.reserveCapacity(count)
    while symbols.count < count {
      let chunk = try reader.uint16()
      let wanted = count - symbols.count
      if chunk & 0x8000 == 0 {
        guard let symbol = Self(rawValue: UInt8(chunk >> 13)) else { throw .malformed }
        // A run of no packets would let a long list of chunks say nothing.
        let length = Int(chunk) & maximumRun
        guard length > 0 else { throw .malformed }
        symbols.append(contentsOf: repeatElement(symbol, count: min(length, wanted)))
      } else if chunk & 0x4000 == 0 {
        for position in 0..<min(oneBitSymbols, wanted) {
          symbols.append(chunk >> UInt16(13 - position) & 1 == 0 ? .notReceived : .smallDelta)
        }
      } else {
        for position in 0..<min(twoBitSymbols, wanted) {
          let bits = UInt8(chunk >> UInt16(2 * (6 - position)) & 3)
          guard let symbol = Self(rawValue: bits) else { throw .malformed }
          symbols.append(symbol)
        }
      }
    }
    return symbols
  }

  /// Writes chunks, each the kind that takes in most of what is left.
  static func write(_ symbols: [Self], to writer: inout ByteWriter) {
    var index = 0
    while index < symbols.count {
      let rest = symbols[index...]
      let run = rest.prefix(maximumRun).prefix { $0 == symbols[index] }.count
      let oneBit = rest.prefix(oneBitSymbols).prefix { $0 != .largeDelta }.count
      let vector = oneBit == min(oneBitSymbols, rest.count) ? oneBitSymbols : twoBitSymbols
      if run >= min(vector, rest.count) {
        writer.write(UInt16(symbols[index].rawValue) << 13 | UInt16(run))
        index += run
      } else if vector == oneBitSymbols {
        writer.write(vectorChunk(rest.prefix(oneBitSymbols), bits: 1))
        index += oneBitSymbols
      } else {
        writer.write(vectorChunk(rest.prefix(twoBitSymbols), bits: 2))
        index += twoBitSymbols
      }
    }
  }

  private static func vectorChunk(_ symbols: ArraySlice<Self>, bits: Int) -> UInt16 {
    var chunk: UInt16 = bits == 1 ? 0x8000 : 0xc000
    for (position, symbol) in symbols.enumerated() {
      chunk |= UInt16(symbol.rawValue) << UInt16(14 - bits * (position + 1))
    }
    return chunk
  }
}
