import Cryptography
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Primitives

/// The files of a folder, read once and kept in memory: what is not in the table cannot be asked for.
struct StaticFiles: Sendable {
  struct File: Sendable {
    let type: String
    let tag: EntityTag
    let content: ByteBuffer
  }

  private let files: [String: File]

  /// Bytes of all files together; a folder with more is refused at the start.
  static let maximumBytes = 32 << 20

  /// Reads `folder` and everything below it, under paths relative to it.
  init(folder: URL) throws {
    var files: [String: File] = [:]
    var total = 0
    let root = folder.resolvingSymlinksInPath().path + "/"
    for case let url as URL in FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) ?? .init() {
      guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
      let bytes = try [UInt8](Data(contentsOf: url))
      total += bytes.count
      guard total <= Self.maximumBytes else { throw FolderTooLarge(folder: folder.lastPathComponent) }
      let path = url.resolvingSymlinksInPath().path
      let name = path.hasPrefix(root) ? String(path.dropFirst(root.count)) : url.lastPathComponent
      files[name] = File(
        type: Self.type(of: url.pathExtension.lowercased()),
        tag: EntityTag(Hex.encode(Digest.sha256(bytes).prefix(16))), content: ByteBuffer(bytes: bytes))
    }
    self.files = files
  }

  /// The folder of pages holds more than ``maximumBytes``.
  struct FolderTooLarge: Error, CustomStringConvertible {
    let folder: String
    var description: String { "the folder \(folder) holds more than \(StaticFiles.maximumBytes) bytes" }
  }

  subscript(_ name: String) -> File? { files[name] }

  private static func type(of fileExtension: String) -> String {
    switch fileExtension {
    case "html": "text/html; charset=utf-8"
    case "js", "mjs": "text/javascript; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "json", "map": "application/json"
    case "webmanifest": "application/manifest+json"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    case "jpg", "jpeg": "image/jpeg"
    case "ico": "image/x-icon"
    case "woff2": "font/woff2"
    case "mp3": "audio/mpeg"
    case "txt", "md": "text/plain; charset=utf-8"
    default: "application/octet-stream"
    }
  }
}

extension StaticFiles.File {
  /// 200 with the file, or 304 when the client has this very version.
  ///
  /// Clients ask each time: names carry no version.
  func response(to request: Request) -> Response {
    let headers: HTTPFields = [.eTag: tag.text, .cacheControl: "no-cache"]
    let condition = request.headers[.ifNoneMatch].map(EntityTag.Condition.init(parsing:))
    if condition?.matchesWeakly(tag) == true {
      return Response(status: .notModified, headers: headers)
    }
    var fields = headers
    fields[.contentType] = type
    return Response(status: .ok, headers: fields, body: .init(byteBuffer: content))
  }
}
