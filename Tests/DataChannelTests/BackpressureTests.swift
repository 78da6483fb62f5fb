import DataChannel
import Primitives
import Testing

extension SCTPTests {
  @Suite struct Backpressure {
    @Test(arguments: [20_000, 1_100])
    func `a full channel is told of room before everything has arrived`(length: Int) throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      let message = DataChannelMessage.text(String(repeating: "x", count: length))
      let sent = try fill(link, message, on: id)
      #expect(writable(link).isEmpty)
      // The last tenth never arrives, so that the buffer never runs empty.
      link.intercept = { side, packet in
        side == .caller && link.messages(.server).count >= sent * 9 / 10 ? [] : [packet]
      }
      #expect(link.run(within: .seconds(5)) { !writable(link).isEmpty })
      #expect(link.messages(.server).count >= sent / 2)
      #expect(try fill(link, message, on: id) >= sent / 2)
      link.intercept = { [$1] }
      #expect(link.run { writable(link).count == 2 })
      #expect(writable(link) == [id, id])
    }

    @Test func `after too many tiny messages there is room when all are acknowledged`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      let sent = try fill(link, .text("x"), on: id)
      #expect(link.run { !writable(link).isEmpty })
      #expect(link.messages(.server).count == sent)
      #expect(try fill(link, .text("x"), on: id) == sent)
      #expect(link.run { writable(link).count == 2 })
    }

    @Test func `messages arrive in order through many refusals and losses`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      link.quality.loss = 0.02
      let messages = (0..<20_000).map { DataChannelMessage.text("\($0)") }
      var sent = 0
      var refusals = 0
      while sent < messages.count {
        do throws(DataChannelError) {
          try link.caller.send(messages[sent], on: id, now: link.now)
          sent += 1
        } catch {
          try #require(error == .bufferFull)
          refusals += 1
          try #require(link.run(within: .seconds(600)) { writable(link).count >= refusals })
        }
      }
      #expect(refusals < 200)
      #expect(link.run(within: .seconds(600)) { link.messages(.server).count == messages.count })
      #expect(link.messages(.server) == messages)
    }

    @Test func `a message of the largest size fits into the room that is told of`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      let largest = DataChannelMessage.binary(
        [UInt8](repeating: 1, count: DataChannelLimits.defaultMaximumMessageSize))
      _ = try fill(link, .text(String(repeating: "x", count: 5_000)), on: id)
      #expect(link.run { !writable(link).isEmpty })
      try link.caller.send(largest, on: id, now: link.now)
      #expect(link.run { link.messages(.server).last == largest })
    }

    @Test func `room is told to every channel that was refused, and to no closed one`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let ids = try (0..<3).map { try #require(try link.open(DataChannelParameters(label: "\($0)"))) }
      let message = DataChannelMessage.text(String(repeating: "x", count: 5_000))
      _ = try fill(link, message, on: ids[0])
      for id in ids[1...] {
        #expect(throws: DataChannelError.bufferFull) { try link.caller.send(message, on: id, now: link.now) }
      }
      link.caller.close(ids[2], now: link.now)
      #expect(link.run { link.closed(.caller) == [ids[2]] && !writable(link).isEmpty })
      #expect(writable(link) == [ids[0], ids[1]])
    }

    private func fill(_ link: SimulatedLink, _ message: DataChannelMessage, on id: DataChannelID) throws -> Int {
      for count in 0...DataChannelLimits.maximumQueuedMessages {
        do throws(DataChannelError) {
          try link.caller.send(message, on: id, now: link.now)
        } catch {
          try #require(error == .bufferFull)
          return count
        }
      }
      Issue.record("never full")
      return 0
    }

    private func writable(_ link: SimulatedLink) -> [DataChannelID] {
      link.logs[SimulatedLink.Side.caller.rawValue].compactMap {
        if case .channelWritable(let id) = $0 { id } else { nil }
      }
    }
  }
}
