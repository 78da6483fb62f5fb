import Primitives
import Relay
import Testing

@Suite("Allocation: admission")
struct AdmissionTests {
  /// Ten viewers of a tier on base layers of 100, with sound of 10 each.
  private func node(_ tier: Tier, egress: Int?, link: Int? = nil) -> AllocationInput {
    AllocationInput(
      viewers: [ViewerLink](repeating: .of(link, sound: 10), count: 10),
      demands: (0..<10).map { .slot($0, [100, 1000], of: $0, tier) }, egressBitsPerSecond: egress)
  }

  private func admission(_ tier: Tier, _ node: AllocationInput) -> Admission {
    Allocator.admission(of: NewViewer(tier: tier, pictureBitsPerSecond: 100, audioBitsPerSecond: 10), to: node)
  }

  @Test("with room for a picture beside the equals' base layers, all of it")
  func room() {
    #expect(admission(.p2, node(.p2, egress: nil)) == .full)
    #expect(admission(.p2, node(.p2, egress: 1210)) == .full)
    #expect(admission(.p2, node(.p2, egress: 1209)) == .reduced)
  }

  @Test("priorities 3 and 4 leave the reserve alone")
  func reserve() {
    #expect(admission(.p3, node(.p3, egress: 1477)) == .reduced)
    #expect(admission(.p3, node(.p3, egress: 1478)) == .full)
  }

  @Test("less urgent pictures give way")
  func lowerTiers() {
    #expect(admission(.p2, node(.p3, egress: 300)) == .full)
    #expect(admission(.p4, node(.p3, egress: 300)) == .reduced)
  }

  @Test("when not even sound fits, refused; priority 1 never is")
  func refused() {
    #expect(admission(.p4, node(.p3, egress: 109)) == .refused)
    #expect(admission(.p2, node(.p1, egress: 109)) == .refused)
    #expect(admission(.p1, node(.p1, egress: 0)) == .full)
    #expect(admission(Tier(priority: 1, audience: .caller), node(.p1, egress: 0)) == .full)
  }

  @Test("viewers behind narrow links take up no more than those")
  func narrowLinks() {
    #expect(admission(.p2, node(.p2, egress: 500, link: 20)) == .full)
    #expect(admission(.p2, node(.p2, egress: 309, link: 20)) == .reduced)
  }

  @Test("the processor's limit counts as the node's")
  func processing() {
    var input = node(.p2, egress: nil)
    input.processingBitsPerSecond = 1209
    #expect(admission(.p2, input) == .reduced)
  }
}
