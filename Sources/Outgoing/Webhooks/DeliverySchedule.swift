import Primitives

/// Decides which chain of deliveries goes on next; knows no store, no network and no clock.
///
/// A chain is ready, under way, or waits for its next try. Webhooks take turns, each with a few calls at a time, so that
/// a receiver that is slow or dead holds up its own chains and no others. Chains that find no room in memory stay in the
/// store; the webhook is marked for another scan once others are done.
package struct DeliverySchedule {
  private enum State {
    case ready
    /// `again` when more was noted since its last look at the store.
    case underWay(again: Bool)
    case waiting(until: UTCTime)
  }

  private struct Lane {
    var states: [String: State] = [:]
    /// Incidents that are ready, in order of arrival.
    var ready: [String] = []
    var underWay = 0
    /// No waiting chain is due before; nil when none waits.
    var earliest: UTCTime?
    /// Whether the store holds chains that are not in memory.
    var isIncomplete = false
  }

  /// What came of a chain's turn.
  package enum Outcome: Hashable, Sendable {
    /// Something was delivered or put aside: look for the next.
    case more
    case empty
    case wait(until: UTCTime)
  }

  private var lanes: [String: Lane] = [:]
  /// Webhooks in the order of their turns.
  private var turns: [String] = []

  /// Calls under way for one receiver.
  package static let callsPerWebhook = 4
  /// Chains of one receiver in memory; others stay in the store.
  package static let chainsPerWebhook = 1_024

  package init() {}

  /// Notes that a chain has something to deliver.
  package mutating func note(_ chain: DeliveryChain) {
    withLane(chain.webhook) { lane in
      switch lane.states[chain.incident] {
      case nil where lane.states.count >= Self.chainsPerWebhook: lane.isIncomplete = true
      case nil:
        lane.states[chain.incident] = .ready
        lane.ready.append(chain.incident)
      case .underWay: lane.states[chain.incident] = .underWay(again: true)
      case .ready, .waiting: break
      }
    }
  }

  /// The chain whose turn it is, now under way; nil when nothing can go on.
  package mutating func next(now: UTCTime) -> DeliveryChain? {
    for (index, webhook) in turns.enumerated() {
      let incident = withLane(webhook) { lane -> String? in
        Self.wakeDue(&lane, now)
        guard lane.underWay < Self.callsPerWebhook, !lane.ready.isEmpty else { return nil }
        let incident = lane.ready.removeFirst()
        lane.states[incident] = .underWay(again: false)
        lane.underWay += 1
        return incident
      }
      guard let incident else { continue }
      turns.append(turns.remove(at: index))
      return DeliveryChain(webhook: webhook, incident: incident)
    }
    return nil
  }

  /// Ends a chain's turn.
  package mutating func finish(_ chain: DeliveryChain, _ outcome: Outcome) {
    withLane(chain.webhook) { lane in
      guard case .underWay(let again) = lane.states[chain.incident] else { return }
      lane.underWay -= 1
      switch outcome {
      case .empty where !again: lane.states[chain.incident] = nil
      case .empty, .more:
        lane.states[chain.incident] = .ready
        lane.ready.append(chain.incident)
      case .wait(let time):
        lane.states[chain.incident] = .waiting(until: time)
        lane.earliest = min(lane.earliest ?? time, time)
      }
    }
    if let lane = lanes[chain.webhook], lane.states.isEmpty, !lane.isIncomplete {
      lanes[chain.webhook] = nil
      turns.removeAll { $0 == chain.webhook }
    }
  }

  /// Notes a chain that is not to wait any longer.
  package mutating func hurry(_ chain: DeliveryChain) {
    withLane(chain.webhook) { lane in
      guard case .waiting = lane.states[chain.incident] else { return }
      lane.states[chain.incident] = .ready
      lane.ready.append(chain.incident)
    }
    note(chain)
  }

  /// When ``next(now:)`` has to be asked again at the latest; nil when only news can change anything.
  package var deadline: UTCTime? { lanes.values.compactMap(\.earliest).min() }

  /// Webhooks whose chains have to be read out of the store again, each named once.
  package mutating func takeScans() -> [String] {
    let webhooks = turns
    return webhooks.filter { webhook in
      withLane(webhook) { lane in
        guard lane.isIncomplete, lane.states.count <= Self.chainsPerWebhook / 2 else { return false }
        lane.isIncomplete = false
        return true
      }
    }
  }

  private static func wakeDue(_ lane: inout Lane, _ now: UTCTime) {
    guard let earliest = lane.earliest, earliest <= now else { return }
    lane.earliest = nil
    for (incident, state) in lane.states {
      guard case .waiting(let time) = state else { continue }
      if time <= now {
        lane.states[incident] = .ready
        lane.ready.append(incident)
      } else {
        lane.earliest = min(lane.earliest ?? time, time)
      }
    }
  }

  private mutating func withLane<Result>(_ webhook: String, _ body: (inout Lane) -> Result) -> Result {
    if lanes[webhook] == nil { turns.append(webhook) }
    return body(&lanes[webhook, default: Lane()])
  }
}
