import Primitives

/// The cases of RFC 8867, with its capacities, times and delays; what must come of them are our own bounds.
enum RFC8867Scenarios {
  static let all = [
    variableCapacity, variableCapacityShared, congestedFeedback, competing, roundTripFairness, longTCP, shortTCP, pause,
    priority, severalBottlenecks,
  ]

  /// A bottleneck whose rate changes: seconds, bits per second.
  static func bottleneck(_ changes: [(Double, Int)], jitter: Int64 = 0, seed: UInt64) -> Bottleneck {
    var bottleneck = Bottleneck(bitsPerSecond: changes[0].1, seed: seed)
    bottleneck.schedule = changes.map { (.zero + .seconds($0.0), $0.1) }
    bottleneck.jitter = .milliseconds(jitter)
    return bottleneck
  }

  static let variableCapacity = Scenario(
    name: "5.1 Variable available capacity, one flow",
    setting: "1, 2.5, 0.6, 1 Mbit/s from 0, 40, 60, 80 s; encoder up to 1.5 Mbit/s; jitter 30 ms",
    asked: "settled 6 s after each change, 80 % used, p95 queue 150 ms"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 1_500_000), seed: seed)
    let changes = [(0.0, 1_000_000), (40, 2_500_000), (60, 600_000), (80, 1_000_000)]
    let path = SharedPath([bottleneck(changes, jitter: 30, seed: seed)], media: [flow])
    path.run(seconds: 100)
    var outcome = Outcome([flow], over: 5..<100, capacity: (35 * 1.0e6 + 20 * 1.5e6 + 20 * 0.6e6 + 20 * 1.0e6) / 95)
    for (index, (start, capacity)) in changes.enumerated() {
      let end = index + 1 < changes.count ? changes[index + 1].0 : 100
      let top = capacity > 1_500_000 ? 100e6 : Double(capacity) * 1.15
      let settled = flow.record.settled(in: 0.75 * min(Double(capacity), 1.5e6)...top, after: start, until: end)
      outcome.require(settled: settled, within: 6, "settled after \(Int(start)) s")
    }
    outcome.require(utilisation: 0.8)
    outcome.require(queue: 150)
    return outcome
  }

  static let variableCapacityShared = Scenario(
    name: "5.2 Variable available capacity, two flows",
    setting: "4, 2, 3.5, 1, 2 Mbit/s from 0, 25, 50, 75, 100 s; two encoders up to 2.5 Mbit/s",
    asked: "85 % used, fairness 0.8, p95 queue 250 ms"
  ) { seed in
    let flows = (1...2).map { MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed + $0) }
    let changes = [(0.0, 4_000_000), (25, 2_000_000), (50, 3_500_000), (75, 1_000_000), (100, 2_000_000)]
    SharedPath([bottleneck(changes, seed: seed)], media: flows).run(seconds: 125)
    var outcome = Outcome(flows, over: 5..<125, capacity: (20 * 4.0e6 + 25 * (2.0e6 + 3.5e6 + 1.0e6 + 2.0e6)) / 120)
    outcome.requireFairness(flows, over: 5..<125, atLeast: 0.8)
    outcome.require(utilisation: 0.85)
    outcome.require(queue: 250)
    return outcome
  }

  static let congestedFeedback = Scenario(
    name: "5.3 Congested feedback link, media both ways",
    setting: "forward 2, 1, 0.5, 2 Mbit/s from 0, 20, 40, 60 s; back 2, 0.8, 2 Mbit/s from 0, 35, 70 s",
    asked: "each way 80 % used, p95 queue 250 ms"
  ) { seed in
    let forward = MediaFlow(initial: 300_000, source: .adaptive(maximum: 1_500_000), path: [0], seed: seed)
    let back = MediaFlow(initial: 300_000, source: .adaptive(maximum: 1_500_000), path: [1], seed: seed + 1)
    forward.feedbackPath = 1
    back.feedbackPath = 0
    let links = [
      bottleneck([(0, 2_000_000), (20, 1_000_000), (40, 500_000), (60, 2_000_000)], seed: seed),
      bottleneck([(0, 2_000_000), (35, 800_000), (70, 2_000_000)], seed: seed + 1),
    ]
    SharedPath(links, media: [forward, back]).run(seconds: 100)
    var outcome = Outcome([forward], over: 5..<100, capacity: (15 * 1.5e6 + 20 * 1e6 + 20 * 0.5e6 + 40 * 1.5e6) / 95)
    let other = Outcome([back], over: 5..<100, capacity: (30 * 1.5e6 + 35 * 0.8e6 + 30 * 1.5e6) / 95)
    outcome.remark = "back: \(Int(other.utilisation * 100)) % used, p95 queue \(Int(other.p95Queue)) ms"
    outcome.require(utilisation: 0.8)
    outcome.require(queue: 250)
    outcome.require(other.utilisation >= 0.8 && other.p95Queue <= 250, "the way back: \(outcome.remark)")
    return outcome
  }

  static let competing = Scenario(
    name: "5.4 Competing flows of the same kind",
    setting: "3.5 Mbit/s; three encoders up to 2.5 Mbit/s from 0, 20, 40 s",
    asked: "fairness 0.8 from 60 s, 85 % used, p95 queue 200 ms"
  ) { seed in
    let flows = [0.0, 20, 40].enumerated().map { index, start in
      MediaFlow(
        initial: 300_000, source: .adaptive(maximum: 2_500_000), active: start...1_000, seed: seed + UInt64(index))
    }
    SharedPath([bottleneck([(0, 3_500_000)], seed: seed)], media: flows).run(seconds: 120)
    var outcome = Outcome(flows, over: 60..<120, capacity: 3_500_000)
    outcome.requireFairness(flows, over: 60..<120, atLeast: 0.8)
    outcome.require(utilisation: 0.85)
    outcome.require(queue: 200)
    return outcome
  }

  static let roundTripFairness = Scenario(
    name: "5.5 Round-trip-time fairness",
    setting: "4 Mbit/s; five encoders up to 2.5 Mbit/s, 10, 25, 50, 100, 150 ms away, from 0, 10, 20, 30, 40 s",
    asked: "fairness 0.65 from 100 s, 85 % used, nobody below a fifth of a fair part"
  ) { seed in
    let flows = [10, 25, 50, 100, 150].enumerated().map { index, delay in
      MediaFlow(
        initial: 150_000, source: .adaptive(maximum: 2_500_000), delay: .milliseconds(Int64(delay)),
        active: Double(index * 10)...1_000, seed: seed + UInt64(index))
    }
    SharedPath([bottleneck([(0, 4_000_000)], seed: seed)], media: flows).run(seconds: 300)
    var outcome = Outcome(flows, over: 100..<300, capacity: 4_000_000)
    outcome.requireFairness(flows, over: 100..<300, atLeast: 0.65)
    outcome.require(flows.allSatisfy { $0.record.rate(100..<300) > 160_000 }, "nobody below a fifth of a fair part")
    outcome.require(utilisation: 0.85)
    return outcome
  }

  static let longTCP = Scenario(
    name: "5.6 Competing with a long TCP flow",
    setting: "2 Mbit/s, queue 300 ms; encoder up to 2 Mbit/s; TCP from 20 to 90 s",
    asked: "not starved beside TCP (10 % of the link), 80 % again within 8 s after it"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_000_000), seed: seed)
    let tcp = TCPFlow(activity: [20...90])
    SharedPath([bottleneck([(0, 2_000_000)], seed: seed)], media: [flow], tcp: [tcp]).run(seconds: 120)
    var outcome = Outcome([flow], over: 30..<90, capacity: 2_000_000)
    outcome.remark = "beside TCP; before and after \(flow.record.percent(of: 2_000_000, 5..<20, 100..<120))"
    outcome.require(utilisation: 0.1)
    outcome.require(
      settled: flow.record.settled(in: 1.5e6...2.6e6, after: 90, until: 120), within: 8, "settled after TCP")
    return outcome
  }

  static let shortTCP = Scenario(
    name: "5.7 Competing with short TCP flows",
    setting: "2 Mbit/s; two encoders up to 1 Mbit/s; ten TCP flows of 1 to 2 s in turn, one every 6 s",
    asked: "60 % used by media, fairness 0.8"
  ) { seed in
    let flows = (1...2).map { MediaFlow(initial: 300_000, source: .adaptive(maximum: 1_000_000), seed: seed + $0) }
    let tcp = (0..<10).map { index in
      let bursts: [ClosedRange<Double>] = (0..<3).map { round in
        let start = Double(10 + round * 60 + index * 6)
        return start...(start + Double(1 + index % 2))
      }
      return TCPFlow(activity: bursts)
    }
    SharedPath([bottleneck([(0, 2_000_000)], seed: seed)], media: flows, tcp: tcp).run(seconds: 190)
    var outcome = Outcome(flows, over: 5..<190, capacity: 2_000_000)
    outcome.requireFairness(flows, over: 5..<190, atLeast: 0.8)
    outcome.require(utilisation: 0.6)
    return outcome
  }

  static let pause = Scenario(
    name: "5.8 Media pause and resume",
    setting: "3.5 Mbit/s; three encoders up to 2.5 Mbit/s; the second pauses from 40 to 60 s",
    asked:
      "the others take over (75 %), 85 % used throughout; back to a third of a fair part within 5 s; p95 queue 200 ms"
  ) { seed in
    let flows = (1...3).map { MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed + $0) }
    flows[1].activity = [0...40, 60...1_000]
    SharedPath([bottleneck([(0, 3_500_000)], seed: seed)], media: flows).run(seconds: 120)
    var outcome = Outcome(flows, over: 5..<120, capacity: 3_500_000)
    let others = flows[0].record.rate(45..<60) + flows[2].record.rate(45..<60)
    outcome.remark = "in the pause the others use \(Int(others / 35_000)) %"
    outcome.require(others > 0.75 * 3_500_000, outcome.remark)
    outcome.require(flows[1].record.rate(60..<65) > 390_000, "back: \(flows[1].record.rate(60..<65))")
    outcome.require(utilisation: 0.85)
    outcome.require(queue: 200)
    return outcome
  }

  static let priority = Scenario(
    name: "6.1 Media flows with priority",
    setting: "2 Mbit/s; two flows of 2 Mbit/s; the second is allowed 300 kbit/s from 40 to 80 s",
    asked: "what the second gives up, the first has within 8 s (1.4 Mbit/s); afterwards they share again (fairness 0.8)"
  ) { seed in
    let flows = (1...2).map { MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_000_000), seed: seed + $0) }
    flows[1].wantedChanges = [(40, 300_000), (80, 2_000_000)]
    SharedPath([bottleneck([(0, 2_000_000)], seed: seed)], media: flows).run(seconds: 120)
    var outcome = Outcome(flows, over: 5..<120, capacity: 2_000_000)
    outcome.require(
      settled: flows[0].record.settled(in: 1.4e6...2.2e6, after: 40, until: 80), within: 8, "the first has it")
    outcome.require(flows[0].record.rate(50..<80) > 1_300_000, "the first keeps it")
    outcome.requireFairness(flows, over: 95..<120, atLeast: 0.8)
    outcome.require(utilisation: 0.8)
    return outcome
  }

  static let severalBottlenecks = Scenario(
    name: "6.3 Multiple bottlenecks",
    setting: "2 and 3.5 Mbit/s in a row; one flow through both, one through each alone",
    asked: "the long way is not starved (15 % of its narrowest link), each link 80 % used"
  ) { seed in
    let flows = [[0, 1], [0], [1]].enumerated().map { index, path in
      MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), path: path, seed: seed + UInt64(index))
    }
    let links = [bottleneck([(0, 2_000_000)], seed: seed), bottleneck([(0, 3_500_000)], seed: seed + 1)]
    SharedPath(links, media: flows).run(seconds: 120)
    let span = 20.0..<120
    var outcome = Outcome([flows[0], flows[1]], over: span, capacity: 2_000_000)
    let second = (flows[0].record.rate(span) + flows[2].record.rate(span)) / 3_500_000
    outcome.remark =
      "second link \(Int(second * 100)) % used, long way \(Int(flows[0].record.rate(span) / 1_000)) kbit/s"
    outcome.require(flows[0].record.rate(span) > 300_000, "the long way is not starved")
    outcome.require(utilisation: 0.8)
    outcome.require(second > 0.8, "second link used")
    return outcome
  }
}

extension Outcome {
  mutating func requireFairness(_ flows: [MediaFlow], over span: Range<Double>, atLeast least: Double) {
    let rates = flows.map { $0.record.rate(span) }
    let fairness = Outcome.fairness(rates)
    remark =
      "fairness \((fairness * 100).rounded() / 100) (\(rates.map { String(Int($0 / 1_000)) }.joined(separator: ", ")) kbit/s)"
    require(fairness >= least, remark)
  }
}

extension FlowRecord {
  /// Two spans' rates as shares of a capacity.
  func percent(of capacity: Double, _ first: Range<Double>, _ second: Range<Double>) -> String {
    "\(Int(rate(first) / capacity * 100)) and \(Int(rate(second) / capacity * 100)) %"
  }
}
