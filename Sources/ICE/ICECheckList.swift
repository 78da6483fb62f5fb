import Primitives
import STUN

/// The pairs of one generation, best first, and the triggered-check queue (RFC 8445 §6.1.2 and §6.1.4.1).
struct ICECheckList: Hashable, Sendable {
  private(set) var pairs: [ICECandidatePair] = []
  private var triggered: [TransportPath] = []

  /// Adds a pair unless its path is there already; at the limit the worst idle pair gives way (RFC 8445 §6.1.2.5).
  mutating func insert(_ pair: ICECandidatePair, role: ICERole) {
    guard index(of: pair.path) == nil else { return }
    if pairs.count >= ICEConfiguration.maximumPairs {
      guard let worst = pairs.lastIndex(where: { $0.check == nil && !$0.isValid }),
        pairs[worst].priority(for: role) < pair.priority(for: role)
      else { return }
      triggered.removeAll { $0 == pairs[worst].path }
      pairs.remove(at: worst)
    }
    let priority = pair.priority(for: role)
    let position = pairs.firstIndex { $0.priority(for: role) < priority } ?? pairs.endIndex
    pairs.insert(pair, at: position)
  }

  func index(of path: TransportPath) -> Int? {
    pairs.firstIndex { $0.path == path }
  }

  /// The pair whose check, under way or abandoned, has that transaction.
  func index(of transactionID: STUNTransactionID) -> Int? {
    pairs.firstIndex { $0.check?.transactionID == transactionID || $0.abandoned == transactionID }
  }

  mutating func update(_ index: Int, _ change: (inout ICECandidatePair) -> Void) {
    change(&pairs[index])
  }

  /// Sends the pair ahead of the ordinary ones, once (RFC 8445 §7.3.1.4).
  mutating func trigger(_ path: TransportPath) {
    guard let index = index(of: path), !triggered.contains(path) else { return }
    pairs[index].abandoned = pairs[index].check?.transactionID ?? pairs[index].abandoned
    pairs[index].state = .waiting
    triggered.append(path)
  }

  /// Takes the pair out of the triggered-check queue, because it works already.
  mutating func untrigger(_ path: TransportPath) {
    triggered.removeAll { $0 == path }
  }

  /// The pair to check next: a triggered one, else the best that waits (RFC 8445 §6.1.4.2).
  func nextToCheck() -> Int? {
    if let path = triggered.first { return index(of: path) }
    return pairs.firstIndex { $0.state == .waiting }
  }

  /// Pairs that are being checked or will be; N of RFC 8445 §14.3.
  var activeCount: Int {
    pairs.count { pair in
      switch pair.state {
      case .waiting, .inProgress, .nominating: true
      case .succeeded, .nominated, .failed: false
      }
    }
  }

  /// The earliest retransmission or time-out.
  var nextDue: MonotonicTime? {
    pairs.lazy.compactMap { $0.check?.due }.min()
  }

  /// Orders the pairs anew after a role change (RFC 8445 §7.3.1.1).
  mutating func reorder(for role: ICERole) {
    pairs.sort { $0.priority(for: role) > $1.priority(for: role) }
  }

  /// Stops the search: what is not valid is dropped, because a pair is chosen (RFC 8445 §8.1.1).
  mutating func conclude() {
    pairs.removeAll { !$0.isValid }
    triggered.removeAll()
  }
}
