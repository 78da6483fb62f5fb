import Testing

/// Shows that each rule can fail, and that it does not fail on what only looks alike.
@Suite("Architecture rules")
struct RuleTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    let rule: Rule
    let text: String
    let lines: [Int]
    var path = "Sources/STUN/Sample.swift"

    var testDescription: String { "\(rule.name): \(text.prefix(60).replacing("\n", with: "⏎"))" }
  }

  static let broken: [Sample] = [
    Sample(rule: .imports, text: "import Primitives\nimport Foundation", lines: [2]),
    Sample(rule: .imports, text: "@preconcurrency import struct Glibc.timespec", lines: [1]),
    Sample(rule: .imports, text: "package import MediaServer", lines: [1]),
    Sample(rule: .imports, text: "import Primitives", lines: [1], path: "Sources/Unheard/Sample.swift"),
    Sample(rule: .length, text: String(repeating: "// line\n", count: 401), lines: [401]),
    Sample(rule: .traps, text: "let x = try! parse()", lines: [1]),
    Sample(rule: .traps, text: "\n\nfatalError()", lines: [3]),
    Sample(rule: .traps, text: "Task.detached { }", lines: [1]),
    Sample(rule: .sansIO, text: "let now = ContinuousClock.now", lines: [1]),
    Sample(rule: .sansIO, text: "Task { await run() }", lines: [1, 1]),
    Sample(rule: .sansIO, text: "print(packet)", lines: [1]),
    Sample(rule: .guardedSharing, text: "final class Box: @unchecked Sendable {}", lines: [1]),
    Sample(rule: .guardedSharing, text: "// About something else.\n\nnonisolated(unsafe) var x = 1", lines: [3]),
    Sample(rule: .noSleep, text: "try await Task.sleep(for: .seconds(1))", lines: [1]),
    Sample(rule: .noSleep, text: "usleep(10)", lines: [1]),
  ]

  static let sound: [Sample] = [
    Sample(rule: .imports, text: "import Primitives\nimport Cryptography", lines: []),
    Sample(rule: .imports, text: "// import Foundation\nlet text = \"import Foundation\"", lines: []),
    Sample(rule: .length, text: String(repeating: "// line\n", count: 400), lines: []),
    Sample(rule: .traps, text: "// never try! here\nlet text = \"fatalError\"", lines: []),
    Sample(rule: .traps, text: "/* try! /* nested */ fatalError */ let x = 1", lines: []),
    Sample(rule: .traps, text: "let text = \"\"\"\n  try! \"quoted\"\n  \"\"\"", lines: []),
    Sample(rule: .traps, text: "let text = #\"a \" try! \"#", lines: []),
    Sample(rule: .sansIO, text: "func handleTimeout(now: MonotonicTime)", lines: []),
    Sample(rule: .sansIO, text: "Task { await run() }", lines: [], path: "Sources/Gateway/Sample.swift"),
    Sample(
      rule: .guardedSharing, text: "/// Guarded by `lock`.\n@frozen\nstruct Box: @unchecked Sendable {}", lines: []),
    Sample(rule: .guardedSharing, text: "nonisolated(unsafe) var x = 1  // written once, before use", lines: []),
    Sample(rule: .noSleep, text: "clock.advance(by: .seconds(1))  // instead of Task.sleep(", lines: []),
  ]

  @Test("a rule finds", arguments: broken)
  func finds(_ sample: Sample) {
    let found = sample.rule.check(SourceFile(path: sample.path, text: sample.text))
    #expect(found.map(\.line) == sample.lines)
  }

  @Test("a rule lets pass", arguments: sound)
  func letsPass(_ sample: Sample) {
    #expect(sample.rule.check(SourceFile(path: sample.path, text: sample.text)) == [])
  }

  @Test("a floor that imports upwards or sideways is found")
  func findsUpwardImports() {
    let house = [Floor(1, "Low", ["High", "Beside", "Gone"]), Floor(1, "Beside"), Floor(2, "High", ["Low"])]
    #expect(FloorOrder.upward(in: house[0], house: house) == ["Beside", "Gone", "High"])
    #expect(FloorOrder.upward(in: house[2], house: house) == [])
  }

  @Test("code after a string and a comment is still seen")
  func scannerRecovers() {
    let file = SourceFile(
      path: "Sources/STUN/Sample.swift", text: "let a = \"x\" + /* y */ (try! f()) // z\n\"\"\"\n\"\"\"; try! g()")
    #expect(Rule.traps.check(file).map(\.line) == [1, 3])
  }
}
