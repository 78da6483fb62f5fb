/// An `a=` line: `a=name` or `a=name:value` (RFC 8866 §5.13).
package struct SDPAttribute: Sendable {
  package var name: String
  /// What follows the first colon; nil for a property attribute such as `a=rtcp-mux`.
  package var value: String?
  /// 1-based line that it was parsed from; 0 for an attribute that we wrote.
  package var line: Int

  package init(_ name: String, _ value: String? = nil, line: Int = 0) {
    self.name = name
    self.value = value
    self.line = line
  }

  /// The line as text, without its end.
  package var text: String { value.map { "a=\(name):\($0)" } ?? "a=\(name)" }

  init(parsing line: SDPLine) throws(SDPError) {
    let (name, value) = line.value.splitOnce(":").map { (String($0), String($1)) } ?? (line.value, nil)
    guard name.isToken else {
      throw SDPError(.malformed, line: line.number, text: line.text, reason: "the attribute has no proper name")
    }
    self.init(name, value, line: line.number)
  }

  /// An error about this line.
  func malformed(_ reason: String) -> SDPError {
    SDPError(.malformed, line: line, text: text, reason: reason)
  }

  /// The value, for attributes that must have one; it holds at least one word.
  func requiredValue() throws(SDPError) -> String {
    guard let value, !value.trimmed.isEmpty else { throw malformed("the attribute needs a value") }
    return value
  }
}

extension SDPAttribute: Hashable {
  /// Compares name and value: the line is only where it came from.
  package static func == (left: SDPAttribute, right: SDPAttribute) -> Bool {
    left.name == right.name && left.value == right.value
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(value)
  }
}

/// Something that holds attributes: the session or a media section.
package protocol SDPAttributeHolder {
  var attributes: [SDPAttribute] { get }
}

extension SDPAttributeHolder {
  /// The first attribute with that name.
  package func attribute(_ name: String) -> SDPAttribute? {
    attributes.first { $0.name == name }
  }

  /// Every attribute with that name, in order.
  package func attributes(_ name: String) -> [SDPAttribute] {
    attributes.filter { $0.name == name }
  }

  package func has(_ name: String) -> Bool {
    attribute(name) != nil
  }
}
