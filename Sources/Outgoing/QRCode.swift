import CQREncode

/// Draws a text as a QR code (ISO/IEC 18004) by libqrencode.
package enum QRCode {
  /// Longest text, in bytes of UTF-8: what a phone still reads from a screen across a desk.
  package static let maximumLength = 1_024
  /// Light modules on each side (ISO/IEC 18004 §6.3.8).
  package static let quietZone = 4

  /// An SVG picture without a fixed size, one unit a module; nil when `text` is empty, too long or holds a zero byte.
  package static func svg(for text: String) -> String? {
    guard let modules = modules(for: text) else { return nil }
    let side = modules.count + 2 * quietZone
    var path = ""
    for (y, row) in modules.enumerated() {
      var x = 0
      while x < row.count {
        let length = row[x...].prefix { $0 }.count
        if length > 0 { path += "M\(x + quietZone) \(y + quietZone)h\(length)v1h-\(length)z" }
        x += max(length, 1)
      }
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges">\
      <path fill="#fff" d="M0 0h\(side)v\(side)H0z"/><path fill="#000" d="\(path)"/></svg>
      """
  }

  /// Rows of modules, true where dark.
  ///
  /// Error correction M: a finger or a reflection over 15 % of it does not matter.
  private static func modules(for text: String) -> [[Bool]]? {
    let length = text.utf8.count
    guard (1...maximumLength).contains(length), !text.utf8.contains(0) else { return nil }
    guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return nil }
    defer { QRcode_free(code) }
    let width = Int(code.pointee.width)
    guard let data = code.pointee.data else { return nil }
    return (0..<width).map { y in (0..<width).map { x in data[y * width + x] & 1 == 1 } }
  }
}
