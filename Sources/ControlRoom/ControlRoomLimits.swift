import Primitives

/// Every bound of the control room that an operator may want to move.
package struct ControlRoomLimits: Sendable {
  /// Messages that wait for a reader before it falls back to reading the journal at its own pace.
  package var maximumInFlight = 256
  /// Events in one step of catching up.
  package var catchUpPage = 128
  /// A reader that takes no message for this long is sent away.
  package var slowReaderTimeout = Duration.seconds(15)
  /// Latest events of an incident kept in memory, so that short interruptions cost no reading.
  package var recentEvents = 512
  /// Incidents kept in memory; beyond it the closed ones that rest longest are put away.
  package var maximumIncidents = 4_096
  /// Incidents that one connection follows at a time.
  package var maximumSubscriptions = 256
  /// Durable messages a second and person, and how many at once.
  package var durableRate = 50.0
  package var durableBurst = 200.0
  /// Ephemeral messages a second and person, and how many at once.
  package var ephemeralRate = 50.0
  package var ephemeralBurst = 200.0
  /// Bytes of one metadata message.
  package var maximumMessageBytes = 64 << 10

  package init() {}
}
