import CongestionControl
import Primitives
import Testing

@Suite struct BandwidthEstimatorTests {
  @Test func startsAtItsInitialTarget() {
    let estimator = BandwidthEstimator(initial: 300_000, now: .zero)
    #expect(estimator.target == 300_000)
  }
}
