import JSON

/// How to speak to a provider that Sightline does not know.
///
/// `url`, the values of `headers`, and `body` may hold `{{to}}`, `{{text}}`, `{{from}}`, `{{reference}}`, `{{account}}`,
/// `{{secret}}` and `{{receiptURL}}`. What is put in is escaped for where it stands: percent-encoded in the URL and in
/// forms, as a JSON string's content in JSON, as character references in XML.
package struct SMSTemplate: Hashable, Sendable {
  let method: String
  let headers: [OutgoingRequest.Header]
  let body: String
  /// Where the provider's name for the message stands in its JSON answer, such as `messages.0.id`.
  let referencePath: [String]
  /// Names of the parts of a delivery receipt, as paths into JSON or names of form fields.
  let receiptReference: [String]
  let receiptState: [String]
  let receiptDetail: [String]

  /// Longest template, in bytes.
  static let maximumLength = 16_384

  /// How a value is written so that it stays one value.
  enum Escaping {
    case percent, json, xml, none

    init(contentType: String) {
      let type = contentType.lowercased()
      self =
        type.contains("json")
        ? .json : type.contains("x-www-form-urlencoded") ? .percent : type.contains("xml") ? .xml : .none
    }

    func escape(_ value: String) -> String {
      switch self {
      case .percent: FormEncoding.percentEncoded(value)
      case .json: String(JSONValue.string(value).canonical.dropFirst().dropLast())
      case .xml:
        value.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
          .replacing("\"", with: "&quot;").replacing("'", with: "&apos;")
      case .none: value
      }
    }
  }

  init(json: JSONValue) throws(OutgoingError) {
    var headers: [OutgoingRequest.Header] = []
    for (name, value) in (json["headers"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let value = value.string else {
        throw OutgoingError(.invalid, "Each of the SMS settings' headers has to be a text.")
      }
      headers.append(OutgoingRequest.Header(name, value))
    }
    let body = json["body"]?.string ?? ""
    guard body.utf8.count <= Self.maximumLength else {
      throw OutgoingError(.invalid, "The SMS settings' body is longer than \(Self.maximumLength) bytes.")
    }
    let all = [json["url"]?.string ?? "", body] + headers.map(\.value)
    for name in ["{{to}}", "{{text}}"] where !all.contains(where: { $0.contains(name) }) {
      throw OutgoingError(.invalid, "Neither url, headers nor body of the SMS settings hold \(name).")
    }
    method = json["method"]?.string ?? (body.isEmpty ? "GET" : "POST")
    self.headers = headers
    self.body = body
    referencePath = Self.path(json["referencePath"]) ?? []
    receiptReference = Self.path(json["receipt"]?["reference"]) ?? ["reference"]
    receiptState = Self.path(json["receipt"]?["state"]) ?? ["state"]
    receiptDetail = Self.path(json["receipt"]?["detail"]) ?? ["detail"]
  }

  func request(url: String, values: [String: String]) throws(OutgoingError) -> OutgoingRequest {
    let type = headers.first { $0.name.lowercased() == "content-type" }?.value ?? ""
    return try OutgoingRequest(
      method: method, url: Self.fill(url, values, .percent),
      headers: headers.map { OutgoingRequest.Header($0.name, Self.fill($0.value, values, .none)) },
      body: Array(Self.fill(body, values, Escaping(contentType: type)).utf8))
  }

  /// Replaces each placeholder once: a text that holds `{{from}}` itself stays as it is.
  static func fill(_ template: String, _ values: [String: String], _ escaping: Escaping) -> String {
    var output = ""
    var rest = template[...]
    while let open = rest.firstRange(of: "{{") {
      output += rest[..<open.lowerBound]
      let inner = rest[open.upperBound...]
      guard let close = inner.firstRange(of: "}}"), let value = values[inner[..<close.lowerBound].trimmed] else {
        output += "{{"
        rest = inner
        continue
      }
      output += escaping.escape(value)
      rest = inner[close.upperBound...]
    }
    return output + rest
  }

  private static func path(_ value: JSONValue?) -> [String]? {
    value?.string.map { $0.split(separator: ".").map(String.init) }
  }
}

extension JSONValue {
  /// The value at a path of member names and array positions, as text; nil when there is none, or no number or text.
  func text(at path: [String]) -> String? {
    var value = self
    for step in path {
      if let values = value.array {
        guard let index = Int(step), values.indices.contains(index) else { return nil }
        value = values[index]
      } else {
        guard let member = value[step] else { return nil }
        value = member
      }
    }
    return value.string ?? value.integer.map { String($0) }
  }
}
