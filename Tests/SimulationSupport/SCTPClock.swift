import Testing

/// Keeps suites that use the SCTP library apart, also those of different targets: the library has one clock for the
/// process, and a simulation that lets hours pass would time out what another suite is doing in real time.
package struct SCTPClockTrait: SuiteTrait, TestScoping {
  private static let turns = Turns()

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await Self.turns.begin()
    let result: Result<Void, any Error>
    do {
      result = .success(try await function())
    } catch {
      result = .failure(error)
    }
    await Self.turns.end()
    try result.get()
  }

  /// Hands one turn from suite to suite, in the order in which they came.
  private actor Turns {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func begin() async {
      guard isTaken else { return isTaken = true }
      await withCheckedContinuation { waiting.append($0) }
    }

    func end() {
      guard !waiting.isEmpty else { return isTaken = false }
      waiting.removeFirst().resume()
    }
  }
}

extension Trait where Self == SCTPClockTrait {
  /// The suite has the SCTP library's clock to itself.
  package static var ownsSCTPClock: Self { Self() }
}
