import HTTPTypes
import Hummingbird
import NIOCore

/// Something of known length that is sent whole or by one range of bytes (RFC 9110 §14), read while it is sent.
struct RangedContent: Sendable {
  let length: Int
  let tag: EntityTag
  /// Type, policy and what else is the same for every answer.
  let headers: HTTPFields
  /// At most a piece of what is there, from the beginning of the range; nothing means that it cannot go on.
  let read: @Sendable (Range<Int>) async throws -> [UInt8]

  /// The answer to `request`; `willSend` is called before anything of the content goes out, and may refuse it.
  func response(
    to request: Request, willSend: () async throws -> Void = {}
  ) async throws -> Response {
    var headers = headers
    headers[.eTag] = tag.text
    headers[.acceptRanges] = "bytes"
    let fields = request.headers
    if fields[.ifNoneMatch].map(EntityTag.Condition.init(parsing:))?.matchesWeakly(tag) == true {
      return Response(status: .notModified, headers: headers)
    }
    let isCurrent = fields[.ifRange].map { $0.trimmingSpaces() == tag.text } ?? true
    let range: Range<Int>
    var isPart = false
    switch ByteRange(parsing: isCurrent ? fields[.range] : nil, length: length) {
    case .whole: range = 0..<length
    case .part(let part): (range, isPart) = (part, true)
    case .unsatisfiable: throw refusal("The file has \(length) bytes; ask for some of them.")
    case .several: throw refusal("One range at a time: send a request for each.")
    }
    if isPart { headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)" }
    let status: HTTPResponse.Status = isPart ? .partialContent : .ok
    if request.method != .head { try await willSend() }
    return Response(status: status, headers: headers, body: body(range))
  }

  private func refusal(_ text: String) -> Problem {
    Problem(.rangeNotSatisfiable, text, headers: [.contentRange: "bytes */\(length)"])
  }

  /// Reads a piece when the one before was taken, so that a slow client costs one piece of memory.
  private func body(_ range: Range<Int>) -> ResponseBody {
    let read = read
    return ResponseBody(contentLength: range.count) { writer in
      var next = range.lowerBound
      while next < range.upperBound {
        let piece = try await read(next..<range.upperBound)
        guard !piece.isEmpty else { throw Problem.internalError }
        try await writer.write(ByteBuffer(bytes: piece))
        next += piece.count
      }
      try await writer.finish(nil)
    }
  }
}
