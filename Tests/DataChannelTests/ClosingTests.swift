import DataChannel
import Primitives
import Synchronization
import Testing

extension SCTPTests {
  @Suite struct Closing {
    @Test("closing a channel closes it on both sides", arguments: [SimulatedLink.Side.caller, .server])
    func close(side: SimulatedLink.Side) throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      link.transport(side).close(id, now: link.now)
      #expect(throws: DataChannelError.noSuchChannel) {
        try link.transport(side).send(.text("late"), on: id, now: link.now)
      }
      #expect(link.run { link.closed(.caller) == [id] && link.closed(.server) == [id] })
    }

    @Test func `what was sent before the close arrives first`() throws {
      let link = SimulatedLink(seed: 5)
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      link.quality = .init(loss: 0.1, jitter: .milliseconds(30))
      for index in 0..<50 { try link.caller.send(.text("\(index)"), on: id, now: link.now) }
      link.caller.close(id, now: link.now)
      #expect(link.run { link.closed(.server) == [id] && link.closed(.caller) == [id] })
      #expect(link.messages(.server).count == 50)
    }

    @Test("a closed channel's number is used again", arguments: 1...6 as ClosedRange<UInt64>)
    func reuse(seed: UInt64) throws {
      let link = SimulatedLink(seed: seed)
      #expect(link.connect())
      link.quality = .init(loss: 0.15, jitter: .milliseconds(40))
      for round in 0..<5 {
        let id = try link.caller.openChannel(DataChannelParameters(label: "\(round)"), now: link.now)
        #expect(id.stream == 0)
        try link.caller.send(.text("\(round)"), on: id, now: link.now)
        #expect(
          link.run { link.messages(.server).last == .text("\(round)") && link.opened(.caller).count == round + 1 })
        (round % 2 == 0 ? link.caller : link.server).close(id, now: link.now)
        #expect(link.run { link.closed(.caller).count == round + 1 })
      }
      #expect(link.run { link.closed(.server).count == 5 })
      #expect(link.opened(.server).count == 5)
    }

    @Test func `both sides close at once`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      link.caller.close(id, now: link.now)
      link.server.close(id, now: link.now)
      #expect(link.run { link.closed(.caller) == [id] && link.closed(.server) == [id] })
    }

    @Test func `many channels close at once through loss`() throws {
      let link = SimulatedLink(seed: 11)
      #expect(link.connect())
      let ids = try (0..<32).map { try link.caller.openChannel(DataChannelParameters(label: "\($0)"), now: link.now) }
      #expect(link.run { link.opened(.caller).count == 32 })
      link.quality = .init(loss: 0.2, jitter: .milliseconds(20))
      for id in ids { link.caller.close(id, now: link.now) }
      #expect(link.run(within: .seconds(300)) { link.closed(.caller).count == 32 && link.closed(.server).count == 32 })
    }

    @Test func `a local close tells the peer`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      link.caller.close()
      #expect(link.run { link.server.state == .closed(.lost) })
      #expect(link.logs[0].suffix(2) == [.channelClosed(id), .stateChanged(.closed(.local))])
      #expect(link.logs[1].suffix(2) == [.channelClosed(id), .stateChanged(.closed(.lost))])
    }

    @Test func `a peer that vanishes is noticed while data waits`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      link.drop(.server)
      try link.caller.send(.text("anyone?"), on: id, now: link.now)
      #expect(!link.run(within: .seconds(20)) { link.caller.state != .connected }, "an ICE restart takes a while")
      #expect(link.run(within: .seconds(120)) { link.caller.state == .closed(.lost) })
    }

    @Test func `after the end every call is harmless`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      link.caller.close()
      link.caller.close()
      link.caller.close(id, now: link.now)
      link.caller.handleTimeout(now: link.now)
      [UInt8](repeating: 0, count: 40).withUnsafeBytes { link.caller.receive($0, now: link.now) }
      #expect(throws: DataChannelError.notConnected) { try link.caller.send(.text(""), on: id, now: link.now) }
      #expect(throws: DataChannelError.notConnected) {
        try link.caller.openChannel(DataChannelParameters(label: ""), now: link.now)
      }
    }

    @Test("transports let go of under traffic leave nothing behind", arguments: 1...10 as ClosedRange<UInt64>)
    func teardown(seed: UInt64) throws {
      let stack = SCTPStack()
      var random = RandomSource.seeded(seed)
      let links = (0..<4).map { SimulatedLink(seed: seed &* 31 &+ UInt64($0), stack: stack) }
      for link in links {
        link.quality = .init(loss: 0.1, jitter: .milliseconds(10))
        #expect(link.connect())
        for transport in [link.caller, link.server] {
          let id = try transport.openChannel(DataChannelParameters(label: "t"), now: link.now)
          for _ in 0..<3 { try transport.send(.binary(random.bytes(20_000)), on: id, now: link.now) }
        }
        link.run(within: .milliseconds(Int64(random.next() % 80)))
        link.drop(random.next() % 2 == 0 ? .caller : .server)
      }
      for link in links { link.run(within: .seconds(1)) }
    }

    /// Real threads, one clock: what the media shards do.
    @Test func `threads share a stack`() async {
      let stack = SCTPStack()
      let delivered = await withTaskGroup(of: Int.self) { group in
        for worker in 0..<4 {
          group.addTask {
            var delivered = 0
            for round in 0..<6 {
              let link = SimulatedLink(seed: UInt64(worker * 100 + round), stack: stack)
              guard link.connect(),
                let id = try? link.caller.openChannel(DataChannelParameters(label: "x"), now: link.now)
              else { continue }
              for _ in 0..<20 {
                try? link.caller.send(.binary([UInt8](repeating: 9, count: 3000)), on: id, now: link.now)
              }
              link.run(within: .seconds(10)) { link.messages(.server).count == 20 }
              delivered += link.messages(.server).count
            }
            return delivered
          }
        }
        return await group.reduce(0, +)
      }
      #expect(delivered == 4 * 6 * 20)
    }
  }
}
