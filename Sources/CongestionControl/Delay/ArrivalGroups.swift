import Primitives

/// Gathers packets that left together, and tells how the gap between two such groups changed on the way
/// (draft-ietf-rmcat-gcc-02 §5.2).
package struct ArrivalGroups {
  /// What lay between two neighbouring groups, in milliseconds.
  package struct Variation: Equatable {
    package var sent: Double
    package var arrived: Double
    /// When the later group was complete, in milliseconds on the receiver's clock.
    package var arrival: Double

    package init(sent: Double, arrived: Double, arrival: Double) {
      self.sent = sent
      self.arrived = arrived
      self.arrival = arrival
    }

    /// By how much the way got longer.
    package var delay: Double { arrived - sent }
  }

  /// Packets that leave within this time are one group.
  package static let burst = TimeInterval64.milliseconds(5)
  /// A queue that empties delivers groups at once; they are one group as long as it lasts no longer than this.
  package static let longestBurst = TimeInterval64.milliseconds(100)
  /// Groups in a row that arrive before the one ahead of them, after which all starts again.
  package static let mostReordered = 3

  /// Nanoseconds.
  private struct Group {
    var firstSent: Int64
    var lastSent: Int64
    var firstArrival: Int64
    var lastArrival: Int64
  }

  private var current: Group?
  private var previous: Group?
  private var reordered = 0

  package init() {}

  /// Takes the next packet, in the order of sending; both times in nanoseconds, each on its own clock.
  package mutating func add(sent: Int64, arrival: Int64) -> Variation? {
    guard var group = current else {
      current = Group(firstSent: sent, lastSent: sent, firstArrival: arrival, lastArrival: arrival)
      return nil
    }
    // A packet that comes very late says nothing about the queue now.
    guard sent >= group.firstSent else { return nil }
    if belongs(sent: sent, arrival: arrival, to: group) {
      group.lastSent = max(group.lastSent, sent)
      group.lastArrival = max(group.lastArrival, arrival)
      current = group
      return nil
    }
    let variation = variation(from: previous, to: group)
    previous = group
    current = Group(firstSent: sent, lastSent: sent, firstArrival: arrival, lastArrival: arrival)
    return variation
  }

  private func belongs(sent: Int64, arrival: Int64, to group: Group) -> Bool {
    if sent - group.firstSent <= Self.burst.nanoseconds { return true }
    let waited = arrival - group.lastArrival
    let isShrinking = waited - (sent - group.lastSent) < 0
    return isShrinking && waited <= Self.burst.nanoseconds
      && arrival - group.firstArrival < Self.longestBurst.nanoseconds
  }

  private mutating func variation(from earlier: Group?, to later: Group) -> Variation? {
    guard let earlier else { return nil }
    let arrived = later.lastArrival - earlier.lastArrival
    guard arrived >= 0 else {
      reordered += 1
      if reordered >= Self.mostReordered { self = ArrivalGroups() }
      return nil
    }
    reordered = 0
    return Variation(
      sent: Double(later.lastSent - earlier.lastSent) / 1e6, arrived: Double(arrived) / 1e6,
      arrival: Double(later.lastArrival) / 1e6)
  }
}
