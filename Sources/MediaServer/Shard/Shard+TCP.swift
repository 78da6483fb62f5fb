import Primitives
import Sockets
import Relay

// ICE-TCP: the way in for callers whose network lets no UDP through.

extension Shard {
  /// Most TCP connections of a shard; more are refused at once.
  private static var maximumConnections: Int { 4_096 }
  /// Most connections that have not shown a session's password yet; the oldest give way.
  ///
  /// Strangers must not use up the process's descriptors.
  private static var maximumNewcomers: Int { 256 }
  /// Connections accepted before the packets get their turn; the kernel keeps the others.
  private static var acceptsPerTurn: Int { 32 }

  func accept(on listener: TCPListener) {
    for _ in 0..<Self.acceptsPerTurn {
      guard let (descriptor, remote) = listener.accept() else { return }
      let path = TransportPath(transport: .tcp, local: listener.address, remote: remote)
      let connection = TCPConnection(descriptor: descriptor, path: path, openedAt: now)
      guard connections.count < Self.maximumConnections,
        (try? poller.add(descriptor, token: Token.connection(descriptor))) != nil
      else {
        connection.close()
        continue
      }
      connections[descriptor] = connection
      newcomers.append(connection)
      dropAnonymousConnections()
    }
  }

  func serveConnection(_ descriptor: Int32) {
    guard let connection = connections[descriptor] else { return }
    guard connection.flush(), let frames = connection.read() else { return drop(connection) }
    if !connection.wantsToWrite { poller.modify(descriptor, token: Token.connection(descriptor), .readable) }
    // A frame may end the session, and with it the connection.
    for frame in frames where connection.isOpen {
      var bytes = frame
      let known = peersByPath[connection.path]
      bytes.withUnsafeMutableBytes { receive($0, on: connection.path, from: known) }
    }
  }

  func sendFrame(_ datagram: UnsafeRawBufferPointer, on descriptor: Int32) {
    guard let connection = connections[descriptor] else { return }
    counters.datagramsSent &+= 1
    counters.bytesSent &+= UInt64(datagram.count)
    if !connection.send(datagram) { counters.tcpFramesDropped &+= 1 }
    if connection.wantsToWrite {
      poller.modify(descriptor, token: Token.connection(descriptor), .readableAndWritable)
    }
  }

  func closeConnections(of peer: Peer) {
    for connection in connections.values where peer.paths.contains(connection.path) { drop(connection) }
  }

  /// Drops connections that have shown no session's password in time, or have too many newer ones behind them.
  func dropAnonymousConnections() {
    while let oldest = newcomers.first,
      newcomers.count > Self.maximumNewcomers || now - oldest.openedAt > configuration.silentConnectionLimit
    {
      newcomers.removeFirst()
      if connections[oldest.descriptor] === oldest, peersByPath[oldest.path] == nil { drop(oldest) }
    }
  }

  private func drop(_ connection: TCPConnection) {
    poller.remove(connection.descriptor)
    connections[connection.descriptor] = nil
    // Whoever owns the path now: a former owner's route may still lead here.
    routes.clear(tcp: connection.descriptor)
    connection.close()
    guard let handle = peersByPath.removeValue(forKey: connection.path) else { return }
    peers[Int(handle.index)]?.paths.removeAll { $0 == connection.path }
  }
}
