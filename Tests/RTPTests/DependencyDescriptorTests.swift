import Primitives
import RTP
import Testing

@Suite struct DependencyDescriptorTests {
  // As browsers send them with AV1 in the modes L1T2 and L2T2.
  private static let l1t2 = "800001 80011ea85141010c04fc03bc"
  private static let l2t2 = "c00001 8003187aaaf130a0a014d14138230460086422222650 09f0077013f00ef0"

  private func parse(
    _ bytes: [UInt8], _ structure: DependencyStructure? = nil
  ) throws -> DependencyDescriptor.Parsed {
    try withBytes(bytes) { value in try DependencyDescriptor.parse(value, structure: structure) }
  }

  private func indications(_ targets: DecodeTargetIndications, _ count: Int) -> String {
    (0..<count).map { target in
      switch targets[target] {
      case .notPresent: "-"
      case .discardable: "D"
      case .switchPoint: "S"
      case .required: "R"
      }
    }.joined()
  }

  private func differences(_ differences: FrameDifferences) -> [UInt16] {
    (0..<differences.count).map { differences[$0] }
  }

  @Test func structureOfTwoTemporalLayersIsRead() throws {
    let parsed = try parse(try hex(Self.l1t2))
    let structure = try #require(parsed.newStructure)
    #expect(structure.templateIDOffset == 0)
    #expect(structure.decodeTargetCount == 2)
    #expect(structure.templates.map(\.spatialLayer) == [0, 0, 0])
    #expect(structure.templates.map(\.temporalLayer) == [0, 0, 1])
    #expect(structure.templates.map { indications($0.targets, 2) } == ["SS", "SS", "-D"])
    #expect(structure.templates.map { differences($0.differences) } == [[], [2], [1]])
    #expect(structure.chainCount == 1)
    #expect(structure.templates.map { $0.chainDifferences[0] } == [0, 2, 1])
    #expect(structure.resolutions == [.init(width: 320, height: 240)])
    #expect(structure.targetLayers.map(\.temporal) == [0, 1])
    #expect(structure.allTargets == 0b11)
    #expect(parsed.descriptor.startsFrame)
    #expect(!parsed.descriptor.endsFrame)
    #expect(parsed.descriptor.frameNumber == 1)
    #expect(parsed.descriptor.activeTargets == 0b11)
  }

  @Test func structureOfTwoSpatialLayersIsRead() throws {
    let structure = try #require(try parse(try hex(Self.l2t2)).newStructure)
    #expect(structure.templates.map(\.spatialLayer) == [0, 0, 0, 1, 1, 1])
    #expect(structure.templates.map(\.temporalLayer) == [0, 0, 1, 0, 0, 1])
    #expect(
      structure.templates.map { indications($0.targets, 4) } == ["SSSS", "SSRR", "-D-R", "--SS", "--SS", "---D"])
    #expect(structure.templates.map { differences($0.differences) } == [[], [4], [2], [1], [4, 1], [2, 1]])
    #expect(structure.chainCount == 2)
    #expect(structure.protectingChain == [0, 0, 1, 1])
    #expect(structure.resolutions == [.init(width: 160, height: 120), .init(width: 320, height: 240)])
    #expect(structure.targetLayers.map(\.spatial) == [0, 0, 1, 1])
  }

  @Test func shortDescriptorTakesItsTemplatesFields() throws {
    let structure = try #require(try parse(try hex(Self.l1t2)).newStructure)
    let descriptor = try parse(try hex("4200d8"), structure).descriptor
    #expect(!descriptor.startsFrame)
    #expect(descriptor.endsFrame)
    #expect(descriptor.templateID == 2)
    #expect(descriptor.frameNumber == 216)
    #expect(descriptor.temporalLayer == 1)
    #expect(differences(descriptor.differences) == [1])
    #expect(descriptor.activeTargets == nil)
  }

  @Test func customFieldsReplaceTheTemplates() throws {
    let structure = try #require(try parse(try hex(Self.l1t2)).newStructure)
    // Flags 01111, active targets 01, indications R and -, differences 3 (4 bits) and 17 (8 bits), chain difference 9.
    var bits = "0111101" + "1100" + "010010" + "1000010000" + "00" + "00001001"
    bits += String(repeating: "0", count: (8 - bits.count % 8) % 8)
    let tail = stride(from: 0, to: bits.count, by: 8).compactMap { offset in
      UInt8(bits.dropFirst(offset).prefix(8), radix: 2)
    }
    let descriptor = try parse([0x81, 0, 5] + tail, structure).descriptor
    #expect(descriptor.activeTargets == 0b01)
    #expect(indications(descriptor.targets, 2) == "R-")
    #expect(differences(descriptor.differences) == [3, 17])
    #expect(descriptor.chainDifferences[0] == 9)
  }

  @Test func templateIDsCountFromTheOffset() throws {
    // The same structure with offset 6: ids 6 to 8.
    let parsed = try parse(try hex("8600b5 80c11ea85141010c09fc077c"))
    #expect(parsed.newStructure?.templateIDOffset == 6)
    #expect(throws: RTPError.unknownStructure) { try parse([0x09, 0, 1], parsed.newStructure) }
    #expect(try parse([0x08, 0, 1], parsed.newStructure).descriptor.temporalLayer == 1)
  }

  @Test func descriptorWithoutStructureNeedsOne() throws {
    #expect(throws: RTPError.unknownStructure) { try parse([0x08, 0, 1]) }
    #expect(throws: RTPError.unknownStructure) { try parse([0x08, 0, 1, 0]) }
  }

  @Test func endlessTemplateListIsRefused() throws {
    // next_layer_idc 0 for ever.
    let bytes: [UInt8] = [0x80, 0, 1, 0x80] + [UInt8](repeating: 0, count: 60)
    #expect(throws: RTPError.limitExceeded) { try parse(bytes) }
  }

  @Test func keyframeStartIsSeenWithoutParsing() throws {
    #expect(withBytes(try hex(Self.l1t2)) { DependencyDescriptor.startsKeyframe($0) })
    #expect(!withBytes([0x80, 0, 1]) { DependencyDescriptor.startsKeyframe($0) })
    #expect(!withBytes([0x80, 0, 1, 0x40]) { DependencyDescriptor.startsKeyframe($0) })
  }

  @Test(arguments: [l1t2, l2t2])
  func damagedDescriptorsNeverTrap(text: String) throws {
    let structure = try parse(try hex(text)).newStructure
    for bytes in mutations(of: try hex(text), count: 20_000, seed: 2) {
      _ = try? parse(bytes, structure)
    }
  }
}
