import Primitives
import RTP

/// Looks at what a client receives, on the loop's thread; not for the packet path of a server.
package protocol ClientReceiver: AnyObject {
  /// Whether the receiver has seen enough of a packet that is still protected, so that it need not be decrypted.
  func isSatisfied(byProtected packet: UnsafeRawBufferPointer, now: MonotonicTime) -> Bool
  /// One decrypted RTP packet, which had `wireLength` bytes when it came.
  func receiveRTP(_ packet: UnsafeRawBufferPointer, wireLength: Int, now: MonotonicTime)
  func receiveRTCP(_ packets: [RTCPPacket], now: MonotonicTime)
  /// A packet that failed authentication.
  func countRejected()
  /// RTCP to send now, if any is due.
  func dueReport(now: MonotonicTime) -> [UInt8]?
  /// When ``dueReport(now:)`` has something to say.
  var deadline: MonotonicTime { get }
}
