import DataChannel
import Primitives
import Testing

/// DATA_CHANNEL_OPEN as RFC 8832 §5.1 lays it out: type, channel type, priority, reliability, lengths, label, protocol.
private let open: [UInt8] = [3, 0x81, 0x02, 0x00, 0, 0, 0, 7, 0, 2, 0, 4] + Array("hit140".utf8)

@Suite struct EstablishmentProtocolTests {
  @Test func `an opening is read and written as the RFC lays it out`() throws {
    let parameters = DataChannelParameters(
      label: "hi", subprotocol: "t140", isOrdered: false, reliability: .maximumRetransmissions(7), priority: 512)
    #expect(try DCEPMessage(parsing: open) == .open(parameters))
    #expect(DCEPMessage.open(parameters).serialize() == open)
    #expect(try DCEPMessage(parsing: [2]) == .acknowledgement)
    #expect(DCEPMessage.acknowledgement.serialize() == [2])
  }

  @Test(
    "every channel type goes there and back",
    arguments: [
      (DataChannelReliability.reliable, true, UInt8(0x00)), (.reliable, false, 0x80),
      (.maximumRetransmissions(1), true, 0x01), (.maximumRetransmissions(1), false, 0x81),
      (.maximumLifetime(milliseconds: 9), true, 0x02), (.maximumLifetime(milliseconds: 9), false, 0x82),
    ])
  func channelType(reliability: DataChannelReliability, isOrdered: Bool, type: UInt8) throws {
    let message = DCEPMessage.open(.init(label: "", isOrdered: isOrdered, reliability: reliability))
    #expect(message.serialize()[1] == type)
    #expect(try DCEPMessage(parsing: message.serialize()) == message)
  }

  static let malformed: [([UInt8], DCEPMessage.ParseError)] = [
    ([], .truncated), ([3], .truncated), (Array(open.dropLast()), .truncated), (open + [0], .trailingBytes),
    ([2, 0], .trailingBytes), ([0x55], .unknownMessageType(0x55)),
    ([3, 0x03] + open[2...], .unknownChannelType(0x03)), ([3, 0x7f] + open[2...], .unknownChannelType(0x7f)),
    ([3, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0xff, 0xfe], .nameNotUTF8),
    ([3, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], .nameTooLong),
    ([3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1], .nameTooLong),
  ]

  @Test("a malformed message is refused with its reason", arguments: malformed)
  func refuses(bytes: [UInt8], error: DCEPMessage.ParseError) {
    #expect(throws: error) { try DCEPMessage(parsing: bytes) }
  }

  @Test func `mutations never trap`() {
    var random = RandomSource.seeded(8)
    for _ in 0..<20_000 {
      var bytes = open
      for _ in 0...(random.next() % 4) { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() >> 56) }
      bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
      if let message = try? DCEPMessage(parsing: bytes) { #expect(message.serialize().count == bytes.count) }
    }
  }
}

extension SCTPTests {
  /// What a peer may do wrong above SCTP, and what it costs it.
  @Suite struct Misbehaviour {
    @Test(
      "a malformed opening costs the peer the stream, not the association",
      arguments: EstablishmentProtocolTests.malformed)
    func malformedOpening(bytes: [UInt8], error: DCEPMessage.ParseError) throws {
      guard !bytes.isEmpty else { return }
      let peer = try #require(RawPeer())
      try peer.send(bytes, stream: 4, .control)
      peer.run()
      #expect(peer.resetStreams == [4])
      #expect(peer.transport.state == .connected)
      #expect(peer.transport.openChannels.isEmpty)
      #expect(peer.outputs.allSatisfy { if case .stateChanged = $0 { true } else { false } })
    }

    @Test func `an opening with our parity is refused`() throws {
      let peer = try #require(RawPeer())
      try peer.send(open, stream: 3, .control)
      peer.run()
      #expect(peer.resetStreams == [3])
      #expect(peer.transport.openChannels.isEmpty)
    }

    @Test func `a second opening on an open stream closes the channel`() throws {
      let peer = try #require(RawPeer())
      try peer.send(open, stream: 2, .control)
      try peer.send(open, stream: 2, .control)
      peer.run()
      #expect(peer.resetStreams == [2])
      try peer.association.resetOutgoingStream(2)
      peer.run()
      #expect(peer.outputs.last == .channelClosed(DataChannelID(stream: 2)))
    }

    @Test func `data and acknowledgements on streams without a channel are ignored`() throws {
      let peer = try #require(RawPeer())
      try peer.send([1], stream: 8, .binary)
      try peer.send([2], stream: 9, .control)
      peer.run()
      #expect(peer.outputs == [.stateChanged(.connecting), .stateChanged(.connected)])
    }

    @Test("text that is no UTF-8, or too long a message, closes the channel", arguments: [false, true])
    func badMessage(isTooLong: Bool) throws {
      let peer = try #require(
        RawPeer { DataChannelTransport(stack: $0, role: .dtlsServer, maximumMessageSize: 1000) })
      try peer.send(open, stream: 0, .control)
      try peer.send([UInt8](repeating: 1, count: 1000), stream: 0, .binary)
      try peer.send(isTooLong ? [UInt8](repeating: 1, count: 1001) : [0xc0], stream: 0, isTooLong ? .binary : .text)
      try peer.send([7], stream: 0, .binary)
      peer.run()
      #expect(peer.resetStreams == [0])
      let messages = peer.outputs.filter { if case .message = $0 { true } else { false } }
      #expect(messages.count == 1, "the message before is delivered, neither the bad one nor the next")
    }

    @Test func `a message beyond the receive window's half comes in parts and closes the channel`() throws {
      let peer = try #require(RawPeer())
      try peer.send(open, stream: 0, .control)
      try peer.send([UInt8](repeating: 1, count: 900_000), stream: 0, .binary)
      for _ in 0..<20 { peer.run() }
      #expect(peer.resetStreams == [0])
      #expect(peer.transport.state == .connected)
      try peer.send(open, stream: 2, .control)
      peer.run()
      #expect(peer.transport.openChannels == [DataChannelID(stream: 2)])
    }

    @Test func `openings beyond the limit are refused and the rest stays`() throws {
      let peer = try #require(RawPeer())
      for index in 0..<(DataChannelLimits.maximumChannels + 3) {
        try peer.send(open, stream: UInt16(index * 2), .control)
      }
      peer.run()
      #expect(peer.transport.openChannels.count == DataChannelLimits.maximumChannels)
      #expect(Set(peer.resetStreams) == [128, 130, 132])
    }
  }

  @Suite struct Limits {
    @Test func `names have a length`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let longest = String(repeating: "n", count: DataChannelLimits.maximumLabelLength)
      #expect(try link.open(DataChannelParameters(label: longest)) != nil)
      #expect(throws: DataChannelError.nameTooLong) {
        try link.caller.openChannel(DataChannelParameters(label: longest + "n"), now: link.now)
      }
    }

    @Test func `channels have a number`() throws {
      let link = SimulatedLink()
      #expect(link.connect())
      for _ in 0..<DataChannelLimits.maximumChannels {
        _ = try link.caller.openChannel(DataChannelParameters(label: ""), now: link.now)
      }
      #expect(throws: DataChannelError.tooManyChannels) {
        try link.caller.openChannel(DataChannelParameters(label: ""), now: link.now)
      }
      #expect(link.run { link.opened(.caller).count == DataChannelLimits.maximumChannels })
    }

    @Test func `messages have a size that the peer decides`() throws {
      let link = SimulatedLink { side, stack in
        side == .server ? nil : DataChannelTransport(stack: stack, role: .dtlsClient, peerMaximumMessageSize: 100)
      }
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      try link.caller.send(.binary([UInt8](repeating: 0, count: 100)), on: id, now: link.now)
      #expect(throws: DataChannelError.messageTooLong(limit: 100)) {
        try link.caller.send(.binary([UInt8](repeating: 0, count: 101)), on: id, now: link.now)
      }
    }

    @Test("the send buffer fills, refuses, and takes more when the peer has acknowledged", arguments: [1, 200_000])
    func sendBuffer(size: Int) throws {
      let link = SimulatedLink()
      #expect(link.connect())
      let id = try #require(try link.open(DataChannelParameters(label: "")))
      let message = DataChannelMessage.binary([UInt8](repeating: 1, count: size))
      var accepted = 0
      #expect(throws: DataChannelError.bufferFull) {
        for _ in 0..<100_000 {
          try link.caller.send(message, on: id, now: link.now)
          accepted += 1
        }
      }
      #expect(accepted * size <= DataChannelLimits.maximumBufferedBytes)
      #expect(accepted <= DataChannelLimits.maximumQueuedMessages)
      #expect(link.run { link.messages(.server).count == accepted })
      link.run(within: .seconds(1))
      try link.caller.send(message, on: id, now: link.now)
      #expect(link.run { link.messages(.server).count == accepted + 1 })
    }

    @Test func `packets that nobody fetches are dropped at the limit`() {
      let mailbox = SCTPMailbox()
      for _ in 0..<(DataChannelLimits.maximumPendingPackets + 5) {
        [UInt8](repeating: 0, count: 10).withUnsafeBytes { mailbox.append(packet: $0) }
      }
      #expect(mailbox.droppedPackets == 5)
    }

    @Test func `events that nobody fetches end in an overflow at the limit`() throws {
      let mailbox = SCTPMailbox()
      for _ in 0..<(DataChannelLimits.maximumPendingOutputs + 5) { mailbox.append(event: .lost) }
      let events = mailbox.takeEvents()
      #expect(events.count == DataChannelLimits.maximumPendingOutputs + 1)
      guard case .overflow? = events.last else { return #expect(Bool(false), "no overflow") }
    }
  }
}
