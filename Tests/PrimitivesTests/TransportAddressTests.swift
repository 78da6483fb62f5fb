import Primitives
import Testing

@Suite struct TransportAddressTests {
  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1"), ("::", "::"), ("::1", "::1"), ("2001:db8::1", "2001:db8::1"),
    ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:192.0.2.9", "192.0.2.9"),
    ("fe80:0:0:0:1:2:3:4", "fe80::1:2:3:4"), ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
  ])
  func parsesAndPrints(text: String, canonical: String) {
    #expect(IPAddress(text)?.description == canonical)
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.256", "1.2.3.4.5", "+1.2.3.4", "1::2::3", ":::", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0", "g::",
  ])
  func refuses(text: String) {
    #expect(IPAddress(text) == nil)
  }
}
