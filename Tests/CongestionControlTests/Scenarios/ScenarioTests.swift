import Foundation
import Testing

/// RFC 8867's cases and our own on simulated bottlenecks: seeded, in simulated time.
///
/// With `SIGHTLINE_SCENARIOS=file` in the environment the results are written there as a table for the documentation.
@Suite struct ScenarioTests {
  static let all = RFC8867Scenarios.all + ViewerScenarios.all

  /// More of them for a closer look: `SIGHTLINE_SCENARIO_SEEDS=20`.
  static let seeds = ProcessInfo.processInfo.environment["SIGHTLINE_SCENARIO_SEEDS"].flatMap(UInt64.init) ?? 2

  @Test(arguments: all, 1...seeds) func keepsItsBounds(_ scenario: Scenario, seed: UInt64) {
    let outcome = scenario.play(seed * 100)
    #expect(outcome.failures == [])
  }

  @Test func writesDownTheResults() throws {
    guard let file = ProcessInfo.processInfo.environment["SIGHTLINE_SCENARIOS"] else { return }
    let rows = Self.all.map { Self.row($0, $0.play(100)) }
    try (Self.heading + rows.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
  }

  private static let heading = """
    # Scenarios

    How the estimator does on simulated bottlenecks.

    ## Overview

    The cases of RFC 8867 and what viewers of emergency video go through. Each row is one seeded run in simulated time; the
    bounds under "asked" are checked by every test run (`Tests/CongestionControlTests/Scenarios`). Unless said otherwise
    the way is 50 ms long, the queue holds 300 ms, and feedback comes every 100 ms. *Settled* is the longest time after a
    change, *used* is what arrived of what could have, *queue* is the time packets waited in bottlenecks, of the flow that
    fared worst.

    Where TCP fills the queue the estimator takes a seventh of the link beside one long flow: it gives way to queues, as
    congestion control for conversations must. Flows that come later take a queue that is already there for the length of
    the way, so that a long way's flow may get a third of a fair part (5.5).

    | scenario | setting | asked | settled s | used % | queue median / p95 ms | lost % | |
    |---|---|---|---|---|---|---|---|

    """

  private static func row(_ scenario: Scenario, _ outcome: Outcome) -> String {
    let settled = outcome.settled.map { String(format: "%.1f", $0) } ?? "-"
    let verdict = outcome.failures.isEmpty ? "" : " **missed: \(outcome.failures.joined(separator: "; "))**"
    return "| \(scenario.name) | \(scenario.setting) | \(scenario.asked) | \(settled) "
      + "| \(Int((outcome.utilisation * 100).rounded())) "
      + "| \(Int(outcome.medianQueue.rounded())) / \(Int(outcome.p95Queue.rounded())) "
      + "| \(String(format: "%.1f", outcome.loss * 100)) | \(outcome.remark)\(verdict) |"
  }
}
