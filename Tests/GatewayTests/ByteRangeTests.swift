import Gateway
import Testing

struct ByteRangeTests {
  @Test(arguments: [
    (nil, ByteRange.whole), ("", .whole), ("bytes=", .whole), ("bytes", .whole), ("pages=0-1", .whole),
    ("bytes=a-b", .whole), ("bytes=5-4", .whole), ("bytes=-", .whole), ("bytes=+1-2", .whole), ("bytes=--1", .whole),
    ("bytes=0-0", .part(0..<1)), ("bytes=0-99", .part(0..<100)), ("bytes=0-100", .part(0..<100)),
    ("bytes=99-", .part(99..<100)), ("bytes=-1", .part(99..<100)), ("bytes=-500", .part(0..<100)),
    (" Bytes = 1-2 ", .part(1..<3)), ("bytes=,1-2,", .part(1..<3)),
    ("bytes=3-99999999999999999999999", .part(3..<100)), ("bytes=100-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
    ("bytes=99999999999999999999999-", .unsatisfiable), ("bytes=0-1,2-3", .several),
  ])
  func fieldsAreHeldAgainstTheLength(field: String?, expected: ByteRange) {
    #expect(ByteRange(parsing: field, length: 100) == expected)
  }

  @Test(arguments: ["bytes=0-", "bytes=0-0", "bytes=-1"])
  func anEmptyFileHasNoRange(field: String) {
    #expect(ByteRange(parsing: field, length: 0) == .unsatisfiable)
  }
}
