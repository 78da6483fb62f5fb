import DTLS
import DataChannel
import ICE
import PeerSession
import Primitives
import Sockets
import Relay

/// Everything that the control plane worked out about a new peer.
struct PeerAdmission: Sendable {
  var id: PeerID
  var incident: IncidentID
  /// The media thread of the incident's home.
  var home: Int
  var name: String
  var actor: String
  var part: PeerPart
  var priority: Int
  var permissions: MediaPermissions
  var localCredentials: ICECredentials
  var localCandidates: [ICECandidate]
  var remoteCredentials: ICECredentials
  var remoteCandidates: [ICECandidate]
  var dtlsRole: DTLSRole
  var expectedFingerprint: DTLSFingerprint
  /// Largest message that the peer's data channels take, and its SCTP ports; nil without data channels.
  var dataChannels: (localPort: UInt16, remotePort: UInt16, maximumMessageSize: Int)?
  /// Without their peer handle, which the shard gives.
  var sources: [SourceParameters]
  var slots: [(mid: String, parameters: SlotParameters)]
  var canonicalName: String
}

// Peers come, change and go. Not on the packet path.

extension Shard {
  /// Takes in a peer that has its answer.
  func admit(_ admission: PeerAdmission) throws(MediaError) {
    guard peersByID.count < Self.maximumPeers else {
      throw MediaError(.full, "This server has no room for another connection. Try again in a minute.")
    }
    guard !isStopping else { throw MediaError(.unavailable, "The server is stopping. Connect again in a moment.") }
    try checkRoom(for: admission)
    let handle = relay.addPeer(canonicalName: admission.canonicalName)
    let peer = Peer(
      id: admission.id, handle: handle, incident: admission.incident, name: admission.name,
      actor: admission.actor, part: admission.part, permissions: admission.permissions,
      session: PeerSession(sessionConfiguration(admission), now: now),
      createdAt: now)
    let place = Int(handle.index)
    while peers.count <= place {
      peers.append(nil)
      deadlines.append(.max)
    }
    peers[place] = peer
    peersByID[peer.id] = handle
    enter(peer.incident, of: admission.home)
    for var source in admission.sources { addSource(&source, of: peer) }
    for slot in admission.slots { addSlot(slot.mid, slot.parameters, of: peer) }
    rooms[peer.incident, default: Room()].peers.append(handle)
    setPriority(admission.priority, of: peer.incident)
    tell(.peerChanged(peer.overview), in: peer.incident)
    assignSlots(of: peer.incident)
    drain(peer)
  }

  /// Turns a viewer away for whom not even sound finds room; who sends, and who is most urgent, always gets in.
  private func checkRoom(for admission: PeerAdmission) throws(MediaError) {
    guard admission.sources.isEmpty, !admission.slots.isEmpty else { return }
    let tier = Tier(priority: admission.priority, audience: admission.part.audience)
    let source = rooms[admission.incident]?.sources.first { $0.kind == .video }
    switch relay.admission(of: tier, watching: source?.handle, now: now) {
    case .full: break
    case .reduced: counters.viewersReduced &+= 1
    case .refused:
      counters.viewersRefused &+= 1
      throw MediaError(.full, "This server is full with more urgent calls. Text still works; try again in a minute.")
    }
  }

  private func sessionConfiguration(_ admission: PeerAdmission) -> PeerSessionConfiguration {
    PeerSessionConfiguration(
      ice: ICEConfiguration(mode: .lite, role: .controlled), localCredentials: admission.localCredentials,
      localCandidates: admission.localCandidates, remoteCredentials: admission.remoteCredentials,
      remoteCandidates: admission.remoteCandidates, identity: configuration.identity, dtlsRole: admission.dtlsRole,
      expectedFingerprint: admission.expectedFingerprint, engine: engine,
      dataChannels: admission.dataChannels.map {
        DataChannelConfiguration(
          stack: configuration.sctp, localPort: $0.localPort, remotePort: $0.remotePort,
          peerMaximumMessageSize: $0.maximumMessageSize)
      },
      random: .system)
  }

  private func addSource(_ parameters: inout SourceParameters, of peer: Peer) {
    parameters.peer = peer.handle
    guard let handle = relay.addSource(parameters) else { return }
    let source = RoomSource(
      id: SourceID(nextSource), peer: peer.handle, peerID: peer.id, part: peer.part, actor: peer.actor,
      kind: parameters.kind, parameters: parameters, handle: handle,
      status: SourceStatus(activity: .waiting, format: nil, bitsPerSecond: 0))
    nextSource &+= 1
    announceToRecorder(source, of: peer)
    rooms[peer.incident, default: Room()].sources.append(source)
    tell(.sourceChanged(source.overview), in: peer.incident)
    mirror(source, of: peer.incident)
  }

  private func announceToRecorder(_ source: RoomSource, of peer: Peer) {
    guard let recording = configuration.recording else { return }
    recording.announce(
      SourceAnnouncement(
        incident: peer.incident, number: source.id.value, peer: peer.id, kind: source.kind,
        formats: relay.recordedFormats(of: source.handle)),
      shard: index)
    relay.record(source.handle, as: source.id.value)
  }

  private func addSlot(_ mid: String, _ parameters: SlotParameters, of peer: Peer) {
    var parameters = parameters
    parameters.peer = peer.handle
    guard let handle = relay.addSlot(parameters) else { return }
    peer.slots.append(PeerSlot(mid: mid, kind: parameters.kind, handle: handle))
  }

  /// Ends a peer's session, with a goodbye if it can still be sent.
  func close(_ peer: Peer, reason: String) {
    guard peers[Int(peer.handle.index)] === peer else { return }
    peer.session.close(now: now)
    sendLast(of: peer)
    remove(peer, reason: reason)
  }

  /// Sends what a closing session still has to say, without acting on its events.
  private func sendLast(of peer: Peer) {
    while let output = peer.session.poll() {
      if case .transmit(let bytes, let path) = output { transmit(bytes, on: path) }
    }
  }

  func remove(_ peer: Peer, reason: String) {
    let place = Int(peer.handle.index)
    guard peers[place] === peer else { return }
    peers[place] = nil
    deadlines[place] = .max
    routes.clear(peer.handle)
    peersByID[peer.id] = nil
    configuration.occupancy.leave()
    for fragment in peer.fragments { peersByFragment[fragment] = nil }
    for path in peer.paths { peersByPath[path] = nil }
    closeConnections(of: peer)
    relay.remove(peer.handle)
    peer.state = .closed(reason: reason)
    closeChannels(of: peer)
    leave(peer)
  }

  private func leave(_ peer: Peer) {
    guard let gone = rooms[peer.incident]?.sources.filter({ $0.peer == peer.handle }) else { return }
    rooms[peer.incident]?.peers.removeAll { $0 == peer.handle }
    rooms[peer.incident]?.sources.removeAll { $0.peer == peer.handle }
    for source in gone { withdraw(source, from: peer.incident) }
    tell(.peerChanged(peer.overview), in: peer.incident)
    closeIfEmpty(peer.incident)
    assignSlots(of: peer.incident)
  }

  private func withdraw(_ source: RoomSource, from incident: IncidentID) {
    configuration.recording?.withdraw(source.id.value, shard: index)
    tell(.sourceRemoved(source.id), in: incident)
    toAnnexes(of: incident) { [index] in $0.withdrawMirrored(source.id, of: index, in: incident) }
  }

  /// Peers that never finished connecting give their place back.
  func expirePeers() {
    guard now >= nextExpiry else { return }
    nextExpiry = now + Self.expiryInterval
    for peer in peers.compactMap({ $0 }) where peer.session.outbound == nil && now - peer.createdAt > Self.setupLimit {
      close(peer, reason: "no connection within \(Self.setupLimit.milliseconds / 1_000) s")
    }
  }

  private static var expiryInterval: TimeInterval64 { .seconds(1) }
  /// How long a peer may take from its offer to media.
  private static var setupLimit: TimeInterval64 { .milliseconds(45_000) }
}

// What sessions say.

extension Shard {
  /// Takes everything that a session wants done.
  func drain(_ peer: Peer) {
    while let output = peer.session.poll() {
      switch output {
      case .transmit(let bytes, let path): transmit(bytes, on: path)
      case .event(let event): handle(event, of: peer)
      }
    }
    guard peers[Int(peer.handle.index)] === peer else { return }
    deadlines[Int(peer.handle.index)] = peer.session.deadline?.nanoseconds ?? .max
    refreshFragments(of: peer)
  }

  private func handle(_ event: PeerEvent, of peer: Peer) {
    switch event {
    case .pathChanged(let path):
      let isFirst = !routes.has(peer.handle)
      route(peer, over: path)
      guard isFirst else { return relay.pathChanged(of: peer.handle, now: now) }
      if let outbound = peer.session.outbound { relay.activate(peer.handle, outbound: outbound, now: now) }
    case .iceStateChanged(let state): iceChanged(to: state, peer)
    case .connected(let outbound):
      counters.handshakesDone &+= 1
      routes.set(peer.handle, inbound: peer.session.inbound)
      if routes.has(peer.handle) { relay.activate(peer.handle, outbound: outbound, now: now) }
      setState(.connected, of: peer)
    case .channelOpened(let id, let parameters): channelOpened(id, parameters, of: peer)
    case .channelMessage(let id, let message): deliver(message, on: id, from: peer)
    case .channelWritable(let id): channelWritable(id, of: peer)
    case .channelClosed(let id): channelClosed(id, of: peer)
    case .closed(let reason):
      if case .handshakeFailed = reason { counters.handshakesFailed &+= 1 }
      sendLast(of: peer)
      remove(peer, reason: reason.description)
    case .candidateGathered: break  // A lite agent gathers nothing.
    }
  }

  private func route(_ peer: Peer, over path: TransportPath) {
    switch path.transport {
    case .udp:
      guard let socket = sockets.first(where: { $0.address == path.local }) else { return }
      routes.set(peer.handle, udp: socket.descriptor, to: path.remote)
    case .tcp:
      guard let connection = connections.values.first(where: { $0.path == path }) else { return }
      routes.set(peer.handle, tcp: connection.descriptor)
    }
  }

  private func iceChanged(to state: ICEState, _ peer: Peer) {
    switch state {
    case .connected where peer.session.outbound != nil: setState(.connected, of: peer)
    case .disconnected: setState(.interrupted, of: peer)
    case .new, .checking, .connected, .failed: break
    }
  }

  private func setState(_ state: PeerState, of peer: Peer) {
    guard peer.state != state else { return }
    peer.state = state
    tell(.peerChanged(peer.overview), in: peer.incident)
  }

  /// Keeps the table of username fragments true after a restart.
  private func refreshFragments(of peer: Peer) {
    let accepted = peer.session.acceptedUsernameFragments
    guard accepted != peer.fragments else { return }
    for fragment in peer.fragments { peersByFragment[fragment] = nil }
    for fragment in accepted { peersByFragment[fragment] = peer.handle }
    peer.fragments = accepted
  }

  /// A few handshake steps, then back to the packets.
  func processHandshakes() {
    for _ in 0..<Self.handshakesPerTurn {
      guard let entry = handshakes.popFirst() else { return }
      guard let peer = peers[Int(entry.peer.index)] else { continue }
      peer.waitingHandshakes = max(0, peer.waitingHandshakes - 1)
      // The handle may have been given away while the datagram waited: the path tells.
      guard peersByPath[entry.path] == entry.peer else { continue }
      var bytes = entry.bytes
      _ = bytes.withUnsafeMutableBytes { peer.session.receive($0, on: entry.path, now: now) }
      drain(peer)
    }
  }

  /// Handshake datagrams of one turn: at most about two milliseconds of work.
  private static var handshakesPerTurn: Int { 2 }

  func deliverRelayOutputs() {
    for output in relay.takeOutputs() {
      switch output {
      case .rtcp(let packet, let handle):
        sendRTCP(packet, to: handle)
      case .sourceChanged(let handle, let status):
        sourceChanged(handle, to: status)
      case .viewChanged(let slot, let handle):
        viewChanged(slot, of: handle)
      case .keyframeWanted(let handle, let stream):
        passOnKeyframeRequest(of: handle, stream: stream)
      }
    }
  }

  private func sourceChanged(_ handle: SourceHandle, to status: SourceStatus) {
    for incident in rooms.keys {
      guard let place = rooms[incident]?.sources.firstIndex(where: { $0.handle == handle }) else { continue }
      let before = rooms[incident]?.sources[place].status
      rooms[incident]?.sources[place].status = status
      guard let source = rooms[incident]?.sources[place] else { return }
      tell(.sourceChanged(source.overview), in: incident)
      toAnnexes(of: incident) { $0.mirroredChanged(source.id, to: status, in: incident) }
      reassign(incident, before: before, after: status)
      return
    }
  }

  /// Puts sources on slots anew when one of them has changed.
  func reassign(_ incident: IncidentID, before: SourceStatus?, after status: SourceStatus) {
    // That somebody begins or ends to speak changes nothing where everybody hears everybody.
    let isOnlySpeech = before?.activity == status.activity && before?.format == status.format
    if let room = rooms[incident], !isOnlySpeech || isSoundContested(in: room) { assignSlots(of: incident) }
  }
}
