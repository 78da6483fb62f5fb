/// What a JSON value has to look like: checks values, and prints itself as JSON Schema (draft 2020-12).
///
/// One description serves validation, the OpenAPI and the AsyncAPI documents, so that they cannot disagree.
package indirect enum Schema: Hashable, Sendable {
  /// Unicode text with so many scalars; control characters other than line feed and tab are refused.
  case string(ClosedRange<Int>, format: Format? = nil)
  case choice([String])
  /// Finite numbers within a closed range.
  case number(ClosedRange<Double>)
  case integer(ClosedRange<Int>)
  case boolean
  case array(Schema, count: ClosedRange<Int>)
  case object([Field])
  /// An object with names of the sender's choice: at most so many, each name at most 64 scalars.
  case dictionary(Schema, maximumCount: Int)
  /// The schema's value, or null: for changes where leaving a member out and taking its value away are two things.
  case nullable(Schema)
  /// Anything, as part of a larger document whose size is bounded elsewhere.
  case any

  /// Texts with a grammar of their own.
  package enum Format: String, Hashable, Sendable, CaseIterable {
    /// RFC 3339 in UTC, such as `2026-11-23T03:11:22.123456Z`.
    case dateTime = "date-time"
    /// Letters, digits, `-` and `_`.
    case identifier
    /// E.164 with a leading plus.
    case phoneNumber = "phone-number"
    case sha256
    case email
    case uri
  }

  /// One member of an object.
  package struct Field: Hashable, Sendable {
    package let name: String
    package let schema: Schema
    package let isRequired: Bool
    /// One sentence for the documents.
    package let note: String

    package static func required(_ name: String, _ schema: Schema, _ note: String) -> Field {
      Field(name: name, schema: schema, isRequired: true, note: note)
    }

    package static func optional(_ name: String, _ schema: Schema, _ note: String) -> Field {
      Field(name: name, schema: schema, isRequired: false, note: note)
    }
  }
}

/// The first thing that is wrong with a value.
package struct SchemaError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where, for example `position.lat`; empty for the value itself.
  package let path: String
  /// What is accepted there, in plain words.
  package let text: String

  package init(path: String, text: String) {
    self.path = path
    self.text = text
  }

  package var description: String { path.isEmpty ? text : "\(path): \(text)" }
}
