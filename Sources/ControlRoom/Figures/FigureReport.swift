import Incidents
import JSON
import Primitives

/// Figures of a time, added up, and hour by hour what was going on.
package struct FigureReport: Sendable {
  /// Hours since 1970.
  package let range: Range<Int>
  package private(set) var sum = FigureHour()
  package private(set) var hours: [Int: FigureHour] = [:]
  /// What goes on at this moment.
  package var openNow = 0
  package var waitingNow = 0
  package var liveNow = 0
  package var watchingNow = 0

  package init(range: Range<Int>) {
    self.range = range
  }

  mutating func add(_ hour: FigureHour, at number: Int) {
    sum.add(hour)
    hours[number, default: FigureHour()].add(hour)
  }

  /// What people are held to (NENA): so many per cent of answers within so many seconds.
  static let targets = [(seconds: 15, share: 0.9), (seconds: 20, share: 0.95)]

  package var json: JSONValue {
    [
      "answers": answers, "funnel": funnel,
      "firstPicture": ["fromOpened": Self.view(sum.openedToLive), "fromSent": Self.view(sum.sentToLive)],
      "recordings": [
        "begun": .integer(sum.recorded), "sealed": .integer(sum.sealed), "alarms": .integer(sum.alarms),
      ],
      "hours": .array(hours.sorted { $0.key < $1.key }.map(Self.view)),
      "now": [
        "incidents": .integer(openNow), "waiting": .integer(waitingNow), "live": .integer(liveNow),
        "watching": .integer(watchingNow),
      ],
    ]
  }

  private var answers: JSONValue {
    guard case .object(var members) = Self.view(sum.answers) else { return [:] }
    members["opened"] = .integer(sum.opened)
    members["targets"] = .array(
      Self.targets.map { seconds, share in
        [
          "seconds": .integer(seconds), "share": .number(share),
          "within": .integer(sum.answers.count(within: seconds)),
        ]
      })
    return .object(members)
  }

  private var funnel: JSONValue {
    let stages = zip(FigureHour.stages, sum.reached).map { stage, count -> JSONValue in
      ["stage": .string(stage.rawValue), "count": .integer(count)]
    }
    let dropOuts = sum.dropOuts.sorted { ($1.value, $0.key.reason) < ($0.value, $1.key.reason) }.map {
      dropOut, count -> JSONValue in
      ["after": .string(dropOut.after.rawValue), "reason": .string(dropOut.reason), "count": .integer(count)]
    }
    return ["stages": .array(stages), "dropOuts": .array(dropOuts)]
  }

  private static func view(_ histogram: SecondsHistogram) -> JSONValue {
    .members([
      "count": .integer(histogram.total), "beyond": .integer(histogram.beyond),
      "median": histogram.percentile(0.5).map { .integer($0) }, "p90": histogram.percentile(0.9).map { .integer($0) },
      "p95": histogram.percentile(0.95).map { .integer($0) },
      "bins": .array(histogram.bins.map { [.integer($0.upTo), .integer($0.count)] }),
    ])
  }

  private static func view(_ number: Int, _ hour: FigureHour) -> JSONValue {
    [
      "hour": .string(UTCTime(seconds: Int64(number) * 3_600).description), "opened": .integer(hour.opened),
      "incidents": .integer(hour.openIncidents), "live": .integer(hour.liveCallers), "watching": .integer(hour.viewers),
    ]
  }
}
