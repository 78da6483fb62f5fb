import Primitives

extension Schema {
  /// Longest name of a member of the sender's choice, in Unicode scalars.
  static let maximumNameLength = 64

  /// Throws the first thing that is wrong with `value`; members that the schema does not know are wrong too.
  package func validate(_ value: JSONValue) throws(SchemaError) {
    try validate(value, at: "")
  }

  private func validate(_ value: JSONValue, at path: String) throws(SchemaError) {
    switch (self, value) {
    case (.any, _), (.boolean, .bool), (.nullable, .null): return
    case (.nullable(let schema), _): try schema.validate(value, at: path)
    case (.string(let length, let format), .string(let text)):
      try Self.check(text, length, format, path)
    case (.choice(let words), .string(let text)):
      guard words.contains(text) else { throw refusal(path) }
    case (.number(let range), .number(let number)):
      guard range.contains(number) else { throw refusal(path) }
    case (.integer(let range), .number):
      guard let integer = value.integer, range.contains(integer) else { throw refusal(path) }
    case (.array(let element, let count), .array(let values)):
      guard count.contains(values.count) else { throw refusal(path) }
      for (index, value) in values.enumerated() { try element.validate(value, at: "\(path)[\(index)]") }
    case (.dictionary(let element, let maximumCount), .object(let members)):
      guard members.count <= maximumCount else { throw refusal(path) }
      for (name, value) in members {
        try Self.check(name, 1...Self.maximumNameLength, nil, path)
        try element.validate(value, at: Self.join(path, name))
      }
    case (.object(let fields), .object(let members)):
      try Self.check(members, fields, path)
    case (.string, _), (.choice, _), (.number, _), (.integer, _), (.boolean, _), (.array, _), (.object, _),
      (.dictionary, _):
      throw refusal(path)
    }
  }

  private func refusal(_ path: String) -> SchemaError {
    SchemaError(path: path, text: "has to be \(expectation).")
  }

  /// What is accepted, in plain words.
  private var expectation: String {
    switch self {
    case .string(let length, let format):
      "text of \(length.lowerBound) to \(length.upperBound) characters" + (format.map { " (\($0.rawValue))" } ?? "")
    case .choice(let words): "one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")
    case .number(let range):
      "a number from \(JSONValue.numberText(range.lowerBound)) to \(JSONValue.numberText(range.upperBound))"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .boolean: "true or false"
    case .array(_, let count): "a list of \(count.lowerBound) to \(count.upperBound) values"
    case .object: "an object"
    case .dictionary(_, let maximumCount): "an object of at most \(maximumCount) members"
    case .nullable(let schema): schema.expectation + ", or null"
    case .any: "a value"
    }
  }

  private static func join(_ path: String, _ name: String) -> String {
    path.isEmpty ? name : "\(path).\(name)"
  }

  // MARK: - Objects

  private static func check(
    _ members: [String: JSONValue], _ fields: [Field], _ path: String
  ) throws(SchemaError) {
    for field in fields {
      guard let value = members[field.name] else {
        if field.isRequired { throw SchemaError(path: join(path, field.name), text: "is missing.") }
        continue
      }
      if value.isNull, !field.isRequired, !field.schema.takesNull {
        throw SchemaError(path: join(path, field.name), text: "is null. Leave it out instead.")
      }
      try field.schema.validate(value, at: join(path, field.name))
    }
    guard members.count > fields.count || !members.keys.allSatisfy({ name in fields.contains { $0.name == name } })
    else { return }
    let unknown = members.keys.filter { name in !fields.contains { $0.name == name } }.sorted()
    guard let name = unknown.first else { return }
    let known = fields.map(\.name).joined(separator: ", ")
    throw SchemaError(
      path: join(path, String(name.prefix(maximumNameLength))), text: "is not known here. Known: \(known).")
  }

  private var takesNull: Bool {
    switch self {
    case .nullable: true
    case .any, .string, .choice, .number, .integer, .boolean, .array, .object, .dictionary: false
    }
  }

  // MARK: - Text

  private static func check(
    _ text: String, _ length: ClosedRange<Int>, _ format: Format?, _ path: String
  ) throws(SchemaError) {
    // UTF-8 is at most four bytes a scalar: a text that is too long is not counted out.
    guard !text.unicodeScalars.prefix(length.upperBound).contains(where: isControl) else {
      throw SchemaError(path: path, text: "has a control character in it. Leave it out; tabs and new lines are taken.")
    }
    guard text.utf8.count <= length.upperBound * 4, length.contains(text.unicodeScalars.count),
      format?.accepts(text) ?? true
    else { throw Schema.string(length, format: format).refusal(path) }
  }

  /// Control characters other than those of writing: tab, line feed, and backspace for real-time text.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    (scalar.value < 0x20 && ![0x08, 0x09, 0x0a, 0x0d].contains(scalar.value)) || (0x7f...0x9f).contains(scalar.value)
  }
}

extension Schema.Format {
  func accepts(_ text: String) -> Bool {
    switch self {
    case .dateTime: return UTCTime(text) != nil
    case .identifier:
      return text.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    case .phoneNumber:
      let digits = text.utf8.dropFirst()
      return text.utf8.first == UInt8(ascii: "+") && (5...15).contains(digits.count)
        && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    case .sha256: return text.utf8.count == 64 && Hex.decode(text) != nil && text == text.lowercased()
    case .email:
      let parts = text.split(separator: "@", omittingEmptySubsequences: false)
      return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty
        && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ";") }
    case .uri:
      return text.contains("://") && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
  }

  /// A regular expression for documents (ECMA-262), where JSON Schema has no format of the name.
  var pattern: String? {
    switch self {
    case .dateTime, .email, .uri: nil
    case .identifier: "^[A-Za-z0-9_-]+$"
    case .phoneNumber: #"^\+[0-9]{5,15}$"#
    case .sha256: "^[0-9a-f]{64}$"
    }
  }
}
