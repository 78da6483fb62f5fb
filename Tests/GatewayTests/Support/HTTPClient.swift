import NIOCore

/// An answer as it came over the wire.
struct HTTPAnswer: Sendable {
  var status: Int
  /// In order, names in lower case.
  var fields: [(name: String, value: String)]
  var body: String

  subscript(_ name: String) -> String? {
    fields.first { $0.name == name }?.value
  }

  func all(_ name: String) -> [String] {
    fields.filter { $0.name == name }.map(\.value)
  }
}

extension RawConnection {
  /// Sends one request and reads its answer.
  func request(
    _ method: String, _ target: String, _ headers: [(String, String)] = [], body: String? = nil
  ) async throws -> HTTPAnswer? {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
    try await send(text + "\r\n" + (body ?? ""))
    return await answer(to: method)
  }

  /// Nil at the end of the stream.
  func answer(to method: String) async -> HTTPAnswer? {
    guard let head = await readHead() else { return nil }
    let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
    let fields = lines.dropFirst().map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      return (name: parts[0].lowercased(), value: parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
    }
    var answer = HTTPAnswer(status: Int(lines[0].split(separator: " ")[1]) ?? 0, fields: fields, body: "")
    let length = answer["content-length"].flatMap(Int.init) ?? 0
    if method != "HEAD", answer.status != 304, length > 0 {
      guard let bytes = await read(length) else { return nil }
      answer.body = String(decoding: bytes, as: UTF8.self)
    }
    return answer
  }
}
