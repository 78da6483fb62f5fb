import Primitives

/// Runs endpoints and periodic work over a ``SimulatedNetwork``: the only clock there is.
package final class Simulator {
  package var network: SimulatedNetwork
  package private(set) var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
  private var endpoints: [Endpoint] = []
  private var owners: [TransportAddress: Int] = [:]
  private var tasks: [PeriodicTask] = []
  /// Called whenever something has happened, before the clock moves.
  package var afterStep: () -> Void = {}

  private struct PeriodicTask {
    let interval: TimeInterval64
    var next: MonotonicTime
    let action: () -> Void
  }

  /// Steps without the clock moving before this is called a livelock.
  package static let livelockBound = 5_000

  package init(seed: UInt64) {
    network = SimulatedNetwork(seed: seed)
  }

  /// Reaches `endpoint` at `addresses` from now on.
  package func add(_ endpoint: Endpoint, at addresses: [TransportAddress]) {
    for address in addresses { owners[address] = endpoints.count }
    endpoints.append(endpoint)
  }

  /// Lets go of what ``every(_:_:)`` was given: actions that hold the simulation would keep it for ever.
  package func end() {
    tasks = []
    afterStep = {}
  }

  /// Calls `action` every `interval`, first after one.
  package func every(_ interval: TimeInterval64, _ action: @escaping () -> Void) {
    tasks.append(PeriodicTask(interval: interval, next: now + interval, action: action))
  }

  /// Runs until `condition` holds; false when `limit` passes first.
  @discardableResult
  package func run(for limit: TimeInterval64, until condition: () -> Bool = { false }) -> Bool {
    let end = now + limit
    var idleSteps = 0
    settle()
    while !condition() {
      guard let next = nextTime, next <= end else {
        now = end
        return condition()
      }
      idleSteps = next > now ? 0 : idleSteps + 1
      precondition(idleSteps < Self.livelockBound, "livelock at \(now.nanoseconds) ns")
      now = max(now, next)
      step()
      settle()
    }
    return true
  }

  /// Sends what all endpoints have to say.
  package func settle() {
    for endpoint in endpoints { endpoint.drain(into: &network, now: now) }
    afterStep()
  }

  private var nextTime: MonotonicTime? {
    var next = network.nextArrival
    func consider(_ time: MonotonicTime?) {
      guard let time else { return }
      next = next.map { min($0, time) } ?? time
    }
    for endpoint in endpoints { consider(endpoint.session.deadline) }
    for task in tasks { consider(task.next) }
    return next
  }

  private func step() {
    if let arrival = network.receive(now: now) {
      if let owner = owners[arrival.path.local] { endpoints[owner].receive(arrival, now: now) }
      return
    }
    for endpoint in endpoints {
      if let deadline = endpoint.session.deadline, deadline <= now { endpoint.session.handleTimeout(now: now) }
    }
    for place in tasks.indices where tasks[place].next <= now {
      tasks[place].next = tasks[place].next + tasks[place].interval
      tasks[place].action()
    }
  }
}
