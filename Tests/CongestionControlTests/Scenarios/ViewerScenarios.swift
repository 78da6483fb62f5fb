import Primitives

/// What viewers of emergency video go through, beside RFC 8867.
enum ViewerScenarios {
  static let all = [
    slowLink, openingLink, closingLink, layers, randomLoss, heavyLoss, policer, harshPolicer, longWay, jitter,
    lostFeedback, silence,
    littleSent, fastLink,
  ]

  private static func play(
    _ bottleneck: Bottleneck, _ flow: MediaFlow, seconds: Double, over span: Range<Double>, capacity: Double
  ) -> Outcome {
    SharedPath([bottleneck], media: [flow]).run(seconds: seconds)
    return Outcome([flow], over: span, capacity: capacity)
  }

  static let slowLink = Scenario(
    name: "Slow link, started too fast",
    setting: "600 kbit/s, started at 2 Mbit/s, 2.5 Mbit/s wanted",
    asked: "settled (60 to 115 %) within 5 s, 80 % used, p95 queue 150 ms"
  ) { seed in
    let flow = MediaFlow(initial: 2_000_000, source: .adaptive(maximum: 2_500_000), seed: seed)
    var outcome = play(
      RFC8867Scenarios.bottleneck([(0, 600_000)], seed: seed), flow, seconds: 40, over: 5..<40, capacity: 600_000)
    outcome.require(settled: flow.record.settled(in: 360e3...690e3, after: 0, until: 40), within: 5, "settled")
    outcome.require(utilisation: 0.8)
    outcome.require(queue: 150)
    return outcome
  }

  static let openingLink = Scenario(
    name: "The link opens",
    setting: "600 kbit/s, 3 Mbit/s from 20 s; 3 Mbit/s wanted",
    asked: "2.4 Mbit/s within 6 s, 80 % used after that"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 3_000_000), seed: seed)
    let link = RFC8867Scenarios.bottleneck([(0, 600_000), (20, 3_000_000)], seed: seed)
    var outcome = play(link, flow, seconds: 45, over: 25..<45, capacity: 3_000_000)
    outcome.require(settled: flow.record.settled(in: 2.4e6...4.5e6, after: 20, until: 45), within: 6, "found")
    outcome.require(utilisation: 0.8)
    return outcome
  }

  static let closingLink = Scenario(
    name: "The link closes",
    setting: "2.5 Mbit/s, 150 kbit/s from 20 s, 2.5 Mbit/s from 40 s; queue 1 s",
    asked: "down (to 180 kbit/s) within 2 s, the queue gone 4 s later, 2 Mbit/s within 6 s of the end"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed)
    var link = RFC8867Scenarios.bottleneck([(0, 2_500_000), (20, 150_000), (40, 2_500_000)], seed: seed)
    link.queueLimit = .milliseconds(1_000)
    var outcome = play(link, flow, seconds: 60, over: 26..<40, capacity: 150_000)
    let down = flow.record.settled(in: 30e3...180e3, after: 20, until: 40)
    outcome.require(settled: down, within: 2, "down")
    outcome.require(queue: 250)
    outcome.require(
      settled: flow.record.settled(in: 2e6...4e6, after: 40, until: 60), within: 6, "recovered")
    return outcome
  }

  static let layers = Scenario(
    name: "A relay's layers",
    setting: "layers of 0.1, 0.45, 1 and 2.5 Mbit/s over 600 kbit/s, 3 Mbit/s from 20 s, 150 kbit/s from 40 s",
    asked: "second layer within 5 s, top within 8 s of the opening, lowest within 3 s of the closing"
  ) { seed in
    let flow = MediaFlow(initial: 2_000_000, source: .layers([100_000, 450_000, 1_000_000, 2_500_000]), seed: seed)
    let link = RFC8867Scenarios.bottleneck([(0, 600_000), (20, 3_000_000), (40, 150_000)], seed: seed)
    var outcome = play(link, flow, seconds: 60, over: 5..<20, capacity: 450_000)
    outcome.require(settled: flow.record.settled(in: 450e3...999e3, after: 0, until: 20), within: 5, "second layer")
    outcome.require(settled: flow.record.settled(in: 2.5e6...100e6, after: 20, until: 40), within: 8, "top layer")
    outcome.require(settled: flow.record.settled(in: 30e3...449e3, after: 40, until: 60), within: 3, "lowest layer")
    outcome.require(flow.record.queueDelay(0.95, 45..<60) < 250, "no long queue at 150 kbit/s")
    return outcome
  }

  static let randomLoss = Scenario(
    name: "A tenth lost at random",
    setting: "10 Mbit/s, 10 % loss, 2.5 Mbit/s wanted",
    asked: "never below 1.2 Mbit/s after 5 s, 80 % of the picture's rate gets through"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed)
    var link = RFC8867Scenarios.bottleneck([(0, 10_000_000)], seed: seed)
    link.loss = 0.1
    var outcome = play(link, flow, seconds: 60, over: 5..<60, capacity: 2_500_000)
    let targets = flow.record.targets(5..<60)
    outcome.remark = "target \(targets.lowerBound / 1_000) to \(targets.upperBound / 1_000) kbit/s"
    outcome.require(targets.lowerBound >= 1_200_000, outcome.remark)
    outcome.require(utilisation: 0.8)
    return outcome
  }

  static let heavyLoss = Scenario(
    name: "A fifth lost at random",
    setting: "10 Mbit/s, 20 % loss, 2.5 Mbit/s wanted",
    asked: "half of the picture's rate gets through"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed)
    var link = RFC8867Scenarios.bottleneck([(0, 10_000_000)], seed: seed)
    link.loss = 0.2
    var outcome = play(link, flow, seconds: 60, over: 5..<60, capacity: 2_500_000)
    outcome.require(utilisation: 0.5)
    return outcome
  }

  static let policer = policer("Hardly any queue", queue: 40, mostLost: 12)
  /// Less than what counts as a queue at all (``RateControl/noQueue``), and than a picture needs that leaves at once.
  static let harshPolicer = policer("Next to no queue", queue: 20, mostLost: 25)

  private static func policer(_ name: String, queue milliseconds: Int64, mostLost: Int) -> Scenario {
    Scenario(
      name: name, setting: "1 Mbit/s, queue \(milliseconds) ms, 2.5 Mbit/s wanted",
      asked: "80 % used, at most \(mostLost) % lost"
    ) { seed in
      let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed)
      var link = RFC8867Scenarios.bottleneck([(0, 1_000_000)], seed: seed)
      link.queueLimit = .milliseconds(milliseconds)
      var outcome = play(link, flow, seconds: 60, over: 5..<60, capacity: 1_000_000)
      outcome.require(utilisation: 0.8)
      outcome.require(outcome.loss <= Double(mostLost) / 100, "loss \(outcome.loss)")
      return outcome
    }
  }

  static let longWay = Scenario(
    name: "A long way",
    setting: "1.5 Mbit/s, 300 ms one way, 2.5 Mbit/s wanted",
    asked: "settled (60 to 120 %) within 10 s, 70 % used"
  ) { seed in
    let flow = MediaFlow(
      initial: 300_000, source: .adaptive(maximum: 2_500_000), delay: .milliseconds(300), seed: seed)
    var outcome = play(
      RFC8867Scenarios.bottleneck([(0, 1_500_000)], seed: seed), flow, seconds: 60, over: 10..<60, capacity: 1_500_000)
    outcome.require(settled: flow.record.settled(in: 0.9e6...1.8e6, after: 0, until: 60), within: 10, "settled")
    outcome.require(utilisation: 0.7)
    return outcome
  }

  static let jitter = Scenario(
    name: "Jitter",
    setting: "3 Mbit/s, each packet up to 60 ms late, out of order, 2.5 Mbit/s wanted",
    asked: "65 % used"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed)
    var link = RFC8867Scenarios.bottleneck([(0, 3_000_000)], jitter: 60, seed: seed)
    link.keepsOrder = false
    var outcome = play(link, flow, seconds: 60, over: 5..<60, capacity: 2_500_000)
    outcome.require(utilisation: 0.65)
    return outcome
  }

  static let lostFeedback = Scenario(
    name: "Feedback gets lost",
    setting: "1 Mbit/s, 30 % of feedback lost, 2.5 Mbit/s wanted",
    asked: "70 % used, p95 queue 200 ms"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed)
    flow.feedbackLoss = 0.3
    var outcome = play(
      RFC8867Scenarios.bottleneck([(0, 1_000_000)], seed: seed), flow, seconds: 60, over: 5..<60, capacity: 1_000_000)
    outcome.require(utilisation: 0.7)
    outcome.require(queue: 200)
    return outcome
  }

  static let silence = Scenario(
    name: "Feedback stops",
    setting: "3 Mbit/s, 2.5 Mbit/s wanted; no feedback from 20 to 26 s",
    asked: "a tenth of the rate at the end of the silence, 2 Mbit/s again within 5 s"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed)
    flow.feedbackOutage = 20...26
    var outcome = play(
      RFC8867Scenarios.bottleneck([(0, 3_000_000)], seed: seed), flow, seconds: 40, over: 5..<40, capacity: 2_500_000)
    let lowest = flow.record.targets(25.5..<26).lowerBound
    outcome.remark = "lowest target \(lowest / 1_000) kbit/s"
    outcome.require(lowest < 400_000, outcome.remark)
    outcome.require(settled: flow.record.settled(in: 2e6...100e6, after: 26, until: 40), within: 5, "recovered")
    return outcome
  }

  static let littleSent = Scenario(
    name: "Little is sent",
    setting: "3 Mbit/s, jitter 20 ms; found at 2.5 Mbit/s, then only 100 kbit/s wanted from 20 to 80 s",
    asked: "the target keeps 1.5 Mbit/s, and does not rise above 4.5"
  ) { seed in
    let flow = MediaFlow(initial: 300_000, source: .adaptive(maximum: 2_500_000), seed: seed)
    flow.wantedChanges = [(20, 100_000), (80, 2_500_000)]
    var outcome = play(
      RFC8867Scenarios.bottleneck([(0, 3_000_000)], jitter: 20, seed: seed), flow, seconds: 90, over: 5..<20,
      capacity: 2_500_000)
    let targets = flow.record.targets(20..<80)
    outcome.remark = "target \(targets.lowerBound / 1_000) to \(targets.upperBound / 1_000) kbit/s"
    outcome.require(targets.lowerBound > 1_500_000 && targets.upperBound < 4_500_000, outcome.remark)
    outcome.require(flow.record.rate(82..<90) > 2_000_000, "used again at once")
    return outcome
  }

  static let fastLink = Scenario(
    name: "A fast link",
    setting: "50 Mbit/s, 20 ms; 20 Mbit/s wanted",
    asked: "16 Mbit/s within 5 s, 80 % of what is wanted gets through"
  ) { seed in
    let flow = MediaFlow(
      initial: 300_000, source: .adaptive(maximum: 20_000_000), delay: .milliseconds(20), seed: seed)
    var outcome = play(
      RFC8867Scenarios.bottleneck([(0, 50_000_000)], seed: seed), flow, seconds: 20, over: 5..<20, capacity: 20_000_000)
    outcome.require(settled: flow.record.settled(in: 16e6...100e6, after: 0, until: 20), within: 5, "found")
    outcome.require(utilisation: 0.8)
    return outcome
  }
}
