import Cryptography
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Primitives

/// The files of a folder, read once, compressed once and kept in memory: what is not in the table cannot be asked for.
struct StaticFiles: Sendable {
  struct File: Sendable {
    let type: String
    let tag: EntityTag
    let content: ByteBuffer
    /// The same as gzip, where that is smaller.
    let compressed: ByteBuffer?
    /// Of a page that carries styles inside.
    let policy: (@Sendable () -> ContentSecurityPolicy)?
  }

  private let files: [String: File]

  /// Bytes of all files together; a folder with more is refused at the start.
  static let maximumBytes = 32 << 20

  /// Reads `folder` and everything below it, under paths relative to it, and a folder of the machine's map library, whose
  /// files come under `leaflet/`; without it there are no maps.
  init(folder: URL, mapLibrary: URL? = nil, policy: @escaping @Sendable () -> ContentSecurityPolicy) throws {
    var bytes = try Self.read(folder)
    if let mapLibrary {
      let library = try Self.read(mapLibrary)
      for name in Self.mapLibraryFiles { bytes["leaflet/\(name)"] = library[name] }
    }
    let total = bytes.values.reduce(0) { $0 + $1.count }
    guard total <= Self.maximumBytes else { throw FolderTooLarge(folder: folder.lastPathComponent) }
    let texts = bytes.filter { $0.key.hasSuffix(".js") || $0.key.hasSuffix(".css") }
    let assembler = PageAssembler(texts: texts.mapValues { String(decoding: $0, as: UTF8.self) })
    var files: [String: File] = [:]
    for (name, content) in bytes {
      guard name.hasSuffix(".html") else {
        files[name] = File(name, content, policy: nil)
        continue
      }
      let page = assembler.assemble(String(decoding: content, as: UTF8.self))
      let own: @Sendable () -> ContentSecurityPolicy = {
        var own = policy()
        own.styleHashes = page.styleHashes
        return own
      }
      files[name] = File(name, Array(page.html.utf8), policy: page.styleHashes.isEmpty ? nil : own)
    }
    self.files = files
  }

  /// What pages use of Leaflet as Debian packages it (libjs-leaflet).
  private static let mapLibraryFiles: Set<String> = ["leaflet.esm.min.js", "leaflet.css"]

  private static func read(_ folder: URL) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    let root = folder.resolvingSymlinksInPath().path + "/"
    for case let url as URL in FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) ?? .init() {
      guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
      let path = url.resolvingSymlinksInPath().path
      let name = path.hasPrefix(root) ? String(path.dropFirst(root.count)) : url.lastPathComponent
      files[name] = try [UInt8](Data(contentsOf: url))
    }
    return files
  }

  /// The folder of pages holds more than ``maximumBytes``.
  struct FolderTooLarge: Error, CustomStringConvertible {
    let folder: String
    var description: String { "the folder \(folder) holds more than \(StaticFiles.maximumBytes) bytes" }
  }

  subscript(_ name: String) -> File? { files[name] }

  /// Whether pages can show maps.
  var hasMapLibrary: Bool { files["leaflet/leaflet.esm.min.js"] != nil }
}

extension StaticFiles.File {
  init(_ name: String, _ bytes: [UInt8], policy: (@Sendable () -> ContentSecurityPolicy)?) {
    let fileExtension = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
    type = Self.type(of: fileExtension)
    tag = EntityTag(Hex.encode(Digest.sha256(bytes).prefix(16)))
    content = ByteBuffer(bytes: bytes)
    compressed = Self.compressible.contains(fileExtension) ? Gzip.compress(bytes).map(ByteBuffer.init(bytes:)) : nil
    self.policy = policy
  }

  private static let compressible: Set<String> = ["html", "js", "mjs", "css", "json", "map", "svg", "txt", "md"]

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

  /// 200 with the file, or 304 when the client has this very version.
  ///
  /// Clients ask each time: names carry no version.
  func response(to request: Request) -> Response {
    // Weak: it names the content, compressed or not (RFC 9110 §8.8.3.3).
    var fields: HTTPFields = [.eTag: "W/\(tag.text)", .cacheControl: "no-cache", .vary: "Accept-Encoding"]
    if let policy { fields[.contentSecurityPolicy] = policy().text }
    let condition = request.headers[.ifNoneMatch].map(EntityTag.Condition.init(parsing:))
    if condition?.matchesWeakly(tag) == true {
      return Response(status: .notModified, headers: fields)
    }
    fields[.contentType] = type
    guard let compressed, request.takesGzip else {
      return Response(status: .ok, headers: fields, body: .init(byteBuffer: content))
    }
    fields[.contentEncoding] = "gzip"
    return Response(status: .ok, headers: fields, body: .init(byteBuffer: compressed))
  }
}

extension Request {
  /// Whether the client takes gzip (RFC 9110 §12.5.3).
  fileprivate var takesGzip: Bool {
    let codings = headers[values: .acceptEncoding].flatMap { $0.split(separator: ",") }
    return codings.contains { coding in
      let parts = coding.split(separator: ";").map { $0.trimmingSpaces().lowercased() }
      guard let name = parts.first, name == "gzip" || name == "*" else { return false }
      return !parts.dropFirst().contains { $0 == "q=0" || $0.hasPrefix("q=0.000") || $0 == "q=0.0" || $0 == "q=0.00" }
    }
  }
}
