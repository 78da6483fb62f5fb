import Primitives

/// What a load run does.
package struct LoadPlan: Sendable {
  package var callers = 1
  /// Viewers of each caller.
  package var viewers = 10
  /// How long is measured once everyone is there.
  package var duration = TimeInterval64.seconds(10)
  /// Sessions started a second.
  package var ramp = 50.0
  /// Threads that receive.
  package var threads = 1
  package var localAddress = IPAddress(v4: 0x7f00_0001)
  package var behaviour = LoadReceiver.Behaviour()
  /// Process whose processor time and memory are measured.
  package var serverProcess: Int32?

  package init() {}

  package static let maximumCallers = 1_000
  package static let maximumViewers = 10_000
  package static let maximumThreads = 64
  /// How long a session may take from its offer to its keys.
  package static let connectTimeout = Duration.seconds(15)
  /// How long live video is waited for once everyone is connected: it may begin at the clip's next keyframe only.
  package static let mediaTimeout = Duration.seconds(6)
  /// After the callers have stopped: for what is still under way or has to be asked for again.
  package static let settlingTime = Duration.milliseconds(1_200)
  /// Sessions that may be in negotiation at once.
  package static let maximumPending = 64

  package var sessions: Int { callers * (1 + viewers) }
}
