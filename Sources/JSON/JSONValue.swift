/// Any JSON value (RFC 8259), with numbers as IEEE 754 doubles (RFC 7493 §2.2).
///
/// What a program wants to keep exactly beyond 2^53 travels as a string.
package enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// Finite: JSON has no infinities and no NaN.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue {
  /// Largest integer that a double holds exactly, and all below it (RFC 7493 §2.2).
  package static let maximumInteger = 9_007_199_254_740_991

  /// An integer; must be within plus or minus ``maximumInteger`` to be exact.
  package static func integer(_ value: some BinaryInteger) -> JSONValue { .number(Double(value)) }

  package var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var double: Double? {
    if case .number(let value) = self { value } else { nil }
  }

  /// The number, if it is whole and exact.
  package var integer: Int? {
    guard case .number(let value) = self, value == value.rounded(.towardZero),
      value.magnitude <= Double(Self.maximumInteger)
    else { return nil }
    return Int(value)
  }

  package var array: [JSONValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  package var object: [String: JSONValue]? {
    if case .object(let members) = self { members } else { nil }
  }

  package var isNull: Bool { self == .null }

  /// The member of an object; nil for another value or a missing member.
  package subscript(_ name: String) -> JSONValue? { object?[name] }

  /// An object of the members that are there.
  package static func members(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    var object: [String: JSONValue] = [:]
    for (name, value) in members {
      if let value { object[name] = value }
    }
    return .object(object)
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .number(Double(value)) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(nilLiteral: ()) { self = .null }

  /// Later members win over earlier ones of the same name.
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
  }
}
