import Foundation
import Outgoing
import Testing

@Suite("QR code")
struct QRCodeTests {
  @Test("the picture has a quiet zone of four modules on a white ground")
  func hasQuietZone() throws {
    let svg = try #require(QRCode.svg(for: "https://example.org/c/abc"))
    // Version 2 at level M holds 26 bytes: 25 modules, and four on each side.
    #expect(svg.contains(#"viewBox="0 0 33 33""#))
    #expect(svg.contains(##"<path fill="#fff" d="M0 0h33v33H0z"/>"##))
    // The three finders' outer edges begin at 4.
    #expect(svg.contains("M4 4h7v1h-7z"))
    #expect(svg.contains("M22 4h7v1h-7z"))
    #expect(svg.contains("M4 22h7v1h-7z"))
  }

  @Test("what no code can hold gives none")
  func refuses() {
    #expect(QRCode.svg(for: "") == nil)
    #expect(QRCode.svg(for: "a\0b") == nil)
    #expect(QRCode.svg(for: String(repeating: "x", count: QRCode.maximumLength + 1)) == nil)
    #expect(QRCode.svg(for: String(repeating: "x", count: QRCode.maximumLength)) != nil)
  }

  static let tools = ["/usr/bin/rsvg-convert", "/usr/bin/zbarimg"]

  @Test(
    "another program reads the text back",
    .enabled("librsvg2-bin and zbar-tools are installed") {
      tools.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
    },
    arguments: ["x", "https://sightline.example.org/c/eyJhbGciOiJFZERTQSJ9.abc-_~?lang=de#open"])
  func isReadable(_ text: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "qr-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (svg, png) = (folder.appending(path: "code.svg").path, folder.appending(path: "code.png").path)
    try #require(QRCode.svg(for: text)).write(toFile: svg, atomically: true, encoding: .utf8)
    _ = try Self.run(Self.tools[0], ["-w", "600", "-o", png, svg])
    #expect(try Self.run(Self.tools[1], ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", png]) == text + "\n")
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }
}
