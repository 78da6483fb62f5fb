/// The entity tag of an ICE session (RFC 9110 §8.8.3, RFC 9725 §4.3.1).
package struct EntityTag: Hashable, Sendable {
  /// The tag with its quotes.
  package let text: String

  /// Quotes `opaque`, leaving out what may not stand in a tag.
  package init(_ opaque: String) {
    let allowed = opaque.unicodeScalars.filter { $0.value >= 0x21 && $0.value < 0x7f && $0 != "\"" && $0 != "," }
    text = "\"\(String(String.UnicodeScalarView(allowed)))\""
  }

  /// An `If-Match` value (RFC 9110 §13.1.1).
  package enum Condition: Hashable, Sendable {
    /// `*`: an ICE restart (RFC 9725 §4.3.3).
    case any
    case tags([String])

    package init(parsing value: String) {
      let items = value.split(separator: ",").map { $0.trimmingSpaces() }
      self = items == ["*"] ? .any : .tags(items)
    }

    package func matches(_ tag: EntityTag) -> Bool {
      switch self {
      case .any: true
      case .tags(let tags): tags.contains(tag.text)
      }
    }

    /// As `If-None-Match` compares: weakly (RFC 9110 §13.1.2).
    package func matchesWeakly(_ tag: EntityTag) -> Bool {
      switch self {
      case .any: true
      case .tags(let tags): tags.contains { $0 == tag.text || $0 == "W/\(tag.text)" }
      }
    }
  }
}

extension StringProtocol {
  /// Without the blanks and tabs around it (RFC 9110 §5.6.3).
  func trimmingSpaces() -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    let head = drop(while: isBlank)
    guard let last = head.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(head[...last])
  }
}
