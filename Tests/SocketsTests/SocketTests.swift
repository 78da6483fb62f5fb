import CSystemCalls
import Glibc
import Primitives
import Sockets
import Testing

@Suite struct SocketTests {
  private let loopback = IPAddress(v4: 0x7f00_0001)

  @Test(arguments: [IPAddress(v4: 0x7f00_0001), IPAddress(v6High: 0, low: 1)])
  func addressesSurviveTheKernelsForm(ip: IPAddress) {
    let address = TransportAddress(ip: ip, port: 40_123)
    #expect(TransportAddress(address.system) == address)
  }

  @Test func segmentedMessageArrivesAsItsDatagrams() throws {
    let sender = try UDPSocket(TransportAddress(ip: loopback, port: 0))
    let receiver = try UDPSocket(TransportAddress(ip: loopback, port: 0))
    let sizes = send(bytes: 2_500, segmentSize: 1_000, from: sender, to: receiver)
    #expect(sizes == [1_000, 1_000, 500])
  }

  /// The kernel refuses more segments than it knows; the datagrams must go out all the same.
  @Test func messageThatTheKernelWillNotSplitIsSentApart() throws {
    let sender = try UDPSocket(TransportAddress(ip: loopback, port: 0))
    let receiver = try UDPSocket(TransportAddress(ip: loopback, port: 0))
    let sizes = send(bytes: 2_000, segmentSize: 4, from: sender, to: receiver)
    #expect(sizes.reduce(0, +) == 2_000)
    #expect(sizes.allSatisfy { $0 == 4 })
  }

  /// Sends one segmented message and returns the sizes of the datagrams that arrive.
  private func send(bytes: Int, segmentSize: Int, from sender: UDPSocket, to receiver: UDPSocket) -> [Int] {
    var batch = SendBatch()
    var payload = [UInt8](repeating: 7, count: bytes)
    var address = receiver.address.system
    payload.withUnsafeMutableBytes { buffer in
      withUnsafeMutablePointer(to: &address) { destination in
        guard let base = buffer.baseAddress else { return }
        batch.add(
          on: sender.descriptor, to: destination, addressLength: receiver.address.systemLength, bytes: base,
          length: bytes, segmentSize: segmentSize, segments: (bytes + segmentSize - 1) / segmentSize)
        batch.flush()
      }
    }
    return receive(on: receiver, total: bytes)
  }

  /// Small datagrams need nobody who keeps them until they are sent, however many there are.
  @Test func batchKeepsDatagramsThatItIsAskedTo() throws {
    let sender = try UDPSocket(TransportAddress(ip: loopback, port: 0))
    let receiver = try UDPSocket(TransportAddress(ip: loopback, port: 0))
    let sizes = Array(1...(SendBatch.capacity + 3))
    var batch = SendBatch()
    for size in sizes {
      let length = batch.add(
        on: sender.descriptor, to: receiver.address.system, addressLength: receiver.address.systemLength
      ) { memory in
        memory.copyBytes(from: repeatElement(UInt8(size), count: size))
        return size
      }
      #expect(length == size)
    }
    let nothing = batch.add(
      on: sender.descriptor, to: receiver.address.system, addressLength: receiver.address.systemLength
    ) { _ in 0 }
    #expect(nothing == 0)
    batch.flush()
    #expect(receive(on: receiver, total: sizes.reduce(0, +)) == sizes)
    #expect(batch.dropped == 0)
  }

  private func receive(on socket: UDPSocket, total: Int) -> [Int] {
    let batch = ReceiveBatch()
    var sizes: [Int] = []
    while sizes.reduce(0, +) < total {
      let count = batch.receive(from: socket.descriptor)
      guard count > 0 else { return sizes }
      for place in 0..<count {
        var rest = batch.bytes(of: place).count
        while rest > 0 {
          sizes.append(min(rest, batch.segmentSize(of: place)))
          rest -= batch.segmentSize(of: place)
        }
      }
    }
    return sizes
  }

  @Test func arrivalIsNotedWhereAskedFor() throws {
    let sender = try UDPSocket(TransportAddress(ip: loopback, port: 0))
    let batch = ReceiveBatch()
    for notesArrival in [true, false] {
      let receiver = try UDPSocket(TransportAddress(ip: loopback, port: 0), notesArrival: notesArrival)
      var address = receiver.address.system
      let before = sl_realtime_nanoseconds()
      let sent = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          sendto(sender.descriptor, "hello", 5, 0, $0, receiver.address.systemLength)
        }
      }
      #expect(sent == 5)
      #expect(batch.receive(from: receiver.descriptor) == 1)
      let arrival = batch.arrival(of: 0)
      #expect((arrival != nil) == notesArrival)
      if let arrival { #expect((before...sl_realtime_nanoseconds()).contains(arrival)) }
    }
  }

  /// Both families, split by the kernel or not, and what the socket says where the message says nothing.
  @Test(arguments: [IPAddress(v4: 0x7f00_0001), IPAddress(v6High: 0, low: 1)], [1_000, 500])
  func datagramsCarryTheirCodePoint(ip: IPAddress, segmentSize: Int) throws {
    let sender = try UDPSocket(TransportAddress(ip: ip, port: 0), codePoint: .lesserVideo)
    let receiver = try UDPSocket(TransportAddress(ip: ip, port: 0))
    var batch = SendBatch()
    var payload = [UInt8](repeating: 7, count: 1_000)
    var address = receiver.address.system
    payload.withUnsafeMutableBytes { buffer in
      withUnsafeMutablePointer(to: &address) { destination in
        guard let base = buffer.baseAddress else { return }
        for codePoint in [DSCP.expedited, nil, .video] {
          batch.add(
            on: sender.descriptor, to: destination, addressLength: receiver.address.systemLength, bytes: base,
            length: 1_000, segmentSize: segmentSize, segments: 1_000 / segmentSize, codePoint: codePoint)
        }
        #expect(trafficClasses(on: receiver, ip) { batch.flush() } == [0xb8, 0x90, 0x88])
      }
    }
    #expect(batch.dropped == 0)
  }

  /// The traffic class of each message that arrives, as the kernel tells it.
  private func trafficClasses(on socket: UDPSocket, _ ip: IPAddress, after send: () -> Void) -> [UInt8] {
    var on: Int32 = 1
    let length = socklen_t(MemoryLayout<Int32>.size)
    if ip.family == .v4 {
      setsockopt(socket.descriptor, Int32(IPPROTO_IP), IP_RECVTOS, &on, length)
    } else {
      setsockopt(socket.descriptor, Int32(IPPROTO_IPV6), IPV6_RECVTCLASS, &on, length)
    }
    send()
    var classes: [UInt8] = []
    while let next = trafficClassOfNext(on: socket, isV4: ip.family == .v4) { classes.append(next) }
    return classes
  }

  private func trafficClassOfNext(on socket: UDPSocket, isV4: Bool) -> UInt8? {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    var control = [UInt8](repeating: 0, count: 256)
    return bytes.withUnsafeMutableBytes { bytes in
      control.withUnsafeMutableBytes { control in
        var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return withUnsafeMutablePointer(to: &vector) { vector in
          var header = msghdr()
          header.msg_iov = vector
          header.msg_iovlen = 1
          header.msg_control = control.baseAddress
          header.msg_controllen = control.count
          guard recvmsg(socket.descriptor, &header, Int32(MSG_DONTWAIT)) > 0 else { return nil }
          return trafficClass(in: control[..<header.msg_controllen], isV4: isV4)
        }
      }
    }
  }

  /// Looks through control messages, each a length, a level, a type and its data (cmsg(3)).
  private func trafficClass(in control: Slice<UnsafeMutableRawBufferPointer>, isV4: Bool) -> UInt8? {
    let memory = UnsafeRawBufferPointer(rebasing: control)
    var offset = 0
    while offset + 16 < memory.count {
      let length = memory.loadUnaligned(fromByteOffset: offset, as: Int.self)
      let level = memory.loadUnaligned(fromByteOffset: offset + 8, as: Int32.self)
      let type = memory.loadUnaligned(fromByteOffset: offset + 12, as: Int32.self)
      if (level, type) == (isV4 ? (Int32(IPPROTO_IP), IP_TOS) : (Int32(IPPROTO_IPV6), IPV6_TCLASS)) {
        return memory[offset + 16]
      }
      offset += (length + 7) & ~7
    }
    return nil
  }

  @Test func takenPortSaysWhichOne() throws {
    let first = try UDPSocket(TransportAddress(ip: loopback, port: 0))
    let error = #expect(throws: SystemError.self) { try UDPSocket(first.address) }
    #expect(error?.description.contains("bind UDP \(first.address)") == true)
  }

  @Test func framesCrossATCPConnectionInPieces() throws {
    let listener = try TCPListener(TransportAddress(ip: loopback, port: 0))
    var address = listener.address.system
    let client = sl_tcp_connect(&address)
    try #require(client >= 0)
    var accepted: (descriptor: Int32, peer: TransportAddress)?
    while accepted == nil { accepted = listener.accept() }
    let (descriptor, peer) = try #require(accepted)
    let path = TransportPath(transport: .tcp, local: listener.address, remote: peer)
    let server = TCPConnection(descriptor: descriptor, path: path, openedAt: .zero)
    let sender = TCPConnection(descriptor: client, path: path, openedAt: .zero)
    let large = [UInt8](repeating: 9, count: 60_000)
    for frame in [[1, 2, 3], large, [4]] {
      #expect(frame.withUnsafeBytes { sender.send($0) })
    }
    var frames: [[UInt8]] = []
    while frames.count < 3 { frames += try #require(server.read()) }
    #expect(frames == [[1, 2, 3], large, [4]])
    sender.close()
    var end: [[UInt8]]? = []
    while end != nil { end = server.read() }
  }
}
