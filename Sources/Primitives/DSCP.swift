/// A Differentiated Services code point (RFC 2474): what a network may tell urgent packets by.
package struct DSCP: RawRepresentable, Hashable, BitwiseCopyable, Sendable {
  /// Six bits.
  package let rawValue: UInt8

  @inline(__always)
  package init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// As any other packet (RFC 2474 §4.1).
  package static var standard: DSCP { DSCP(rawValue: 0) }
  /// Short queues before all else: EF (RFC 3246).
  package static var expedited: DSCP { DSCP(rawValue: 46) }
  /// Interactive video that is dropped last, and the one that is dropped before it: AF41 and AF42 (RFC 2597).
  package static var video: DSCP { DSCP(rawValue: 34) }
  package static var lesserVideo: DSCP { DSCP(rawValue: 36) }

  /// The octet of the IP header that carries it, with nothing said on congestion (RFC 3168).
  package var trafficClass: UInt8 { rawValue << 2 }
}
