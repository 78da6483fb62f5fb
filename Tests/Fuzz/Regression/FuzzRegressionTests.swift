import Foundation
import FuzzTargets
import Primitives
import Testing

/// Replays every input that once broke a parser, the fuzzer's seeds, and mutations of them with a fixed seed.
///
/// Serialized: the SCTP library has one clock for the process.
@Suite("Fuzz regression", .serialized)
struct FuzzRegressionTests {
  private static let fixtures = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "fixtures")

  /// The inputs in one folder, in order of their names.
  private static func inputs(in folder: String, for target: FuzzTarget) -> [[UInt8]] {
    let directory = fixtures.appending(path: "\(folder)/\(target.rawValue)")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path())) ?? []
    return names.sorted().compactMap { try? Array(Data(contentsOf: directory.appending(path: $0))) }
  }

  @Test("inputs that once broke it do no harm", arguments: FuzzTarget.allCases)
  func survivesFormerFindings(_ target: FuzzTarget) {
    for input in Self.inputs(in: "crashes", for: target) { input.withUnsafeBytes { target.run($0) } }
  }

  @Test("seeds and their mutations do no harm", arguments: FuzzTarget.allCases)
  func survivesMutations(_ target: FuzzTarget) throws {
    let seeds = Self.inputs(in: "seeds", for: target)
    try #require(!seeds.isEmpty, "fixtures/seeds/\(target.rawValue) has no input")
    var random = RandomSource.seeded(0x5eed)
    for seed in seeds {
      seed.withUnsafeBytes { target.run($0) }
      for _ in 0..<50 { mutate(seed, &random).withUnsafeBytes { target.run($0) } }
    }
  }

  /// Flips bits, cuts the end off or repeats a part.
  private func mutate(_ seed: [UInt8], _ random: inout RandomSource) -> [UInt8] {
    var bytes = seed
    guard !bytes.isEmpty else { return random.bytes(16) }
    for _ in 0...(random.next() % 4) {
      let place = Int(random.next() % UInt64(bytes.count))
      switch random.next() % 4 {
      case 0: bytes.removeLast(bytes.count - 1 - place)
      case 1: bytes.insert(contentsOf: bytes.prefix(place), at: place)
      default: bytes[place] ^= 1 << UInt8(random.next() % 8)
      }
    }
    return bytes
  }
}
