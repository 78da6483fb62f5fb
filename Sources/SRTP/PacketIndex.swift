/// The 48-bit packet index, `rollover counter << 16 | sequence number` (RFC 3711 §3.3.1).
package enum PacketIndex {
  /// The first number that a key must not protect (RFC 3711 §9.2).
  static let limit: Int64 = 1 << 48

  /// The index that a packet with `sequenceNumber` most likely has, when `highest` is the highest authentic one so
  /// far, -1 before the first (RFC 3711 §3.3.1 and appendix A).
  ///
  /// Where the RFC's rule would go below rollover 0, the packet is taken to be ahead: the first packet fixes
  /// rollover 0, so nothing genuine comes before it.
  @inline(__always)
  package static func estimate(sequenceNumber: UInt16, highest: Int64) -> Int64 {
    guard highest >= 0 else { return Int64(sequenceNumber) }
    let rollover = highest >> 16
    let last = highest & 0xffff
    let number = Int64(sequenceNumber)
    if last < 32_768 {
      let isFromBefore = number &- last > 32_768 && rollover > 0
      return (isFromBefore ? rollover &- 1 : rollover) << 16 | number
    }
    return (last &- 32_768 > number ? rollover &+ 1 : rollover) << 16 | number
  }
}
