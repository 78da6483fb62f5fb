import Cryptography
import Foundation
import Gateway
import Testing

/// How pages are made quick: styles inside, modules named at once, everything compressed.
@Suite struct PageTests {
  private let assembler = PageAssembler(texts: [
    "shared/a.css": "body { margin: 0 }",
    "x/page.js": "import { b } from \"../shared/b.js\";\nimport {\n  c,\n} from \"./c.js\";\nimport(\"./late.js\");\n",
    "shared/b.js": "export { d } from \"./d.js\";\n", "shared/d.js": "import { b } from \"./b.js\";\n",
    "x/c.js": "// import { e } from nowhere\n", "x/late.js": "",
  ])

  @Test func marksStylesAreInsideAndTheirHashIsTold() throws {
    let page = assembler.assemble(
      "<head><link rel=\"stylesheet\" href=\"/assets/shared/a.css\" data-inline>\n<p>rest</p></head>")
    #expect(page.html.contains("<style>body { margin: 0 }</style>"))
    #expect(!page.html.contains("<link rel=\"stylesheet\""))
    let digest = Data(Digest.sha256(Array("body { margin: 0 }".utf8))).base64EncodedString()
    #expect(page.styleHashes == ["sha256-\(digest)"])
    #expect(ContentSecurityPolicy(styleHashes: page.styleHashes).text.contains("style-src 'self' 'sha256-\(digest)'"))
  }

  @Test func everyModuleThatAPageNeedsIsNamedOnce() {
    let page = assembler.assemble("<script type=\"module\" src=\"/assets/x/page.js\"></script>")
    for path in ["shared/b.js", "x/c.js", "shared/d.js"] {
      #expect(page.html.ranges(of: "<link rel=\"modulepreload\" href=\"/assets/\(path)\">").count == 1, "\(path)")
    }
    #expect(!page.html.contains("late.js"), "what is loaded later is not asked for at once")
    #expect(page.styleHashes.isEmpty)
  }

  @Test(arguments: [
    ("https://tiles.example/{z}/{x}/{y}.png", "https://tiles.example"),
    ("https://t.example:8443/a", "https://t.example:8443"),
  ])
  func tilesComeFromTheirServerAlone(template: String, origin: String) {
    #expect(ContentSecurityPolicy.origin(of: template) == origin)
    #expect(ContentSecurityPolicy(tileOrigin: origin).text.contains("img-src 'self' data: blob: \(origin);"))
  }

  @Test func ourOwnTilesNeedNoMention() {
    #expect(ContentSecurityPolicy.origin(of: "/tiles/{z}/{x}/{y}.png") == nil)
  }

  @Test func whatDoesNotGetSmallerIsLeftAlone() throws {
    #expect(Gzip.compress([]) == nil)
    #expect(Gzip.compress(Array("x".utf8)) == nil)
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 10_000)
    let compressed = try #require(Gzip.compress(text))
    #expect(compressed.prefix(2) == [0x1f, 0x8b])
    #expect(compressed.count < 100)
  }

  @Test func clientsThatTakeGzipGetIt() async throws {
    try await withServer { server in
      let plain = try await server.send("GET", "/assets/shared/page.css")
      #expect(plain["content-encoding"] == nil)
      #expect(plain["vary"]?.contains("Accept-Encoding") == true)
      let tight = try await server.send("HEAD", "/assets/shared/page.css", [("Accept-Encoding", "br, gzip;q=0.5")])
      #expect(tight["content-encoding"] == "gzip")
      let refused = try await server.send("HEAD", "/assets/shared/page.css", [("Accept-Encoding", "gzip;q=0")])
      #expect(refused["content-encoding"] == nil)
    }
  }
}
