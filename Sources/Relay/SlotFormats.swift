import Primitives
import RTP

/// The payload types that a viewer negotiated, by the relay's format number.
struct SlotFormats {
  private var media = InlineArray<32, UInt8>(repeating: Self.absent)
  private var retransmission = InlineArray<32, UInt8>(repeating: Self.absent)

  private static let absent: UInt8 = 0xff

  mutating func set(_ format: FormatIndex, media payloadType: PayloadType, retransmission rtx: PayloadType?) {
    guard Int(format.value) < FormatIndex.maximumCount else { return }
    media[Int(format.value)] = payloadType.rawValue
    retransmission[Int(format.value)] = rtx?.rawValue ?? Self.absent
  }

  /// Gives redundant audio a payload type; the viewer then takes it in place of Opus at any packet.
  mutating func setRedundancy(_ payloadType: PayloadType) {
    set(.redundantAudio, media: payloadType, retransmission: nil)
  }

  /// Takes the payload types of the relay's formats anew.
  mutating func replace(with other: SlotFormats) {
    let redundancy = payloadType(of: .redundantAudio)
    self = other
    if let redundancy { setRedundancy(PayloadType(redundancy)) }
  }

  /// The payload type for `format`; nil when the viewer cannot decode it.
  @inline(__always)
  func payloadType(of format: FormatIndex) -> UInt8? {
    guard format.value < 32 else { return nil }
    let value = media[Int(format.value)]
    return value == Self.absent ? nil : value
  }

  /// A payload type of the retransmission stream, whatever it repeats.
  var anyRetransmissionPayloadType: UInt8? {
    for index in 0..<FormatIndex.maximumCount where retransmission[index] != Self.absent {
      return retransmission[index]
    }
    return nil
  }

  func retransmissionPayloadType(of format: FormatIndex) -> UInt8? {
    guard format.value < 32 else { return nil }
    let value = retransmission[Int(format.value)]
    return value == Self.absent ? nil : value
  }
}
