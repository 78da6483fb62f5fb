import Primitives

/// What the dependency descriptor says about the frame that a packet belongs to (AV1 RTP specification, appendix A.8).
///
/// Trivial: only a descriptor that brings a new structure allocates, and that comes with a keyframe.
package struct DependencyDescriptor: Equatable, Sendable {
  /// First packet of the frame.
  package var startsFrame: Bool
  /// Last packet of the frame.
  package var endsFrame: Bool
  /// 0 to 63.
  package var templateID: UInt8
  /// Wraps at 65,536.
  ///
  /// Frames of all layers share the count.
  package var frameNumber: UInt16
  package var spatialLayer: UInt8
  package var temporalLayer: UInt8
  package var targets: DecodeTargetIndications
  /// To the frames that this one refers to.
  ///
  /// None means an intra frame.
  package var differences: FrameDifferences
  /// By chain: difference to the chain's previous frame, 0 when there is none.
  package var chainDifferences: SIMD32<UInt8>
  /// The decode targets that the sender produces from this frame on, if it says so: bit 0 is target 0.
  package var activeTargets: UInt32?

  /// The result of parsing: the frame, and the structure when the packet brought one.
  package struct Parsed: Equatable, Sendable {
    package var descriptor: DependencyDescriptor
    /// Keep it for the descriptors that follow.
    package var newStructure: DependencyStructure?
  }

  /// Parses an extension value.
  ///
  /// `structure` is the stream's last structure. Without one, only a descriptor that brings its own can be understood;
  /// others throw ``RTPError/unknownStructure``.
  package static func parse(
    _ value: UnsafeRawBufferPointer, structure: DependencyStructure?
  ) throws(RTPError) -> Parsed {
    var reader = BitReader(value)
    let mandatory = try Mandatory(parsing: &reader)
    guard value.count > mandatoryLength else {
      guard let structure else { throw .unknownStructure }
      return Parsed(descriptor: try DependencyDescriptor(mandatory, Extended(), structure, &reader))
    }
    let extended = try Extended(parsing: &reader)
    if extended.hasStructure {
      let structure = try DependencyStructure(parsing: &reader)
      var descriptor = try DependencyDescriptor(mandatory, extended, structure, &reader)
      descriptor.activeTargets = descriptor.activeTargets ?? structure.allTargets
      return Parsed(descriptor: descriptor, newStructure: structure)
    }
    guard let structure else { throw .unknownStructure }
    return Parsed(descriptor: try DependencyDescriptor(mandatory, extended, structure, &reader))
  }

  /// Whether an extension value brings a structure at the start of a frame: the first packet of a keyframe.
  @inline(__always)
  package static func startsKeyframe(_ value: UnsafeRawBufferPointer) -> Bool {
    value.count > mandatoryLength && value[0] & 0x80 != 0 && value[3] & 0x80 != 0
  }

  /// Bytes of the fields that every descriptor has.
  package static let mandatoryLength = 3

  private struct Mandatory {
    let startsFrame: Bool
    let endsFrame: Bool
    let templateID: UInt8
    let frameNumber: UInt16

    init(parsing reader: inout BitReader) throws(RTPError) {
      startsFrame = try reader.flag()
      endsFrame = try reader.flag()
      templateID = UInt8(try reader.bits(6))
      frameNumber = UInt16(try reader.bits(16))
    }
  }

  private struct Extended {
    var hasStructure = false
    var hasActiveTargets = false
    var hasCustomTargets = false
    var hasCustomDifferences = false
    var hasCustomChains = false

    init() {}

    init(parsing reader: inout BitReader) throws(RTPError) {
      hasStructure = try reader.flag()
      hasActiveTargets = try reader.flag()
      hasCustomTargets = try reader.flag()
      hasCustomDifferences = try reader.flag()
      hasCustomChains = try reader.flag()
    }
  }

  private init(
    _ mandatory: Mandatory, _ extended: Extended, _ structure: DependencyStructure, _ reader: inout BitReader
  ) throws(RTPError) {
    let index = Int((mandatory.templateID &+ 64 &- structure.templateIDOffset) & 63)
    guard index < structure.templates.count else { throw .unknownStructure }
    let template = structure.templates[index]
    startsFrame = mandatory.startsFrame
    endsFrame = mandatory.endsFrame
    templateID = mandatory.templateID
    frameNumber = mandatory.frameNumber
    spatialLayer = template.spatialLayer
    temporalLayer = template.temporalLayer
    targets = template.targets
    differences = template.differences
    chainDifferences = template.chainDifferences
    activeTargets = extended.hasActiveTargets ? try reader.bits(structure.decodeTargetCount) : nil
    if extended.hasCustomTargets {
      for target in 0..<structure.decodeTargetCount { targets[target] = try reader.targetIndication() }
    }
    if extended.hasCustomDifferences { differences = try Self.parseDifferences(&reader) }
    if extended.hasCustomChains {
      for chain in 0..<structure.chainCount { chainDifferences[chain] = UInt8(try reader.bits(8)) }
    }
  }

  private static func parseDifferences(_ reader: inout BitReader) throws(RTPError) -> FrameDifferences {
    var differences = FrameDifferences()
    while true {
      let nibbles = Int(try reader.bits(2))
      guard nibbles > 0 else { return differences }
      try differences.append(try reader.bits(4 * nibbles) + 1)
    }
  }
}
