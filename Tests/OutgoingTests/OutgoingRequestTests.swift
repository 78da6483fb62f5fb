import Outgoing
import Testing

@Suite("Outgoing request")
struct OutgoingRequestTests {
  @Test(
    "an address of another kind is refused",
    arguments: [
      "", "example.org", "ftp://example.org/", "file:///etc/passwd", "http://", "https:///path", "http://user:pw@host/",
      "http://host/a b", "http://host/\r\nX: y", "http://ho\u{7f}st/", "http://bücher.example/", "gopher://x",
      "http://" + String(repeating: "a", count: 5_000),
    ])
  func refusesAddress(_ url: String) {
    #expect(throws: OutgoingError.self) { try OutgoingRequest(url: url) }
  }

  @Test(
    "the host is found",
    arguments: [
      ("https://Example.org:8443/a?b@c", "example.org"), ("http://[::1]:80/", "::1"), ("HTTP://10.0.0.1", "10.0.0.1"),
    ])
  func findsHost(_ url: String, _ host: String) {
    #expect(OutgoingRequest.host(of: url) == host)
  }

  @Test(
    "a header that could end its line early is refused",
    arguments: [("X", "a\r\nY: b"), ("X\n", "a"), ("", "a"), ("a b", "c"), ("a:", "c"), ("X", "a\0")])
  func refusesHeader(_ name: String, _ value: String) {
    #expect(throws: OutgoingError.self) {
      try OutgoingRequest(url: "http://host/", headers: [.init(name, value)])
    }
  }

  @Test("a method that is no word in capitals is refused", arguments: ["", "post", "GET /x", "A\nB"])
  func refusesMethod(_ method: String) {
    #expect(throws: OutgoingError.self) { try OutgoingRequest(method: method, url: "http://host/") }
  }

  @Test("its description shows no path and no header")
  func describesItself() throws {
    let request = try OutgoingRequest(url: "https://host/secret?to=+49", headers: [.init("Authorization", "secret")])
    #expect("\(request)" == "POST to host")
  }
}
