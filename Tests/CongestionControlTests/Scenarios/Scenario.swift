import Foundation
import Primitives
import Testing

/// A path, its flows, and what must come out.
struct Scenario: CustomTestStringConvertible, Sendable {
  let name: String
  /// In a line, what is done.
  let setting: String
  /// In a line, what must come of it.
  let asked: String
  /// Plays it with a seed's luck.
  let play: @Sendable (UInt64) -> Outcome

  var testDescription: String { name }
}

/// What came of a scenario.
struct Outcome {
  /// Longest time to settle after a change, in seconds; nil where nothing is to settle.
  var settled: Double?
  /// Arrived over what could have arrived.
  var utilisation: Double
  /// Milliseconds in queues.
  var medianQueue: Double
  var p95Queue: Double
  /// Share of packets.
  var loss: Double
  /// Anything else worth telling.
  var remark = ""
  /// What was asked and did not come.
  var failures: [String] = []

  /// Measures one flow, or several together, over a span of seconds.
  init(_ flows: [MediaFlow], over span: Range<Double>, capacity: Double) {
    let arrived = flows.reduce(0) { $0 + $1.record.rate(span) }
    utilisation = arrived / capacity
    medianQueue = flows.map { $0.record.queueDelay(0.5, span) }.max() ?? 0
    p95Queue = flows.map { $0.record.queueDelay(0.95, span) }.max() ?? 0
    loss = flows.map { $0.record.loss(span) }.max() ?? 0
  }

  mutating func require(_ isMet: Bool, _ what: String) {
    if !isMet { failures.append(what) }
  }

  /// Takes a time to settle; nil means that it never came.
  mutating func require(settled time: Double?, within limit: Double, _ what: String) {
    guard let time else { return failures.append("\(what): never") }
    settled = max(settled ?? 0, time)
    require(time <= limit, "\(what): \(time) s")
  }

  mutating func require(queue limit: Double) {
    require(p95Queue <= limit, "p95 queue \(Int(p95Queue)) ms, at most \(Int(limit))")
  }

  mutating func require(utilisation least: Double) {
    require(utilisation >= least, "utilisation \(utilisation), at least \(least)")
  }

  /// Jain's index: 1 when all have the same, 1/n when one has all.
  static func fairness(_ rates: [Double]) -> Double {
    let sum = rates.reduce(0, +)
    let squares = rates.reduce(0) { $0 + $1 * $1 }
    return squares == 0 ? 1 : sum * sum / (Double(rates.count) * squares)
  }
}
