import Primitives
import SRTP

/// How a session makes itself known to the bare loop of the benchmark: `Tests/Benchmarks/bare_loop.c`.
///
/// One datagram, sent again until the loop gives back its first byte. Numbers are in network order.
package struct BareHello: Sendable {
  /// Where the loop listens.
  package var server: TransportAddress
  package var participant: LoadParticipant
  /// The viewer's own keys: the loop gets the session keys that follow from them.
  package var keys: SRTPKeys

  static let profile = SRTPProfile.aeadAES128GCM

  package init(_ participant: LoadParticipant, server: TransportAddress, random: inout RandomSource) {
    self.participant = participant
    self.server = server
    keys = SRTPKeys(
      masterKey: Self.bytes(Self.profile.keyLength, &random), masterSalt: Self.bytes(Self.profile.saltLength, &random))
  }

  /// `C` and the caller's number; or `V`, the caller's and the viewer's number, session key and salt.
  package func datagram() throws(SRTPError) -> [UInt8] {
    var writer = ByteWriter()
    switch participant.role {
    case .caller:
      writer.write(UInt8(ascii: "C"))
      writer.write(UInt32(clamping: participant.caller))
    case .viewer(let number):
      writer.write(UInt8(ascii: "V"))
      writer.write(UInt32(clamping: participant.caller))
      writer.write(UInt32(clamping: number))
      writer.write(try SRTPKeyDerivation.derive(.rtpEncryption, from: keys, length: Self.profile.keyLength))
      writer.write(try SRTPKeyDerivation.derive(.rtpSalt, from: keys, length: Self.profile.saltLength))
    }
    return writer.bytes
  }

  private static func bytes(_ count: Int, _ random: inout RandomSource) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }
}
