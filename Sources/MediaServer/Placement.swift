import Synchronization

/// Which media thread takes a viewer.
///
/// An incident's viewers stay with its callers, on its home thread: that costs least. Only where the home has far more to do
/// than another thread, and the incident is a crowd, its next viewers go there.
package enum Placement {
  /// Peers that a thread must have more than the emptiest one.
  package static let imbalance = 16
  /// Peers of an incident's home from which on its viewers may be spread: mirrors of a few sources cost memory and a copy of
  /// each packet.
  package static let crowd = 16

  /// - Parameters:
  ///   - home: The incident's own thread.
  ///   - peers: Of each thread.
  package static func thread(home: Int, peers: [Int]) -> Int {
    guard let emptiest = peers.indices.min(by: { peers[$0] < peers[$1] }) else { return home }
    return peers[home] - peers[emptiest] >= imbalance ? emptiest : home
  }
}

/// How many peers a media thread has, those included that were only just sent to it.
final class Occupancy: Sendable {
  private let peers = Atomic<Int>(0)

  var count: Int { peers.load(ordering: .relaxed) }

  func enter() { peers.wrappingAdd(1, ordering: .relaxed) }

  func leave() { peers.wrappingSubtract(1, ordering: .relaxed) }
}
