/// What a request's `Range` asks for (RFC 9110 §14.2), held against the length of what is there.
package enum ByteRange: Hashable, Sendable {
  /// No range, or none that can be understood, which counts as none.
  case whole
  case part(Range<Int>)
  /// Nothing of what is asked for is there.
  case unsatisfiable
  /// More than one range: this service gives one at a time.
  case several

  package init(parsing field: String?, length: Int) {
    guard let field, let equals = field.firstIndex(of: "="),
      field[..<equals].trimmingSpaces().lowercased() == "bytes"
    else {
      self = .whole
      return
    }
    let items = field[field.index(after: equals)...].split(separator: ",").map { $0.trimmingSpaces() }
      .filter { !$0.isEmpty }
    guard items.count == 1 else {
      self = items.isEmpty ? .whole : .several
      return
    }
    self = Self.single(items[0], length) ?? .whole
  }

  /// `first-last`, `first-` or `-count` (RFC 9110 §14.1.2); nil for anything else.
  private static func single(_ text: String, _ length: Int) -> ByteRange? {
    let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy(isDigit) }) else { return nil }
    // More digits than an Int holds lie beyond any end.
    let numbers = parts.map { $0.isEmpty ? nil : Int($0) ?? .max }
    switch (numbers[0], numbers[1]) {
    case (nil, nil): return nil
    case (nil, let count?):
      return count == 0 || length == 0 ? .unsatisfiable : .part(max(0, length - count)..<length)
    case (let first?, let last):
      if let last, last < first { return nil }
      guard first < length else { return .unsatisfiable }
      return .part(first..<(min(last ?? .max, length - 1) + 1))
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
