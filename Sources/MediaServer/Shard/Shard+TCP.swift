import Primitives
import Sockets
import Relay

// ICE-TCP: the way in for callers whose network lets no UDP through.

extension Shard {
  /// Most TCP connections of a shard; more are refused at once.
  private static var maximumConnections: Int { 4_096 }
  /// How long a connection may stay without a valid check.
  private static var anonymousConnectionLimit: TimeInterval64 { .milliseconds(10_000) }

  func accept(on listener: TCPListener) {
    while let (descriptor, remote) = listener.accept() {
      let path = TransportPath(transport: .tcp, local: listener.address, remote: remote)
      let connection = TCPConnection(descriptor: descriptor, path: path, openedAt: now)
      dropAnonymousConnections()
      guard connections.count < Self.maximumConnections,
        (try? poller.add(descriptor, token: Token.connection(descriptor))) != nil
      else {
        connection.close()
        continue
      }
      connections[descriptor] = connection
    }
  }

  func serveConnection(_ descriptor: Int32) {
    guard let connection = connections[descriptor] else { return }
    guard connection.flush(), let frames = connection.read() else { return drop(connection) }
    if !connection.wantsToWrite { poller.modify(descriptor, token: Token.connection(descriptor), .readable) }
    for frame in frames {
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

  private func dropAnonymousConnections() {
    for connection in connections.values
    where peersByPath[connection.path] == nil && now - connection.openedAt > Self.anonymousConnectionLimit {
      drop(connection)
    }
  }

  private func drop(_ connection: TCPConnection) {
    poller.remove(connection.descriptor)
    connections[connection.descriptor] = nil
    connection.close()
    guard let handle = peersByPath.removeValue(forKey: connection.path), let peer = peers[Int(handle.index)] else {
      return
    }
    peer.paths.removeAll { $0 == connection.path }
    if peer.session.selectedPath == connection.path { routes.clear(handle) }
  }
}
