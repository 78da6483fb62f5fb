import Foundation

/// A place that breaks a rule, in the form that editors make clickable.
struct Violation: Hashable, CustomStringConvertible {
  let path: String
  let line: Int
  let text: String

  var description: String { "\(path):\(line): \(text)" }
}

/// Something that every file must hold to.
///
/// Each has a test that shows that it can fail.
struct Rule: Sendable {
  let name: String
  let check: @Sendable (SourceFile) -> [Violation]

  func violations(in files: [SourceFile]) -> [Violation] { files.flatMap(check) }
}

extension Rule {
  static let imports = Rule(name: "a target imports only what its floor allows") { file in
    guard let floor = Floor.of(file.target) else {
      return [Violation(path: file.path, line: 1, text: "\(file.target) is not in the table of floors")]
    }
    return file.imports.filter { !floor.allowed.contains($0.module) }.map {
      Violation(path: file.path, line: $0.line, text: "\(file.target) must not import \($0.module)")
    }
  }

  /// Lines of a file at most; one subject a file rarely needs more.
  static let maximumLines = 400

  /// Files that may be longer, each with its reason.
  static let longFiles: [String: String] = [:]

  static let length = Rule(name: "a file has at most \(maximumLines) lines") { file in
    let count = file.lines.count - (file.lines.last == "" ? 1 : 0)
    guard count > maximumLines, longFiles[file.path] == nil else { return [] }
    return [Violation(path: file.path, line: count, text: "\(count) lines: split it by subject")]
  }

  static let traps = Rule(name: "nothing traps on purpose but preconditionFailure, and no task is detached") { file in
    occurrences(of: [#"\btry!"#, #"\bfatalError\b"#, #"\bTask\s*\.\s*detached\b"#], in: file)
  }

  /// What would give a core a clock, a socket, a task or a voice of its own.
  private static let worldly = [
    #"\bContinuousClock\b"#, #"\bSuspendingClock\b"#, #"\bDate\s*\("#, #"\bclock_gettime\b"#, #"\bTask\s*[.({]"#,
    #"\bDispatchQueue\b"#, #"\bprint\s*\("#, #"\basync\s+let\b"#, #"\bawait\b"#, #"\bactor\s+[A-Z]"#, #"\bsocket\s*\("#,
  ]

  static let sansIO = Rule(name: "floors 0 to 2 have no clock, no task, no socket and print nothing") { file in
    guard Floor.of(file.target)?.isSansIO == true else { return [] }
    return occurrences(of: worldly, in: file)
  }

  static let guardedSharing = Rule(name: "unchecked sharing says what guards it") { file in
    file.code.indices.filter { line in
      matches(#"@unchecked\s+Sendable\b|\bnonisolated\(unsafe\)"#, file.code[line]) && !hasComment(file, line)
    }
    .map { Violation(path: file.path, line: $0 + 1, text: "say in a comment what guards this") }
  }

  /// Files of tests that wait for something real, each with what it is.
  static let realTimeFiles: [String: String] = [
    "Tests/MediaServerTests/Support.swift": "two ends talk through the kernel's sockets"
  ]

  static let noSleep = Rule(name: "tests run in simulated time and never sleep") { file in
    guard realTimeFiles[file.path] == nil else { return [] }
    return occurrences(of: [#"\b(u|nano)?sleep\s*\("#], in: file)
  }

  /// Whether the line carries a comment or stands right below one, attributes between them aside.
  private static func hasComment(_ file: SourceFile, _ line: Int) -> Bool {
    if file.lines[line].contains("//") { return true }
    var above = line - 1
    while above >= 0 {
      let text = file.lines[above].trimmingCharacters(in: .whitespaces)
      if text.hasPrefix("//") { return true }
      guard text.hasPrefix("@") else { return false }
      above -= 1
    }
    return false
  }

  private static func occurrences(of patterns: [String], in file: SourceFile) -> [Violation] {
    patterns.flatMap { pattern in
      file.code.indices.filter { matches(pattern, file.code[$0]) }.map {
        Violation(path: file.path, line: $0 + 1, text: file.lines[$0].trimmingCharacters(in: .whitespaces))
      }
    }
  }

  private static func matches(_ pattern: String, _ line: String) -> Bool {
    line.range(of: pattern, options: .regularExpression) != nil
  }
}
