import DataChannel
import Primitives
import SimulationSupport
import Testing

/// All suites that use the SCTP library, one test at a time: its clock is the process's.
@Suite(.serialized, .ownsSCTPClock) enum SCTPTests {}

extension SCTPTests {
  @Suite struct Establishment {
    @Test("both ends start at once and their INITs collide", arguments: 1...8 as ClosedRange<UInt64>)
    func collision(seed: UInt64) {
      let link = SimulatedLink(seed: seed)
      link.quality = .init(loss: 0.25, jitter: .milliseconds(60))
      #expect(link.connect())
      #expect(link.logs[0].prefix(2) == [.stateChanged(.connecting), .stateChanged(.connected)])
      #expect(link.logs[1].prefix(2) == [.stateChanged(.connecting), .stateChanged(.connected)])
    }

    @Test func `the second end starts a second later`() {
      let link = SimulatedLink()
      link.caller.start(now: link.now)
      #expect(!link.run(within: .seconds(1)) { link.caller.state == .connected })
      link.server.start(now: link.now)
      #expect(link.run { link.caller.state == .connected && link.server.state == .connected })
    }

    @Test func `a peer that never answers ends the attempt`() {
      let link = SimulatedLink()
      link.quality.loss = 1
      #expect(!link.connect())
      #expect(link.run(within: .seconds(120)) { link.caller.state == .closed(.cannotConnect) })
      #expect(link.logs[0].last == .stateChanged(.closed(.cannotConnect)))
      #expect(link.caller.deadline == nil)
    }

    @Test func `starting twice changes nothing`() {
      let link = SimulatedLink()
      #expect(link.connect())
      link.caller.start(now: link.now)
      #expect(link.caller.state == .connected)
    }

    @Test func `the client opens even streams and the server odd ones`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let parameters = DataChannelParameters(label: "a")
      let even = try [
        link.caller.openChannel(parameters, now: link.now), link.caller.openChannel(parameters, now: link.now),
      ]
      let odd = try [
        link.server.openChannel(parameters, now: link.now), link.server.openChannel(parameters, now: link.now),
      ]
      #expect(even.map(\.stream) == [0, 2])
      #expect(odd.map(\.stream) == [1, 3])
      #expect(link.run { link.opened(.caller).count == 4 && link.opened(.server).count == 4 })
    }

    @Test func `a channel opened before the association is up opens with it`() throws {
      let link = SimulatedLink()
      link.start()
      let id = try link.caller.openChannel(DataChannelParameters(label: "early"), now: link.now)
      #expect(throws: DataChannelError.notConnected) {
        try link.caller.send(.text("x"), on: id, now: link.now)
      }
      #expect(link.run { link.opened(.server) == [id] && link.opened(.caller) == [id] })
    }

    @Test func `sixteen associations carry their own messages at once`() throws {
      let stack = SCTPStack()
      let links = (0..<16).map { SimulatedLink(seed: UInt64($0), stack: stack) }
      for link in links { link.quality = .init(loss: 0.05, jitter: .milliseconds(10)) }
      for link in links { link.start() }
      for _ in 0..<400 where !links.allSatisfy({ $0.caller.state == .connected && $0.server.state == .connected }) {
        for link in links { link.run(within: .milliseconds(25)) }
      }
      for (index, link) in links.enumerated() {
        let id = try link.caller.openChannel(DataChannelParameters(label: "\(index)"), now: link.now)
        try link.caller.send(.text("from \(index)"), on: id, now: link.now)
      }
      for _ in 0..<400 where !links.allSatisfy({ !$0.messages(.server).isEmpty }) {
        for link in links { link.run(within: .milliseconds(25)) }
      }
      for (index, link) in links.enumerated() { #expect(link.messages(.server) == [.text("from \(index)")]) }
    }

    @Test func `the library starts and ends with its first and last stack, again and again`() {
      for seed in 0..<20 as Range<UInt64> {
        let link = SimulatedLink(seed: seed)
        #expect(link.connect())
      }
    }
  }
}
