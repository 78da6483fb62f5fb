extension Schema {
  /// This schema as JSON Schema (draft 2020-12), as OpenAPI 3.1 and AsyncAPI 3.0 use it.
  package var document: JSONValue {
    switch self {
    case .string(let length, let format): Self.text(length, format)
    case .choice(let words): ["type": "string", "enum": .array(words.map { .string($0) })]
    case .number(let range):
      ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    case .integer(let range):
      ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    case .boolean: ["type": "boolean"]
    case .array(let element, let count):
      [
        "type": "array", "items": element.document, "minItems": .integer(count.lowerBound),
        "maxItems": .integer(count.upperBound),
      ]
    case .object(let fields): Self.object(fields)
    case .dictionary(let element, let maximumCount):
      [
        "type": "object", "additionalProperties": element.document, "maxProperties": .integer(maximumCount),
        "propertyNames": ["maxLength": .integer(Self.maximumNameLength), "minLength": 1],
      ]
    case .nullable(let schema): Self.nullable(schema)
    case .any: [:]
    }
  }

  private static func text(_ length: ClosedRange<Int>, _ format: Format?) -> JSONValue {
    var members: [String: JSONValue] = [
      "type": "string", "minLength": .integer(length.lowerBound), "maxLength": .integer(length.upperBound),
    ]
    if let pattern = format?.pattern {
      members["pattern"] = .string(pattern)
    } else if let format {
      members["format"] = .string(format.rawValue)
    } else {
      members["pattern"] = .string(#"^[^\u0000-\u0007\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"#)
    }
    return .object(members)
  }

  /// The schema's own keywords say nothing of null, but for its type and its words.
  private static func nullable(_ schema: Schema) -> JSONValue {
    guard case .object(var members) = schema.document else { return [:] }
    if let type = members["type"] { members["type"] = [type, "null"] }
    if let words = members["enum"]?.array { members["enum"] = .array(words + [.null]) }
    return .object(members)
  }

  private static func object(_ fields: [Field]) -> JSONValue {
    var properties: [String: JSONValue] = [:]
    for field in fields {
      guard case .object(var schema) = field.schema.document else { continue }
      schema["description"] = .string(field.note)
      properties[field.name] = .object(schema)
    }
    return [
      "type": "object", "properties": .object(properties), "additionalProperties": false,
      "required": .array(fields.filter(\.isRequired).map { .string($0.name) }),
    ]
  }
}
