import MediaClient
import Primitives
import SRTP
import Testing

@Suite("Hellos to the bare loop")
struct BareHelloTests {
  private let server = TransportAddress(ip: IPAddress(v4: 0x7f00_0001), port: 9)

  private func hello(_ participant: LoadParticipant) -> BareHello {
    var random = RandomSource.seeded(7)
    return BareHello(participant, server: server, random: &random)
  }

  @Test func `a caller tells its number only`() throws {
    #expect(try hello(LoadParticipant(caller: 0x0102, role: .caller)).datagram() == [0x43, 0, 0, 1, 2])
  }

  @Test func `a viewer tells whom it watches, who it is, and its session key and salt`() throws {
    let hello = hello(LoadParticipant(caller: 3, role: .viewer(0x0405)))
    let datagram = try hello.datagram()
    #expect(datagram.prefix(9) == [0x56, 0, 0, 0, 3, 0, 0, 4, 5])
    let key = try SRTPKeyDerivation.derive(.rtpEncryption, from: hello.keys, length: 16)
    let salt = try SRTPKeyDerivation.derive(.rtpSalt, from: hello.keys, length: 12)
    #expect(Array(datagram.dropFirst(9)) == key + salt)
  }
}
