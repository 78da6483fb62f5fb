import Foundation
import Synchronization

/// Looks at a file before it is kept: any program that ends with 0 for clean and 1 for infected, such as `clamdscan`.
package struct FileScanner: Sendable {
  package enum Verdict: Hashable, Sendable {
    case clean
    case infected
    /// It could not be started, took too long or ended with another status.
    case failed
  }

  /// Program and arguments; the file's path comes last.
  private let command: [String]
  private let timeout: Duration

  /// Longest time for one file.
  package static let timeout = Duration.seconds(60)

  /// Nil for an empty command; its parts are separated by spaces.
  package init?(command: String, timeout: Duration = timeout) {
    let parts = command.split(separator: " ").map(String.init)
    guard !parts.isEmpty else { return nil }
    self.command = parts
    self.timeout = timeout
  }

  /// Scans one file; blocks until the program has ended or its time is over.
  package func scan(_ path: String) -> Verdict {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command + [path]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    guard (try? process.run()) != nil else { return .failed }
    let seconds = Double(timeout.components.seconds)
    guard ended.wait(timeout: .now() + seconds) == .success else {
      process.terminate()
      return .failed
    }
    guard process.terminationReason == .exit else { return .failed }
    switch process.terminationStatus {
    case 0: return .clean
    case 1: return .infected
    default: return .failed
    }
  }
}
