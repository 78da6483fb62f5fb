import Primitives

/// How a frame relates to one decode target (AV1 RTP specification, appendix A.4).
package enum DecodeTargetIndication: UInt8, Sendable {
  case notPresent = 0
  /// Nothing of the target refers to the frame.
  case discardable = 1
  /// A receiver can go over to the target at this frame.
  case switchPoint = 2
  case required = 3
}

/// One indication for each decode target, two bits each, so that up to 32 fit one word.
///
/// Trivial.
package struct DecodeTargetIndications: Equatable, Sendable {
  private var word: UInt64 = 0

  package init() {}

  /// The indication for a decode target, 0 to 31.
  package subscript(target: Int) -> DecodeTargetIndication {
    @inline(__always) get {
      // Two bits always name one of the four cases.
      DecodeTargetIndication(rawValue: UInt8(word >> UInt64(2 * (target & 31)) & 3)) ?? .notPresent
    }
    set {
      let shift = UInt64(2 * (target & 31))
      word = word & ~(3 << shift) | UInt64(newValue.rawValue) << shift
    }
  }
}

/// Frame number differences, at most ``capacity``.
///
/// Trivial.
package struct FrameDifferences: Equatable, Sendable {
  /// More than any encoder refers to: AV1 has 8 reference slots.
  package static let capacity = 16
  private var values = SIMD16<UInt16>(repeating: 0)
  package private(set) var count = 0

  package init() {}

  package subscript(index: Int) -> UInt16 { values[index] }

  mutating func append(_ value: UInt32) throws(RTPError) {
    guard count < Self.capacity else { throw .limitExceeded }
    values[count] = UInt16(truncatingIfNeeded: value)
    count += 1
  }
}

/// What the frames of a stream have in common (template dependency structure, AV1 RTP specification, appendix A.8.2).
///
/// It comes with a keyframe's descriptor; later descriptors refer to its templates. Keep it by stream.
package struct DependencyStructure: Equatable, Sendable {
  /// One kind of frame.
  ///
  /// Trivial.
  package struct Template: Equatable, Sendable {
    package var spatialLayer: UInt8
    package var temporalLayer: UInt8
    package var targets = DecodeTargetIndications()
    package var differences = FrameDifferences()
    /// By chain: difference to the chain's previous frame, 0 when there is none.
    package var chainDifferences = SIMD32<UInt8>(repeating: 0)
  }

  /// The largest picture of a spatial layer, in pixels.
  package struct Resolution: Equatable, Sendable {
    package var width: UInt32
    package var height: UInt32

    package init(width: UInt32, height: UInt32) {
      self.width = width
      self.height = height
    }
  }

  /// The template id of the first template, 0 to 63.
  package var templateIDOffset: UInt8
  /// 1 to 32.
  package var decodeTargetCount: Int
  /// 1 to 64, in the order of their ids.
  package var templates: [Template]
  /// 0 to `decodeTargetCount`.
  package var chainCount: Int
  /// By decode target: the chain that protects it.
  ///
  /// Meaningless without chains.
  package var protectingChain: [UInt8]
  /// By decode target: its highest spatial and temporal layer.
  package var targetLayers: [(spatial: UInt8, temporal: UInt8)] {
    (0..<decodeTargetCount).map { target in
      let present = templates.filter { $0.targets[target] != .notPresent }
      return (present.map(\.spatialLayer).max() ?? 0, present.map(\.temporalLayer).max() ?? 0)
    }
  }
  /// By spatial layer; empty when the sender did not tell.
  package var resolutions: [Resolution]

  /// Most templates: the id has six bits.
  package static let maximumTemplates = 64
  /// Most spatial layers a template can have here; AV1 has 4, VP9 8.
  package static let maximumSpatialLayers = 8

  /// All decode targets set.
  package var allTargets: UInt32 { UInt32.max >> UInt32(32 - decodeTargetCount) }

  init(parsing reader: inout BitReader) throws(RTPError) {
    templateIDOffset = UInt8(try reader.bits(6))
    decodeTargetCount = Int(try reader.bits(5)) + 1
    templates = try Self.parseLayers(&reader)
    chainCount = 0
    protectingChain = []
    resolutions = []
    try parseTargets(&reader)
    try parseDifferences(&reader)
    try parseChains(&reader)
    if try reader.flag() { try parseResolutions(&reader) }
  }

  private static func parseLayers(_ reader: inout BitReader) throws(RTPError) -> [Template] {
    var templates: [Template] = []
    var (spatial, temporal): (UInt8, UInt8) = (0, 0)
    while true {
      guard templates.count < maximumTemplates, spatial < maximumSpatialLayers else { throw .limitExceeded }
      templates.append(Template(spatialLayer: spatial, temporalLayer: temporal))
      switch try reader.bits(2) {
      case 0: continue
      case 1: temporal += 1
      case 2:
        temporal = 0
        spatial += 1
      default: return templates
      }
    }
  }

  private mutating func parseTargets(_ reader: inout BitReader) throws(RTPError) {
    for index in templates.indices {
      for target in 0..<decodeTargetCount {
        templates[index].targets[target] = try reader.targetIndication()
      }
    }
  }

  private mutating func parseDifferences(_ reader: inout BitReader) throws(RTPError) {
    for index in templates.indices {
      while try reader.flag() { try templates[index].differences.append(try reader.bits(4) + 1) }
    }
  }

  private mutating func parseChains(_ reader: inout BitReader) throws(RTPError) {
    chainCount = Int(try reader.nonSymmetric(UInt32(decodeTargetCount) + 1))
    guard chainCount > 0 else { return }
    for _ in 0..<decodeTargetCount {
      protectingChain.append(UInt8(try reader.nonSymmetric(UInt32(chainCount))))
    }
    for index in templates.indices {
      for chain in 0..<chainCount { templates[index].chainDifferences[chain] = UInt8(try reader.bits(4)) }
    }
  }

  private mutating func parseResolutions(_ reader: inout BitReader) throws(RTPError) {
    let highest = templates.map(\.spatialLayer).max() ?? 0
    for _ in 0...highest {
      resolutions.append(Resolution(width: try reader.bits(16) + 1, height: try reader.bits(16) + 1))
    }
  }
}

extension BitReader {
  mutating func targetIndication() throws(RTPError) -> DecodeTargetIndication {
    guard let indication = DecodeTargetIndication(rawValue: UInt8(try bits(2))) else { throw .malformed }
    return indication
  }
}
