import Primitives
import SDP
import Testing

@Suite struct NegotiatedCodecTests {
  private static func h264(_ profile: String, _ payloadType: UInt8 = 96) -> NegotiatedCodec {
    NegotiatedCodec(
      payloadType: PayloadType(payloadType), codec: .h264, clockRate: 90_000,
      parameters: FormatParameters("packetization-mode=1;profile-level-id=\(profile)"))
  }

  @Test(arguments: [
    ("42e01f", "42001f", true), ("42e01f", "4d001f", false), ("4d001f", "42e01f", true), ("640c1f", "42e034", true),
    ("42e01f", "640c1f", false), ("640c1f", "640028", true),
  ])
  func aHigherH264ProfileDecodesALowerOne(receiver: String, sender: String, expected: Bool) {
    #expect(Self.h264(receiver).decodes(Self.h264(sender)) == expected)
  }

  @Test func theSameProfileIsPreferredOverAHigherOne() {
    let slot = [Self.h264("640c1f", 100), Self.h264("42e01f", 102)]
    #expect(slot.carrying(Self.h264("42001f"))?.payloadType == PayloadType(102))
    #expect(slot.carrying(Self.h264("4d001f"))?.payloadType == PayloadType(100))
    #expect(slot.carrying(.usualVP8) == nil)
  }

  @Test func vp9ProfilesDoNotMix() {
    var deep = NegotiatedCodec.usualVP9
    deep.parameters = FormatParameters("profile-id=2")
    #expect(!NegotiatedCodec.usualVP9.decodes(deep))
    #expect(deep.decodes(deep))
  }
}
