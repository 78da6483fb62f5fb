/// Up to which layers a slot forwards a stream.
struct LayerCut: BitwiseCopyable, Equatable {
  var spatial: UInt8
  var temporal: UInt8

  /// Everything.
  static let all = LayerCut(spatial: .max, temporal: .max)

  @inline(__always)
  func includes(_ layers: PacketLayers) -> Bool {
    layers.spatial <= spatial && layers.temporal <= temporal
  }

  /// The cut from a new picture on, of which `packet` is the first.
  ///
  /// Down at once. Up in time where the sender says that the frame needs none that was left out; up in space only where
  /// a picture needs no other: at a keyframe.
  func moved(towards goal: LayerCut, at packet: PacketLayers) -> LayerCut {
    if packet.startsKeyframe { return goal }
    var cut = LayerCut(spatial: min(spatial, goal.spatial), temporal: min(temporal, goal.temporal))
    if packet.temporal > cut.temporal, packet.temporal <= goal.temporal, packet.isSwitchPoint {
      cut.temporal = packet.temporal
    }
    return cut
  }
}
