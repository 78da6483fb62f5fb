import Incidents
import Interchange
import JSON
import Primitives
import Synchronization

/// Places that the mobile network reports (AML): matched to callers by their number, kept for a while when nobody has that
/// number yet, since the report is often faster than the operator.
package final class NetworkLocationDesk: Sendable {
  private struct Waiting {
    let report: AMLReport
    let principal: Principal
    let time: UTCTime
  }

  private let waiting = Mutex<[String: Waiting]>([:])
  private let room: ControlRoom

  /// How long a report waits for its caller.
  package static let patience = TimeInterval64.seconds(900)
  /// Reports that wait; at the limit those whose time is over go, then all.
  static let maximumWaiting = 4_096

  package init(room: ControlRoom) {
    self.room = room
    room.observe { [weak self] event, incident in
      guard event.kind == EventKind.callerAdded.rawValue, let self,
        let phone = event.payload["phone"]?.string, let caller = event.payload["caller"]?.string,
        let kept = self.take(phone)
      else { return }
      Task { await self.write(kept.report, caller, in: incident.id, by: kept.principal) }
    }
  }

  /// Takes a report in; how many callers it was matched to.
  package func take(_ report: AMLReport, by principal: Principal) async throws(Refusal) -> Int {
    try room.authorize(.reportNetworkLocation, principal)
    guard let number = report.number, report.hasPlace else { return 0 }
    let agency = principal.facts.agency
    let matches = room.desk.incidents { incident in
      !incident.state.isClosed && incident.agency == agency && incident.callers.contains { $0.phone == number }
    }
    for incident in matches {
      for caller in incident.callers where caller.phone == number {
        await write(report, caller.id, in: incident.id, by: principal)
      }
    }
    if matches.isEmpty { keep(report, number, principal) }
    return matches.count
  }

  private func write(_ report: AMLReport, _ caller: String, in incident: IncidentID, by principal: Principal) async {
    guard let payload = report.locationPayload(caller: caller) else { return }
    _ = try? await room.submit(Wish(.location, payload, in: incident, by: principal, isServer: true))
  }

  private func keep(_ report: AMLReport, _ number: String, _ principal: Principal) {
    let now = room.clock.wall()
    waiting.withLock { waiting in
      if waiting.count >= Self.maximumWaiting {
        waiting = waiting.filter { now - $0.value.time < Self.patience }
        if waiting.count >= Self.maximumWaiting { waiting.removeAll() }
      }
      waiting[number] = Waiting(report: report, principal: principal, time: now)
    }
  }

  private func take(_ number: String) -> Waiting? {
    let now = room.clock.wall()
    return waiting.withLock { $0.removeValue(forKey: number) }.flatMap { now - $0.time < Self.patience ? $0 : nil }
  }
}
