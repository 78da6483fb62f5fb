import Primitives

// A picture comes in several packets, close together. To send a crowd the first of them and then the rest costs
// a message to each viewer more than to send all at once; so the first ones wait a moment for the others. Packet path.

extension Relay {
  /// Marks a stream for the fan-out when its first packet is pending: at once, or when the picture is whole.
  @inline(__always)
  func notePending(_ handle: StreamHandle, _ stream: UnsafeMutablePointer<Stream>, now: MonotonicTime) {
    guard stream.pointee.kind == .video, stream.pointee.subscribers.count >= Self.leastCrowd else {
      return noteDirty(handle, stream)
    }
    stream.pointee.gatheredUntil = now + Self.longestGathering
    gathered.append(handle)
  }

  /// Has what is pending wait for nothing more after the picture's last packet, or when much of it is there.
  @inline(__always)
  func noteGathered(_ isLastOfPicture: Bool, _ stream: UnsafeMutablePointer<Stream>) {
    if isLastOfPicture || stream.pointee.pending.count >= Self.mostGathered { stream.pointee.gatheredUntil = .zero }
  }

  /// Hands to the fan-out what has waited enough.
  ///
  /// Replays and backlogs send whatever has come: they must not overtake what waits, or it would go out twice.
  func releaseGathered(_ now: MonotonicTime) {
    var place = 0
    while place < gathered.count {
      let handle = gathered[place]
      let stream = streams[unchecked: handle.index]
      if stream.pointee.gatheredUntil <= now || isOwed(handle) {
        gathered.remove(at: place)
        noteDirty(handle, stream)
      } else {
        place &+= 1
      }
    }
  }

  /// Whether somebody is sent older packets of a stream.
  private func isOwed(_ handle: StreamHandle) -> Bool {
    for replay in replays where replay.stream == handle { return true }
    for slot in backlogged where slots[unchecked: slot.index].pointee.backlog?.stream == handle { return true }
    return false
  }

  /// When ``flush(into:now:)`` must be called again although nothing else may arrive; nil when nothing waits for it.
  package var gatheringDeadline: MonotonicTime? {
    guard !gathered.isEmpty else { return nil }
    var earliest = MonotonicTime(nanoseconds: .max)
    for handle in gathered { earliest = min(earliest, streams[unchecked: handle.index].pointee.gatheredUntil) }
    return earliest
  }

  /// Has nothing wait beyond the next ``flush(into:now:)``: whoever calls has something to do that takes longer.
  package func stopGathering() {
    for handle in gathered { streams[unchecked: handle.index].pointee.gatheredUntil = .zero }
  }

  /// Subscribers from which on a message more to each costs more than the wait.
  private static var leastCrowd: Int { 4 }
  /// The longest that a packet waits for the rest of its picture: little beside what any network takes.
  private static var longestGathering: TimeInterval64 { .microseconds(200) }
  /// Packets that no more are waited for with.
  private static var mostGathered: Int { 32 }
}
