import Glibc
import PeerSession
import Primitives
import Sockets
import Relay
import STUN

// What arrives and what leaves. Packet path.

extension Shard {
  /// Takes one datagram.
  ///
  /// `known` is the peer that the path belongs to, if it has proven itself there.
  @inline(__always)
  func receive(_ datagram: UnsafeMutableRawBufferPointer, on path: TransportPath, from known: PeerHandle?) {
    counters.datagramsReceived &+= 1
    guard let first = datagram.first else { return }
    switch DatagramKind(firstByte: first) {
    case .media:
      guard let known else {
        counters.unknownSender &+= 1
        return
      }
      receiveMedia(datagram, on: path, from: known)
    case .stun:
      receiveSTUN(datagram, on: path, from: known)
    case .dtls:
      guard let known, let peer = peers[Int(known.index)] else {
        counters.unknownSender &+= 1
        return
      }
      guard peer.waitingHandshakes < HandshakeQueue.capacityPerPeer,
        handshakes.append(datagram, on: path, from: known)
      else {
        counters.handshakesDropped &+= 1
        return
      }
      peer.waitingHandshakes += 1
    case .other:
      counters.unknownProtocol &+= 1
    }
  }

  @inline(__always)
  private func receiveMedia(_ datagram: UnsafeMutableRawBufferPointer, on path: TransportPath, from peer: PeerHandle) {
    guard let inbound = routes.inbound(of: peer), let base = datagram.baseAddress, datagram.count >= 2 else {
      counters.mediaBeforeKeys &+= 1
      return
    }
    let isRTCP = DatagramKind.isRTCP(secondByte: datagram[1])
    let result =
      isRTCP
      ? inbound.unprotectRTCP(base, length: datagram.count) : inbound.unprotectRTP(base, length: datagram.count)
    switch result {
    case .accepted(let length):
      if routes.takeNote(of: peer, now) { noteTraffic(of: peer, on: path) }
      let packet = UnsafeRawBufferPointer(start: base, count: length)
      if isRTCP {
        relay.receiveRTCP(packet, from: peer, now: now, wall: wall)
      } else if !relay.receiveRTP(packet, from: peer, now: now) {
        flushRelay()
      }
    case .rejected(let reason): count(.srtp(reason))
    }
  }

  private func noteTraffic(of handle: PeerHandle, on path: TransportPath) {
    guard let peer = peers[Int(handle.index)] else { return }
    peer.session.noteTraffic(on: path, now: now)
    if peer.session.hasOutput { drain(peer) }
  }

  private func count(_ reason: PeerSessionRejection) {
    switch reason {
    case .unknownProtocol: counters.unknownProtocol &+= 1
    case .noKeys: counters.mediaBeforeKeys &+= 1
    case .foreignSTUN: counters.foreignSTUN &+= 1
    case .srtp(.replayed), .srtp(.tooOld): counters.srtpReplayed &+= 1
    case .srtp: counters.srtpRejected &+= 1
    }
  }

  /// Requests name their session by username; responses belong to the path that asked.
  private func receiveSTUN(
    _ datagram: UnsafeMutableRawBufferPointer, on path: TransportPath, from known: PeerHandle?
  ) {
    let bytes = UnsafeRawBufferPointer(datagram)
    let named = STUNMessage.peekUsername(bytes).map { peersByFragment[localFragment(of: $0)] }
    guard let handle = named ?? known, let peer = peers[Int(handle.index)] else {
      counters.foreignSTUN &+= 1
      return
    }
    switch peer.session.receive(datagram, on: path, now: now) {
    case .rejected(let reason): count(reason)
    case .consumed, .rtp, .rtcp: adopt(path, for: peer)
    }
    drain(peer)
  }

  /// The part of a check's username that is ours (RFC 8445 §7.2.2: `theirs:ours` from where we stand).
  private func localFragment(of username: String) -> String {
    String(username.prefix { $0 != ":" })
  }

  /// From now on datagrams on `path` belong to `peer`: it has shown the session's password there.
  ///
  /// A connected peer keeps the path that it uses: anyone with a session of his own could otherwise take it away with a
  /// check from a forged address.
  private func adopt(_ path: TransportPath, for peer: Peer) {
    guard peersByPath[path] != peer.handle else { return }
    if let old = peersByPath[path], let owner = peers[Int(old.index)] {
      guard owner.state != .connected || owner.session.selectedPath != path else {
        counters.foreignSTUN &+= 1
        return
      }
      owner.paths.removeAll { $0 == path }
    }
    peersByPath[path] = peer.handle
    peer.paths.append(path)
    guard peer.paths.count > Peer.maximumPaths,
      let oldest = peer.paths.firstIndex(where: { $0 != peer.session.selectedPath && $0 != path })
    else { return }
    peersByPath[peer.paths.remove(at: oldest)] = nil
  }

  /// Fans out and sends everything that the relay holds.
  @inline(__always)
  func flushRelay() {
    guard relay.hasPending else { return }
    var isFinished = false
    while !isFinished {
      isFinished = relay.flush(into: &egress, now: now)
      sendEgress()
    }
  }

  @inline(__always)
  private func sendEgress() {
    for place in 0..<egress.count {
      let message = egress.messages[place]
      let bytes = egress.memory + Int(message.offset)
      switch routes[message.destination] {
      case .udp(let socket, let length):
        sendBatch.add(
          on: socket, to: routes.address(of: message.destination), addressLength: length, bytes: bytes,
          length: Int(message.length), segmentSize: Int(message.segmentSize), segments: Int(message.segments),
          codePoint: configuration.marksPackets ? message.codePoint : nil)
        counters.datagramsSent &+= UInt64(message.segments)
        counters.bytesSent &+= UInt64(message.length)
      case .tcp(let connection):
        sendSegments(message, bytes, on: connection)
      case .none:
        counters.datagramsWithoutPath &+= UInt64(message.segments)
      }
    }
    sendBatch.flush()
    egress.clear()
  }

  private func sendSegments(_ message: EgressBuffer.Message, _ bytes: UnsafeMutableRawPointer, on descriptor: Int32) {
    var offset = 0
    while offset < Int(message.length) {
      let length = min(Int(message.segmentSize), Int(message.length) - offset)
      sendFrame(UnsafeRawBufferPointer(start: bytes + offset, count: length), on: descriptor)
      offset += length
    }
  }

  /// Sends one datagram of a session's own, STUN, DTLS or RTCP, with whatever else leaves in this turn.
  func transmit(_ bytes: [UInt8], on path: TransportPath) {
    switch path.transport {
    case .tcp:
      guard let connection = connections.values.first(where: { $0.path == path }) else { return }
      bytes.withUnsafeBytes { sendFrame($0, on: connection.descriptor) }
    case .udp:
      guard bytes.count <= SendBatch.copyCapacity, let socket = sockets.first(where: { $0.address == path.local })
      else { return }
      let length = sendBatch.add(
        on: socket.descriptor, to: path.remote.system, addressLength: path.remote.systemLength
      ) { memory in
        memory.copyBytes(from: bytes)
        return bytes.count
      }
      countSent(length)
    }
  }

  /// Protects a compound packet of RTCP straight into what is sent at the end of the turn.
  func sendRTCP(_ packet: [UInt8], to handle: PeerHandle) {
    guard let peer = peers[Int(handle.index)] else { return }
    guard case .udp(let socket, let addressLength) = routes[handle], let outbound = peer.session.outbound,
      packet.count < SendBatch.copyCapacity
    else {
      peer.session.sendRTCP(packet)
      drain(peer)
      return
    }
    let length = sendBatch.add(
      on: socket, to: routes.address(of: handle).pointee, addressLength: addressLength
    ) { memory in
      guard let base = memory.baseAddress else { return 0 }
      memory.copyBytes(from: packet)
      return outbound.protectRTCP(base, length: packet.count, capacity: memory.count)
    }
    countSent(length)
  }

  private func countSent(_ length: Int) {
    guard length > 0 else { return }
    counters.datagramsSent &+= 1
    counters.bytesSent &+= UInt64(length)
  }
}
