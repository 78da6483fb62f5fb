import Primitives

/// What each layer of one stream takes, measured.
struct LayerRates: BitwiseCopyable {
  /// Highest spatial layer told apart; what is above counts as it.
  static let maximumSpatial: UInt8 = 3
  /// Highest temporal layer told apart; what is above counts as it.
  static let maximumTemporal: UInt8 = 3

  private var meters = InlineArray<16, RateMeter>(
    repeating: RateMeter(interval: LayerRates.interval, weight: LayerRates.weight))
  /// By spatial layer.
  private var keyframes = InlineArray<4, KeyframeMeter>(repeating: KeyframeMeter())
  /// Of the last keyframe.
  private var keyframeTimestamp: UInt32?
  /// Highest layers seen since the last keyframe.
  private(set) var spatial: UInt8 = 0
  private(set) var temporal: UInt8 = 0

  /// A few pictures of each layer even of a sender that is out of breath: one without any would seem to have ended.
  private static let interval = TimeInterval64.milliseconds(1_000)
  /// Of the newest interval: a scene that moves for a moment is no reason to change what viewers see.
  private static let weight = 0.5

  @inline(__always)
  mutating func add(_ bytes: Int, _ layers: PacketLayers, timestamp: UInt32) {
    if layers.startsKeyframe { keyframeTimestamp = timestamp }
    if layers.spatial > spatial { spatial = min(layers.spatial, Self.maximumSpatial) }
    if layers.temporal > temporal { temporal = min(layers.temporal, Self.maximumTemporal) }
    if timestamp == keyframeTimestamp {
      keyframes[Int(layers.spatial & 3)].add(bytes)
    } else {
      meters[Int(layers.spatial & 3) &* 4 &+ Int(layers.temporal & 3)].add(bytes)
    }
  }

  /// Closes the measuring interval when it is over.
  mutating func update(_ now: MonotonicTime) {
    for place in 0..<16 { meters[place].update(now) }
    for place in 0..<4 { keyframes[place].update(now) }
    // A sender that stops a layer must not be waited for.
    while spatial > 0, !isSent(spatial: spatial) { spatial -= 1 }
    while temporal > 0, !isSent(temporal: temporal) { temporal -= 1 }
  }

  /// Bits per second of all that a viewer gets up to a spatial and a temporal layer, RTP payload only.
  func bitsPerSecond(spatial: UInt8, temporal: UInt8) -> Int {
    var sum = 0
    for row in 0...Int(min(spatial, Self.maximumSpatial)) {
      sum &+= keyframes[row].bitsPerSecond
      for column in 0...Int(min(temporal, Self.maximumTemporal)) { sum &+= meters[row * 4 + column].bitsPerSecond }
    }
    return sum
  }

  private func isSent(spatial: UInt8) -> Bool {
    keyframes[Int(spatial)].isActive || (0..<4).contains { meters[Int(spatial) * 4 + $0].isActive }
  }

  private func isSent(temporal: UInt8) -> Bool {
    (0..<4).contains { meters[$0 * 4 + Int(temporal)].isActive }
  }
}
