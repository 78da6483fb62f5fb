/// Base32 without padding (RFC 4648 §6), as authenticator apps take secrets.
package enum Base32 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

  package static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var accumulator: UInt32 = 0
    var bits = 0
    for byte in bytes {
      accumulator = accumulator << 8 | UInt32(byte)
      bits += 8
      while bits >= 5 {
        bits -= 5
        text.append(alphabet[Int(accumulator >> UInt32(bits) & 31)])
      }
    }
    if bits > 0 { text.append(alphabet[Int(accumulator << UInt32(5 - bits) & 31)]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil for a foreign character; small letters count as capitals, spaces and padding are passed over.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var accumulator: UInt32 = 0
    var bits = 0
    for character in text.utf8 where character != UInt8(ascii: " ") && character != UInt8(ascii: "=") {
      // Not by `uppercased()`, which makes letters of the alphabet out of foreign ones such as "ß".
      let isSmall = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(character)
      guard let value = alphabet.firstIndex(of: isSmall ? character - 0x20 : character) else { return nil }
      accumulator = accumulator << 5 | UInt32(value)
      bits += 5
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: accumulator >> UInt32(bits)))
        accumulator &= 1 << UInt32(bits) - 1
      }
    }
    return bytes
  }
}
