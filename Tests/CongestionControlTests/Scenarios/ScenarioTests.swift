import Foundation
import Testing

/// RFC 8867's cases and our own on simulated bottlenecks: one seed each, no real time.
///
/// With `SIGHTLINE_SCENARIOS=file` in the environment the results are written there as a table for the documentation.
@Suite struct ScenarioTests {
  static let all = RFC8867Scenarios.all + ViewerScenarios.all

  @Test(arguments: all) func keepsItsBounds(_ scenario: Scenario) {
    let outcome = scenario.play()
    #expect(outcome.failures == [])
  }

  @Test func writesDownTheResults() throws {
    guard let file = ProcessInfo.processInfo.environment["SIGHTLINE_SCENARIOS"] else { return }
    let rows = Self.all.map { Self.row($0, $0.play()) }
    try (Self.heading + rows.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
  }

  private static let heading = """
    # Scenarios

    How the estimator does on simulated bottlenecks.

    ## Overview

    The cases of RFC 8867 and what viewers of emergency video go through. Each is one seeded run in simulated time; the
    bounds under "asked" are checked by every test run (`Tests/CongestionControlTests/Scenarios`). Unless said otherwise
    the way is 50 ms long, the queue holds 300 ms, and feedback comes every 100 ms. *Settled* is the longest time after a
    change, *used* is what arrived of what could have, *queue* is the time packets waited in bottlenecks, of the flow that
    fared worst.

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
