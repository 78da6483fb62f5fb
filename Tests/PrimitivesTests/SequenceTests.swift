import Primitives
import Testing

@Suite struct SequenceTests {
  @Test(arguments: [(0, 65_535, 1), (65_535, 0, -1), (5, 5, 0), (32_768, 0, -32_768), (32_767, 0, 32_767)])
  func distanceIsSerial(number: UInt16, other: UInt16, distance: Int) {
    #expect(SequenceNumber(number).distance(from: SequenceNumber(other)) == distance)
  }

  @Test func unwrappingFollowsWrapsAndLatePackets() {
    var unwrapper = SequenceUnwrapper()
    let first = unwrapper.unwrap(SequenceNumber(65_534))
    #expect(unwrapper.unwrap(SequenceNumber(1)) == first + 3)
    #expect(unwrapper.unwrap(SequenceNumber(65_535)) == first + 1)
    #expect(unwrapper.highest == first + 3)
    #expect(unwrapper.unwrap(SequenceNumber(65_530)) == first - 4)
  }

  @Test func timeSaturates() {
    let early = MonotonicTime(nanoseconds: 5)
    #expect(early + .milliseconds(-1) == .zero)
    #expect(MonotonicTime(nanoseconds: .max) + .milliseconds(1) == MonotonicTime(nanoseconds: .max))
    #expect((early - MonotonicTime(nanoseconds: 8)).nanoseconds == -3)
  }

  @Test func ntpAdvancesAcrossSeconds() {
    let start = NTPTimestamp(unixNanoseconds: 1_500_000_000)
    #expect(start.bits >> 32 == NTPTimestamp.unixEpochOffset + 1)
    #expect(start.advanced(by: .milliseconds(500)).bits == (NTPTimestamp.unixEpochOffset + 2) << 32)
    #expect(start.advanced(by: .milliseconds(-1_500)).bits == NTPTimestamp.unixEpochOffset << 32)
  }

  @Test func seededRandomnessRepeats() {
    var one = RandomSource.seeded(7)
    var two = RandomSource.seeded(7)
    var other = RandomSource.seeded(8)
    #expect(one.bytes(32) == two.bytes(32))
    #expect(one.next() != other.next())
    #expect(one.iceString(length: 24).count == 24)
  }

  @Test func identifiersRoundTrip() {
    var random = RandomSource.seeded(1)
    let peer = PeerID(using: &random)
    #expect(PeerID(peer.description) == peer)
    #expect(PeerID("+0000000000000000000000000000000") == nil)
    #expect(IncidentID("26-001482")?.value == "26-001482")
    #expect(IncidentID("a/b") == nil)
    #expect(IncidentID(String(repeating: "a", count: 65)) == nil)
  }
}
