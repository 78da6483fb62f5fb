import Primitives
import Sockets

/// What a ``ClientLoop`` drives: one session on a socket of its own.
package protocol ClientLoopPeer: AnyObject {
  var socket: UDPSocket { get }
  /// Whether the session has ended; the loop lets go of it then.
  var isClosed: Bool { get }
  /// When ``tick(now:wall:)`` has something to do.
  var wakeAt: MonotonicTime { get }

  func start(now: MonotonicTime)
  /// Takes one datagram, which the kernel had at `arrival`.
  func receive(
    _ datagram: UnsafeMutableRawBufferPointer, from sender: TransportAddress, arrival: MonotonicTime, now: MonotonicTime
  )
  /// To be called after a run of datagrams, so that ``wakeAt`` is right.
  func finishReceiving(now: MonotonicTime)
  func tick(now: MonotonicTime, wall: NTPTimestamp)
  func close(now: MonotonicTime)
}

/// A session that may play a clip.
package protocol ClipPlayback: AnyObject {
  /// What the player has done; zeros without one.
  var playerCounters: ClipPlayerCounters { get }
  /// Sends nothing new from now on; what was sent can still be asked for again.
  func stopPlaying()
}
