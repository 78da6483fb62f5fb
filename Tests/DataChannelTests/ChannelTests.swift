import DataChannel
import Primitives
import Testing

extension SCTPTests {
  @Suite struct Channels {
    static let kinds: [DataChannelParameters] = [true, false].flatMap { isOrdered in
      [.reliable, .maximumRetransmissions(0), .maximumRetransmissions(5), .maximumLifetime(milliseconds: 3000)].map {
        DataChannelParameters(
          label: "Übertragung", subprotocol: "sightline.v1", isOrdered: isOrdered, reliability: $0, priority: 512)
      }
    }

    static let samples: [DataChannelMessage] = [
      .text("Grüße"), .text(""), .binary([]), .binary([0]), .binary([1, 2, 3]),
      .text(String(repeating: "x", count: 5000)),
    ]

    @Test("every kind of channel carries every kind of message both ways", arguments: kinds)
    func kind(parameters: DataChannelParameters) throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(parameters))
      #expect(link.logs[1].contains(.channelOpened(id, parameters)))
      #expect(link.logs[0].contains(.channelOpened(id, parameters)))
      for message in Self.samples {
        try link.caller.send(message, on: id, now: link.now)
        try link.server.send(message, on: id, now: link.now)
      }
      let count = Self.samples.count
      #expect(link.run { link.messages(.server).count == count && link.messages(.caller).count == count })
      #expect(Set(link.messages(.server)) == Set(Self.samples))
      #expect(Set(link.messages(.caller)) == Set(Self.samples))
      if parameters.isOrdered { #expect(link.messages(.server) == Self.samples) }
    }

    @Test("ordered messages keep their order through loss and reordering", arguments: 1...4 as ClosedRange<UInt64>)
    func order(seed: UInt64) throws {
      let link = SimulatedLink(seed: seed)
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      link.quality = .init(loss: 0.1, jitter: .milliseconds(50))
      let messages = (0..<200).map { DataChannelMessage.text("\($0)") }
      for message in messages { try link.caller.send(message, on: id, now: link.now) }
      #expect(link.run { link.messages(.server).count == 200 })
      #expect(link.messages(.server) == messages)
    }

    @Test func `an unordered message does not wait for a lost one before it`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "", isOrdered: false)))
      link.quality.loss = 1
      try link.caller.send(.text("first"), on: id, now: link.now)
      link.run(within: .milliseconds(1))
      link.quality.loss = 0
      try link.caller.send(.text("second"), on: id, now: link.now)
      #expect(link.run { link.messages(.server).count == 2 })
      #expect(link.messages(.server) == [.text("second"), .text("first")])
    }

    @Test func `a message without retransmissions is abandoned and the next one arrives`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let parameters = DataChannelParameters(label: "", reliability: .maximumRetransmissions(0))
      let id = try #require(try link.open(parameters))
      link.quality.loss = 1
      try link.caller.send(.text("lost"), on: id, now: link.now)
      link.run(within: .milliseconds(1))
      link.quality.loss = 0
      try link.caller.send(.text("kept"), on: id, now: link.now)
      #expect(link.run { !link.messages(.server).isEmpty })
      link.run(within: .seconds(20))
      #expect(link.messages(.server) == [.text("kept")])
    }

    @Test func `a message whose lifetime is over is abandoned and the next one arrives`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let parameters = DataChannelParameters(label: "", reliability: .maximumLifetime(milliseconds: 300))
      let id = try #require(try link.open(parameters))
      link.quality.loss = 1
      try link.caller.send(.text("lost"), on: id, now: link.now)
      link.run(within: .milliseconds(350))
      link.quality.loss = 0
      link.run(within: .seconds(5))
      try link.caller.send(.text("kept"), on: id, now: link.now)
      #expect(link.run { link.messages(.server).contains(.text("kept")) })
      #expect(link.messages(.server) == [.text("kept")])
    }

    @Test("256 KiB both ways at once", arguments: [0.0, 0.02])
    func large(loss: Double) throws {
      let link = SimulatedLink(seed: 7, maximumPacketSize: 1100)
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "big")))
      link.quality = .init(loss: loss, jitter: .milliseconds(5))
      var random = RandomSource.seeded(3)
      let up = DataChannelMessage.binary(random.bytes(262_144))
      let down = DataChannelMessage.text(String(repeating: "z", count: 262_144))
      try link.caller.send(up, on: id, now: link.now)
      try link.server.send(down, on: id, now: link.now)
      #expect(link.run(within: .seconds(120)) { !link.messages(.server).isEmpty && !link.messages(.caller).isEmpty })
      #expect(link.messages(.server) == [up])
      #expect(link.messages(.caller) == [down])
      #expect(link.largestPacket <= 1100)
      #expect(link.largestPacket > 1000)
    }

    @Test func `a real-time text channel is recognised by its protocol`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(.realTimeText(label: "chat")))
      guard case .channelOpened(_, let parameters)? = link.logs[1].last(where: { $0 != .stateChanged(.connected) })
      else {
        return #expect(Bool(false), "the server has no channel")
      }
      #expect(parameters.isRealTimeText)
      try link.caller.send(.text("h"), on: id, now: link.now)
      #expect(link.run { link.messages(.server) == [.text("h")] })
      let lossy = DataChannelParameters(label: "", subprotocol: "t140", reliability: .maximumRetransmissions(1))
      #expect(throws: DataChannelError.realTimeTextMustBeReliable) {
        try link.caller.openChannel(lossy, now: link.now)
      }
    }

    @Test func `a channel agreed in signalling needs no opening`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = DataChannelID(stream: 100)
      let parameters = DataChannelParameters.realTimeText(label: "")
      try link.caller.addNegotiatedChannel(id, parameters)
      try link.server.addNegotiatedChannel(id, parameters)
      try link.server.send(.text("q"), on: id, now: link.now)
      #expect(link.run { link.messages(.caller) == [.text("q")] })
      #expect(throws: DataChannelError.streamUnavailable) { try link.caller.addNegotiatedChannel(id, parameters) }
    }
  }
}
