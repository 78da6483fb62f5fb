import DataChannel
import PeerSession
import Primitives
import SimulationSupport
import Testing

/// Data channels over a session.
///
/// The SCTP library has one clock for the process, so one test at a time.
@Suite(.serialized, .ownsSCTPClock) struct SessionDataChannelTests {
  private func connected() throws -> Link {
    let link = try Link { $0.dataChannels = SCTPStack() }
    try link.connect()
    // SCTP's own handshake.
    link.simulator.run(for: .seconds(1))
    return link
  }

  private func open(_ label: String, from opener: Endpoint, on link: Link) throws -> DataChannelID {
    let id = try #require(try opener.session.openChannel(DataChannelParameters(label: label), now: link.simulator.now))
    let other = opener === link.client ? link.server : link.client
    try #require(
      link.simulator.run(for: .seconds(10)) {
        other.openedChannels.contains { $0.1.label == label } && opener.openedChannels.contains { $0.1.label == label }
      })
    return id
  }

  @Test(arguments: [true, false]) func channelsCarryTextAndBytesBothWays(isClient: Bool) throws {
    let link = try connected()
    let (opener, other) = isClient ? (link.client, link.server) : (link.server, link.client)
    let id = try open("events", from: opener, on: link)
    let long = DataChannelMessage.binary((0..<20_000).map { UInt8(truncatingIfNeeded: $0) })
    let now = link.simulator.now
    #expect(try opener.session.send(.text("où êtes-vous ?"), on: id, now: now))
    #expect(try opener.session.send(long, on: id, now: now))
    #expect(try other.session.send(.text("here"), on: id, now: now))
    #expect(link.simulator.run(for: .seconds(20)) { other.messages.count == 2 && opener.messages.count == 1 })
    #expect(other.messages == [.text("où êtes-vous ?"), long])
    #expect(opener.messages == [.text("here")])
  }

  @Test func aFullChannelTellsWhenItHasRoomAgain() throws {
    let link = try connected()
    let id = try open("events", from: link.client, on: link)
    let text = DataChannelMessage.text(String(repeating: "x", count: 10_000))
    let sent = try sendUntilFull(text, on: id, of: link.server, at: link.simulator.now)
    #expect(sent > 50)
    #expect(writable(link.server).isEmpty)
    #expect(link.simulator.run(for: .seconds(60)) { !writable(link.server).isEmpty })
    #expect(writable(link.server) == [id])
    #expect(try link.server.session.send(text, on: id, now: link.simulator.now))
    #expect(link.simulator.run(for: .seconds(60)) { link.client.messages.count == sent + 1 })
    #expect(writable(link.server) == [id])
    #expect(writable(link.client).isEmpty)
  }

  private func sendUntilFull(
    _ message: DataChannelMessage, on id: DataChannelID, of sender: Endpoint, at now: MonotonicTime
  ) throws -> Int {
    for count in 0..<DataChannelLimits.maximumQueuedMessages {
      do throws(DataChannelError) {
        _ = try sender.session.send(message, on: id, now: now)
      } catch {
        try #require(error == .bufferFull)
        return count
      }
    }
    Issue.record("the channel is never full")
    return 0
  }

  private func writable(_ endpoint: Endpoint) -> [DataChannelID] {
    endpoint.events.compactMap { if case .channelWritable(let id) = $0.event { id } else { nil } }
  }

  @Test func aChannelClosesAlone() throws {
    let link = try connected()
    let first = try open("first", from: link.client, on: link)
    let second = try open("second", from: link.client, on: link)
    link.server.session.closeChannel(first, now: link.simulator.now)
    func closed(_ endpoint: Endpoint) -> [DataChannelID] {
      endpoint.events.compactMap { if case .channelClosed(let id) = $0.event { id } else { nil } }
    }
    #expect(link.simulator.run(for: .seconds(10)) { closed(link.client) == [first] && closed(link.server) == [first] })
    #expect(try link.client.session.send(.text("on"), on: second, now: link.simulator.now))
    #expect(link.simulator.run(for: .seconds(10)) { link.server.messages == [.text("on")] })
  }

  @Test func closingEndsThePeersChannels() throws {
    let link = try connected()
    _ = try open("events", from: link.client, on: link)
    link.client.session.close(now: link.simulator.now)
    link.simulator.run(for: .seconds(2))
    #expect(link.client.closeReason == .local)
    #expect(link.server.closeReason == .remote)
  }

  @Test func withoutChannelsNothingIsOpened() throws {
    let link = try Link()
    try link.connect()
    #expect(try link.client.session.openChannel(DataChannelParameters(label: "x"), now: link.simulator.now) == nil)
    #expect(try !link.client.session.send(.text("x"), on: DataChannelID(stream: 0), now: link.simulator.now))
  }
}
