import Primitives
import RTP

/// Where a packet stands among the layers of its stream, read once when it arrives.
struct PacketLayers: BitwiseCopyable, Equatable {
  var spatial: UInt8 = 0
  var temporal: UInt8 = 0
  /// The last packet of its layer's frame, as far as the payload tells.
  var endsFrame = false
  /// A viewer who gets the lower temporal layers may get this one from here on.
  var isSwitchPoint = false
  /// Whether the payload starts with a VP8 descriptor whose picture id counts frames.
  var countsPictures = false
  /// VP8's running numbers of pictures and of base layer frames (RFC 7741 §4.2).
  var pictureID: UInt16 = 0
  var baseLayerIndex: UInt8 = 0
  /// The first packet of a picture that needs no other.
  var startsKeyframe = false

  init() {}

  /// Reads what `payload` says; a dependency descriptor, where there is one, knows better.
  @inline(__always)
  init(
    _ payload: UnsafeRawBufferPointer, codec: VideoCodec, descriptor: UnsafeRawBufferPointer?, templates: TemplateLayers
  ) {
    switch codec {
    case .vp8: readVP8(payload)
    case .vp9: readVP9(payload)
    case .h264, .av1: startsKeyframe = codec.isKeyframeStart(payload)
    }
    guard let descriptor, descriptor.count >= DependencyDescriptor.mandatoryLength else { return }
    guard let template = templates[descriptor[0] & 0x3f] else { return }
    (spatial, temporal) = (template.spatial, template.temporal)
    isSwitchPoint = template.isSwitchPoint
    endsFrame = descriptor[0] & 0x40 != 0
  }

  @inline(__always)
  private mutating func readVP8(_ payload: UnsafeRawBufferPointer) {
    guard let descriptor = try? VP8Descriptor(parsing: payload) else { return }
    temporal = descriptor.temporalLayer
    isSwitchPoint = descriptor.isLayerSync
    countsPictures = descriptor.pictureIDBits != 0
    pictureID = descriptor.pictureID
    baseLayerIndex = descriptor.baseLayerIndex
    startsKeyframe = descriptor.isKeyframeStart
  }

  @inline(__always)
  private mutating func readVP9(_ payload: UnsafeRawBufferPointer) {
    guard let descriptor = try? VP9Descriptor(parsing: payload) else { return }
    spatial = min(descriptor.spatialLayer, LayerRates.maximumSpatial)
    temporal = min(descriptor.temporalLayer, LayerRates.maximumTemporal)
    isSwitchPoint = descriptor.isSwitchingUpPoint
    endsFrame = descriptor.endsFrame
    startsKeyframe = descriptor.isKeyframeStart
  }
}

/// What the templates of a stream's dependency structure say about layers (AV1 RTP specification, appendix A.8.2).
///
/// Packet path: a look-up is one load.
struct TemplateLayers: BitwiseCopyable {
  struct Template: BitwiseCopyable, Equatable {
    var spatial: UInt8
    var temporal: UInt8
    var isSwitchPoint: Bool
  }

  /// By template id: 0 for none, else 0x80, the switch point as 0x40, spatial layer << 3, temporal layer.
  private var packed = InlineArray<64, UInt8>(repeating: 0)

  init() {}

  init(_ structure: DependencyStructure) {
    let targets = structure.targetLayers
    for (number, template) in structure.templates.enumerated() {
      let spatial = min(template.spatialLayer, LayerRates.maximumSpatial)
      let temporal = min(template.temporalLayer, LayerRates.maximumTemporal)
      let own = targets.firstIndex { $0 == (template.spatialLayer, template.temporalLayer) }
      let isSwitchPoint = own.map { template.targets[$0] == .switchPoint } ?? false
      let id = (Int(structure.templateIDOffset) + number) & 63
      packed[id] = 0x80 | (isSwitchPoint ? 0x40 : 0) | spatial << 3 | temporal
    }
  }

  @inline(__always)
  subscript(id: UInt8) -> Template? {
    let value = packed[Int(id & 63)]
    guard value != 0 else { return nil }
    return Template(spatial: value >> 3 & 7, temporal: value & 7, isSwitchPoint: value & 0x40 != 0)
  }
}
