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
enum CodeScanner {
  private enum State: Equatable {
    case code
    case lineComment
    case blockComment(depth: Int)
    /// `hashes` of a raw string; `isMultiline` for `"""`.
    case string(hashes: Int, isMultiline: Bool)
  }

  static func code(of text: String) -> String {
    let source = Array(text)
    var result = ""
    var state = State.code
    var place = 0
    while place < source.count {
      let (next, length) = step(state, source, place)
      let character = source[place]
      if state == .code, next == .code || character == "\"" || character == "#" {
        result.append(contentsOf: source[place..<min(place + length, source.count)])
      } else {
        result.append(contentsOf: source[place..<min(place + length, source.count)].filter(\.isNewline))
      }
      state = next
      place += length
    }
    return result
  }

  /// The state after what stands at `place`, and how many characters that was.
  private static func step(_ state: State, _ source: [Character], _ place: Int) -> (State, Int) {
    func matches(_ text: String) -> Bool {
      place + text.count <= source.count && source[place..<(place + text.count)].elementsEqual(text)
    }
    switch state {
    case .code:
      if matches("//") { return (.lineComment, 2) }
      if matches("/*") { return (.blockComment(depth: 1), 2) }
      return openString(source, place) ?? (.code, 1)
    case .lineComment:
      return (source[place].isNewline ? .code : .lineComment, 1)
    case .blockComment(let depth):
      if matches("/*") { return (.blockComment(depth: depth + 1), 2) }
      if matches("*/") { return (depth == 1 ? .code : .blockComment(depth: depth - 1), 2) }
      return (state, 1)
    case .string(let hashes, let isMultiline):
      let closing = String(repeating: "\"", count: isMultiline ? 3 : 1) + String(repeating: "#", count: hashes)
      if matches(closing) { return (.code, closing.count) }
      if hashes == 0, source[place] == "\\" { return (state, 2) }
      // A newline ends a literal that was never closed: such a file does not compile, but the scanner recovers.
      if !isMultiline, source[place].isNewline { return (.code, 1) }
      return (state, 1)
    }
  }

  private static func openString(_ source: [Character], _ place: Int) -> (State, Int)? {
    var quote = place
    while quote < source.count, source[quote] == "#" { quote += 1 }
    guard quote < source.count, source[quote] == "\"" else { return nil }
    let hashes = quote - place
    let isMultiline = quote + 2 < source.count && source[quote + 1] == "\"" && source[quote + 2] == "\""
    return (.string(hashes: hashes, isMultiline: isMultiline), hashes + (isMultiline ? 3 : 1))
  }
}
