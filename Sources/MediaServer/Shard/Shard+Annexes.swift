import Primitives
import Relay

// An incident's home thread, and its annexes on other threads, as seen from home.

/// A source as its home thread announces it to an annex.
struct MirroredSource: Sendable {
  let incident: IncidentID
  /// The announcing thread.
  let home: Int
  let id: SourceID
  let peerID: PeerID
  let part: PeerPart
  let actor: String
  let parameters: SourceParameters
  let status: SourceStatus
}

extension Shard {
  /// Has another media thread serve more of an incident's viewers.
  func openAnnex(_ thread: Int, of incident: IncidentID) {
    rooms[incident, default: Room()].annexes |= 1 << UInt64(thread)
    for source in rooms[incident]?.sources ?? [] { mirror(source, of: incident, on: thread) }
  }

  /// The last viewer there has gone.
  func closeAnnex(_ thread: Int, of incident: IncidentID) {
    rooms[incident]?.annexes &= ~(1 << UInt64(thread))
    for source in rooms[incident]?.sources ?? [] { relay.stopMirroring(source.handle, on: thread) }
    closeIfEmpty(incident)
  }

  /// Has an incident's annexes fan out a source, too.
  func mirror(_ source: RoomSource, of incident: IncidentID) {
    for thread in annexes(of: incident) { mirror(source, of: incident, on: thread) }
  }

  private func mirror(_ source: RoomSource, of incident: IncidentID, on thread: Int) {
    connectRing(to: thread)
    let announced = MirroredSource(
      incident: incident, home: index, id: source.id, peerID: source.peerID, part: source.part, actor: source.actor,
      parameters: source.parameters, status: source.status)
    // Before anything is written: the other thread leaves out what it was not told of.
    send(to: thread) { $0.addMirrored(announced) }
    relay.startMirroring(source.handle, as: source.id.value, on: thread)
  }

  private func connectRing(to thread: Int) {
    guard outgoing[thread] == nil else { return }
    let ring = HandoverRing(capacity: HandoverRing.mirrorCapacity)
    outgoing[thread] = ring
    relay.setMirrorRing(ring.writer, of: thread)
    send(to: thread) { [index] in $0.incoming.append(IncomingRing(ring, from: index)) }
  }

  /// Wakes the threads for which packets were written.
  @inline(__always)
  func wakeAnnexes() {
    var threads = relay.takeMirrorNews()
    while threads != 0 {
      configuration.queues[threads.trailingZeroBitCount].wake()
      threads &= threads &- 1
    }
  }

  /// Tells an incident's annexes of a change.
  func toAnnexes(of incident: IncidentID, _ command: @escaping @Sendable (Shard) -> Void) {
    for thread in annexes(of: incident) { send(to: thread, command) }
  }

  private func annexes(of incident: IncidentID) -> [Int] {
    let threads = rooms[incident]?.annexes ?? 0
    return threads == 0 ? [] : configuration.queues.indices.filter { threads & 1 << UInt64($0) != 0 }
  }

  /// What media threads tell each other must not get lost; there is little of it.
  func send(to thread: Int, _ command: @escaping @Sendable (Shard) -> Void) {
    _ = configuration.queues[thread].submit(evenWhenFull: true, command)
  }

  /// Takes what an annex has to tell to those who listen to the incident.
  func hear(_ event: MediaEvent, of incident: IncidentID) {
    if case .peerChanged(let peer) = event { rooms[incident]?.note(distant: peer) }
    rooms[incident]?.tell(event)
  }

  /// Tells those who listen to an incident; they all do so at its home.
  func tell(_ event: MediaEvent, in incident: IncidentID) {
    guard let room = rooms[incident] else { return }
    guard let home = room.home else { return room.tell(event) }
    send(to: home) { $0.hear(event, of: incident) }
  }
}
