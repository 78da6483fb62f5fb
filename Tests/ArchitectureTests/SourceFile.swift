import Foundation

/// One Swift file of the repository, as the rules look at it.
struct SourceFile: Sendable {
  /// Relative to the repository, for example `Sources/STUN/STUNMessage.swift`.
  let path: String
  let lines: [String]
  /// The same lines without comments and without what stands in string literals.
  let code: [String]

  init(path: String, text: String) {
    self.path = path
    lines = text.components(separatedBy: "\n")
    code = CodeScanner.code(of: text).components(separatedBy: "\n")
  }

  /// The target that the file belongs to: the folder below `Sources` or `Tests`.
  var target: String {
    let parts = path.split(separator: "/")
    return parts.count > 1 ? String(parts[1]) : ""
  }

  /// The modules that the file imports, with the numbers of their lines.
  var imports: [(line: Int, module: String)] {
    code.enumerated().compactMap { index, line in
      // `@preconcurrency import X`, `package import struct X.Y` and `import X` all name X after the keyword.
      var words = line.split(separator: " ")[...]
      guard let keyword = words.firstIndex(of: "import"), words[..<keyword].allSatisfy(Self.isModifier) else {
        return nil
      }
      words = words[(keyword + 1)...]
      if let kind = words.first, Self.importKinds.contains(String(kind)) { words = words.dropFirst() }
      guard let name = words.first?.split(separator: ".").first else { return nil }
      return (index + 1, String(name))
    }
  }

  private static func isModifier(_ word: Substring) -> Bool {
    word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
  }

  private static let importKinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
}

/// Blanks out comments and the contents of string literals, line by line, so that rules see code only.
///
/// It walks bytes: everything that matters to it is ASCII, and bytes of other characters never look like ASCII.
enum CodeScanner {
  private enum State: Equatable {
    case code
    case lineComment
    case blockComment(depth: Int)
    /// `hashes` of a raw string; `isMultiline` for `"""`.
    case string(hashes: Int, isMultiline: Bool)
  }

  private static let newline = UInt8(ascii: "\n")
  private static let quote = UInt8(ascii: "\"")
  private static let hash = UInt8(ascii: "#")

  static func code(of text: String) -> String {
    let source = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(source.count)
    var state = State.code
    var place = 0
    while place < source.count {
      let (next, length) = step(state, source[place...])
      let piece = source[place..<min(place + length, source.count)]
      if state == .code, next == .code {
        result += piece
      } else {
        result += piece.filter { $0 == newline }
      }
      state = next
      place += length
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// The state after what stands at the start of `rest`, and how many bytes that was.
  private static func step(_ state: State, _ rest: ArraySlice<UInt8>) -> (State, Int) {
    let first = rest[rest.startIndex]
    switch state {
    case .code:
      if rest.starts(with: "//".utf8) { return (.lineComment, 2) }
      if rest.starts(with: "/*".utf8) { return (.blockComment(depth: 1), 2) }
      return first == quote || first == hash ? openString(rest) ?? (.code, 1) : (.code, 1)
    case .lineComment:
      return (first == newline ? .code : .lineComment, 1)
    case .blockComment(let depth):
      if rest.starts(with: "/*".utf8) { return (.blockComment(depth: depth + 1), 2) }
      if rest.starts(with: "*/".utf8) { return (depth == 1 ? .code : .blockComment(depth: depth - 1), 2) }
      return (state, 1)
    case .string(let hashes, let isMultiline):
      return stepInString(rest, hashes: hashes, quotes: isMultiline ? 3 : 1)
    }
  }

  private static func stepInString(_ rest: ArraySlice<UInt8>, hashes: Int, quotes: Int) -> (State, Int) {
    let state = State.string(hashes: hashes, isMultiline: quotes == 3)
    let first = rest[rest.startIndex]
    if first == quote {
      let closing = Array(repeating: quote, count: quotes) + Array(repeating: hash, count: hashes)
      return rest.starts(with: closing) ? (.code, closing.count) : (state, 1)
    }
    if hashes == 0, first == UInt8(ascii: "\\") { return (state, 2) }
    // A newline ends a literal that was never closed: such a file does not compile, but the scanner recovers.
    return (quotes == 1 && first == newline ? .code : state, 1)
  }

  private static func openString(_ rest: ArraySlice<UInt8>) -> (State, Int)? {
    let hashes = rest.prefix { $0 == hash }.count
    let quotes = rest.dropFirst(hashes).prefix(3).prefix { $0 == quote }.count
    guard quotes > 0 else { return nil }
    let isMultiline = quotes == 3
    return (.string(hashes: hashes, isMultiline: isMultiline), hashes + (isMultiline ? 3 : 1))
  }
}
