import MediaClient
import Primitives
import Testing

@Suite("Delay stamps")
struct DelayStampTests {
  @Test(arguments: [48, 49, 1_140])
  func `a stamped payload tells its time and keeps its beginning`(length: Int) {
    var payload = [UInt8](repeating: 9, count: length)
    payload.withUnsafeMutableBytes { bytes in
      #expect(DelayStamp.write(.ms(123), into: bytes))
      #expect(DelayStamp.read(UnsafeRawBufferPointer(bytes)) == .ms(123))
    }
    #expect(payload.dropLast(DelayStamp.length).allSatisfy { $0 == 9 })
  }

  @Test(arguments: [0, 1, 15, 16, 47])
  func `a payload that is too short is left alone`(length: Int) {
    var payload = [UInt8](repeating: 9, count: length)
    payload.withUnsafeMutableBytes { bytes in
      #expect(!DelayStamp.write(.ms(1), into: bytes))
      #expect(DelayStamp.read(UnsafeRawBufferPointer(bytes)) == nil)
    }
    #expect(payload == [UInt8](repeating: 9, count: length))
  }

  @Test func `a payload that nobody stamped has no time`() {
    let payload = [UInt8](repeating: 9, count: 100)
    #expect(payload.withUnsafeBytes { DelayStamp.read($0) } == nil)
  }
}
