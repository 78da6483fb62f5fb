import Foundation
import Testing

/// Holds the sources to the floors of DESIGN and to the rules that a compiler cannot check.
@Suite("Architecture")
struct ArchitectureTests {
  static let sources = Repository.swiftFiles(in: "Sources")
  static let tests = Repository.swiftFiles(in: "Tests")

  @Test("the checks see the sources")
  func findsSources() {
    #expect(Self.sources.count > 100)
    #expect(Self.tests.contains { $0.path == "Tests/ArchitectureTests/ArchitectureTests.swift" })
  }

  @Test("sources hold to", arguments: [Rule.imports, .length, .traps, .sansIO, .guardedSharing])
  func sourcesHold(to rule: Rule) {
    #expect(rule.violations(in: Self.sources) == [])
  }

  @Test("tests hold to", arguments: [Rule.length, .noSleep])
  func testsHold(to rule: Rule) {
    #expect(rule.violations(in: Self.tests) == [])
  }

  @Test("every folder in Sources is a floor or a system library")
  func everyTargetIsInTheTable() {
    let unknown = Repository.folders(in: "Sources").filter { Floor.of($0) == nil && !Self.isSystemLibrary($0) }
    #expect(unknown == [])
  }

  @Test("floors import downwards", arguments: Floor.house)
  func importsGoDown(_ floor: Floor) {
    #expect(FloorOrder.upward(in: floor, house: Floor.house) == [])
  }

  @Test("every module has a page", arguments: Floor.house)
  func hasPage(_ floor: Floor) {
    let page = "Sources/\(floor.target)/\(floor.target).docc/\(floor.target).md"
    #expect(Repository.exists(page), "write \(page): what goes in and out, which RFCs, where to start reading")
  }

  private static func isSystemLibrary(_ folder: String) -> Bool {
    folder.hasPrefix("C")
      && (Repository.exists("Sources/\(folder)/module.modulemap") || Repository.exists("Sources/\(folder)/include"))
  }
}

/// Whether the table of floors is itself in order.
enum FloorOrder {
  /// Imports of `floor` that do not go to a lower floor and are no named exception.
  static func upward(in floor: Floor, house: [Floor]) -> [String] {
    floor.modules.sorted().filter { module in
      guard let other = house.first(where: { $0.target == module }) else { return true }
      return other.number >= floor.number && !Floor.sideways.contains("\(floor.target) -> \(module)")
    }
  }
}

extension Rule: CustomTestStringConvertible {
  var testDescription: String { name }
}

extension Floor: CustomTestStringConvertible {
  var testDescription: String { target }
}
