import Primitives
import Testing

import DTLS

@Suite struct ApplicationDataTests {
  @Test func messagesTravelBothWaysAsOneDatagramEach() throws {
    let pair = try connectedPair()
    let messages = [1, 100, 1163, 16_384].map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $0) }
    for message in messages {
      #expect(pair.client.sendApplicationData(message))
      let datagrams = pair.client.drainDatagrams()
      #expect(datagrams.count == 1)
      #expect(datagrams.allSatisfy { $0.count <= message.count + DTLSTransport.messageOverhead })
      for datagram in datagrams { pair.server.receive(datagram, now: pair.now) }
      #expect(pair.server.drainMessages() == [message])

      #expect(pair.server.sendApplicationData(message))
      for datagram in pair.server.drainDatagrams() { pair.client.receive(datagram, now: pair.now) }
      #expect(pair.client.drainMessages() == [message])
    }
  }

  @Test func aDatagramMayHoldManyRecords() throws {
    let pair = try connectedPair()
    var datagram: [UInt8] = []
    for index in 0..<4 {
      pair.client.sendApplicationData([UInt8](repeating: UInt8(index), count: 15_000))
      for record in pair.client.drainDatagrams() { datagram += record }
    }
    #expect(datagram.count > 60_000)
    pair.server.receive(datagram, now: pair.now)
    #expect(pair.server.drainMessages().map(\.count) == [15_000, 15_000, 15_000, 15_000])
  }

  @Test func nothingIsTakenWithoutAConnection() throws {
    let pair = try SimulatedPair()
    #expect(!pair.client.sendApplicationData([1]))
    #expect(pair.client.nextDatagram() == nil)
    pair.handshake()
    #expect(!pair.client.sendApplicationData([]))
    #expect(!pair.client.sendApplicationData([UInt8](repeating: 0, count: DTLSTransport.maximumMessageLength + 1)))
    pair.client.close()
    #expect(!pair.client.sendApplicationData([1]))
  }

  @Test func earlyMessagesWaitForTheHandshake() throws {
    let pair = try SimulatedPair()
    // The server is the last to send in a handshake, so its data may overtake its Finished.
    var held: [[UInt8]] = []
    pair.tamper = { [unowned pair] datagram, destination in
      guard destination == .client, pair.server.state.isConnected else { return datagram }
      held.append(datagram)
      return nil
    }
    pair.client.start(now: pair.now)
    pair.run { !held.isEmpty }
    pair.server.sendApplicationData([7])
    for datagram in pair.server.drainDatagrams() { pair.client.receive(datagram, now: pair.now) }
    #expect(pair.client.state == .handshaking)
    for datagram in held { pair.client.receive(datagram, now: pair.now) }
    #expect(pair.client.state.isConnected)
    #expect(pair.client.drainMessages() == [[7]])
  }

  @Test func aRepeatedRecordIsDeliveredOnce() throws {
    let pair = try connectedPair()
    pair.client.sendApplicationData([1, 2, 3])
    for datagram in pair.client.drainDatagrams() {
      for _ in 0..<3 { pair.server.receive(datagram, now: pair.now) }
    }
    #expect(pair.server.drainMessages() == [[1, 2, 3]])
  }

  @Test func queuesAreBounded() throws {
    let pair = try connectedPair()
    for _ in 0..<(DTLSTransport.maximumQueuedDatagrams + 50) { pair.client.sendApplicationData([1]) }
    let datagrams = pair.client.drainDatagrams()
    #expect(datagrams.count == DTLSTransport.maximumQueuedDatagrams)
    for _ in 0..<50 {
      pair.client.sendApplicationData([2])
    }
    for datagram in datagrams + pair.client.drainDatagrams() { pair.server.receive(datagram, now: pair.now) }
    #expect(pair.server.drainMessages().count == DTLSTransport.maximumQueuedMessages)
    #expect(pair.server.state.isConnected)
  }

  @Test func closingTellsThePeer() throws {
    let pair = try connectedPair()
    pair.client.close()
    #expect(pair.client.state == .closed)
    pair.run()
    #expect(pair.server.state == .closed)
    #expect(pair.server.deadline == nil)
  }

  @Test func closingDuringTheHandshakeIsQuiet() throws {
    let pair = try SimulatedPair()
    pair.client.start(now: pair.now)
    _ = pair.client.drainDatagrams()
    pair.client.close()
    #expect(pair.client.state == .closed)
    #expect(pair.client.nextDatagram() == nil)
    #expect(pair.client.deadline == nil)
  }

  @Test func aClosedTransportIgnoresEverything() throws {
    let pair = try connectedPair()
    pair.client.sendApplicationData([1])
    let late = pair.client.drainDatagrams()
    pair.server.close()
    _ = pair.server.drainDatagrams()
    for datagram in late { pair.server.receive(datagram, now: pair.now) }
    pair.server.handleTimeout(now: pair.now + .seconds(100))
    pair.server.start(now: pair.now)
    pair.server.close()
    #expect(pair.server.state == .closed)
    #expect(pair.server.nextApplicationData() == nil)
    #expect(pair.server.nextDatagram() == nil)
  }

  private func connectedPair() throws -> SimulatedPair {
    let pair = try SimulatedPair()
    pair.handshake()
    try #require(pair.parameters != nil)
    return pair
  }
}
