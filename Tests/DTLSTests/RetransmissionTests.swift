import Primitives
import Testing

import DTLS

@Suite struct RetransmissionTests {
  @Test(arguments: 1...40)
  func aHandshakeSurvivesLossReorderingAndDuplication(seed: UInt64) throws {
    let impairment = Impairment(loss: 0.25, duplication: 0.1, jitter: .milliseconds(60), delay: .milliseconds(40))
    let pair = try SimulatedPair(impairment: impairment, seed: seed, datagramSize: 600)
    pair.client.start(now: pair.now)
    pair.run { pair.parameters != nil }
    let parameters = try #require(pair.parameters)
    #expect(parameters.client == parameters.server)
  }

  @Test func aLostFirstFlightIsRepeatedWithDoublingPauses() throws {
    let pair = try SimulatedPair()
    var now = pair.now
    let start = now
    pair.client.start(now: now)
    #expect(pair.client.drainDatagrams().count == 1)
    var pauses: [Int64] = []
    while let deadline = pair.client.deadline, pair.client.state == .handshaking {
      pauses.append((deadline - now).milliseconds)
      now = deadline
      pair.client.handleTimeout(now: now)
      if pair.client.state == .handshaking { #expect(pair.client.drainDatagrams().count == 1) }
    }
    #expect(pauses == [150, 300, 600, 1200, 2400, 3200, 3200, 3200, 3200, 3200, 3200, 3200, 2950])
    #expect(pair.client.state == .failed(.handshakeTimedOut))
    #expect(now - start == DTLSTransport.handshakeTimeout)
    #expect(pair.client.deadline == nil)
  }

  @Test func nothingIsRepeatedBeforeItsTime() throws {
    let pair = try SimulatedPair()
    pair.client.start(now: pair.now)
    _ = pair.client.drainDatagrams()
    let deadline = try #require(pair.client.deadline)
    pair.client.handleTimeout(now: deadline + .milliseconds(-1))
    #expect(pair.client.nextDatagram() == nil)
    #expect(pair.client.deadline == deadline)
  }

  @Test func garbageDoesNotPutTheRepetitionOff() throws {
    let pair = try SimulatedPair()
    pair.client.start(now: pair.now)
    _ = pair.client.drainDatagrams()
    let deadline = try #require(pair.client.deadline)
    for step in 1...20 {
      pair.client.receive([22, 0xfe, 0xfd, 1, 2, 3], now: pair.now + .milliseconds(Int64(step)))
    }
    #expect(pair.client.deadline == deadline)
    #expect(pair.client.nextDatagram() == nil)
  }

  @Test func aServerGivesUpOnASilentClient() throws {
    let pair = try SimulatedPair()
    pair.tamper = { datagram, destination in destination == .client ? nil : datagram }
    pair.handshake()
    #expect(pair.server.state == .failed(.handshakeTimedOut))
    #expect(pair.client.state == .failed(.handshakeTimedOut))
  }

  @Test func aStartedServerGivesUpWhenNothingComes() throws {
    let pair = try SimulatedPair()
    pair.server.start(now: pair.now)
    #expect(pair.server.deadline == pair.now + DTLSTransport.handshakeTimeout)
    pair.run()
    #expect(pair.server.state == .failed(.handshakeTimedOut))
    #expect(pair.sentCount == 0)
  }

  @Test func aConnectedServerRepeatsItsLostLastFlight() throws {
    let pair = try SimulatedPair()
    var isCut = true
    pair.tamper = { [unowned pair] datagram, destination in
      if destination == .client, pair.server.state.isConnected, isCut {
        isCut = false
        return nil
      }
      return datagram
    }
    pair.handshake()
    #expect(!isCut)
    #expect(pair.parameters != nil)
  }

  @Test func aTimerAtRestAsksForNothing() throws {
    let pair = try SimulatedPair()
    #expect(pair.client.deadline == nil)
    #expect(pair.server.deadline == nil)
    pair.handshake()
    #expect(pair.client.deadline == nil)
    #expect(pair.server.deadline == nil)
  }
}
