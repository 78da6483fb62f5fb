import Primitives

/// Finds out how fast the packets of a probe went through.
package struct ProbeMeasurements {
  /// A probe that is over.
  package struct Result: Equatable {
    package var probe: BandwidthEstimator.Probe
    package var startedAt: MonotonicTime
    /// Nil when it showed nothing.
    package var measured: Measurement?

    package init(probe: BandwidthEstimator.Probe, startedAt: MonotonicTime, measured: Measurement?) {
      self.probe = probe
      self.startedAt = startedAt
      self.measured = measured
    }
  }

  /// How fast a probe went through.
  package struct Measurement: Equatable {
    package var bitsPerSecond: Double
    /// The link was full: a part of it may be what others left for a moment.
    package var isSaturated: Bool
    /// So few bytes that a token bucket may have let them pass at once.
    package var isBrief: Bool

    package init(bitsPerSecond: Double, isSaturated: Bool, isBrief: Bool = false) {
      self.bitsPerSecond = bitsPerSecond
      self.isSaturated = isSaturated
      self.isBrief = isBrief
    }
  }

  /// Probes that may be on their way together.
  ///
  /// A power of two.
  package static let capacity = 4
  /// Packets, and share of the bytes planned, that a measurement needs.
  package static let fewestPackets = 3
  package static let leastShare = 0.6
  /// Time after which what has not come is not waited for.
  package static let patience = TimeInterval64.milliseconds(500)
  /// Arriving this much faster than sent, packets were held up somewhere and let go together.
  package static let mostCompression = 2.0
  /// Arriving slower than this share of the sent rate, they filled the link.
  package static let saturation = 0.9
  /// What is taken of the rate that filled the link: less, so that its queue empties.
  package static let saturatedShare = 0.95
  /// No probe proves more than this multiple of its rate: packets that come in one radio burst would.
  package static let mostBeyond = 1.25

  /// Half of a probe goes ahead to empty a token bucket, up to so many bytes.
  package static let mostFront = 3_000

  private var clusters = InlineArray<4, ProbeCluster?>(repeating: nil)
  /// The begin of the last probe: its queue is there for a while.
  package private(set) var lastBegin: MonotonicTime?
  package private(set) var lastBytes = 0

  private var isMeasuring = false

  package init() {}

  package mutating func begin(_ probe: BandwidthEstimator.Probe, now: MonotonicTime) {
    clusters[place(probe.id)] = ProbeCluster(probe: probe, startedAt: now)
    isMeasuring = true
    lastBegin = now
    lastBytes = probe.bytes
  }

  /// Takes a received packet, in the order of sending; nanoseconds, each on its own clock.
  ///
  /// - Parameter id: The probe it belongs to, 0 for none: what goes between a probe's packets takes its part of the link.
  package mutating func add(_ id: UInt8, bytes: Int, sent: Int64, arrival: Int64) {
    if id != 0 {
      guard clusters[place(id)]?.probe.id == id else { return }
      clusters[place(id)]?.add(bytes: bytes, sent: sent, arrival: arrival)
    } else if isMeasuring {
      for index in 0..<Self.capacity { clusters[index]?.addOther(bytes: bytes) }
    }
  }

  package mutating func addLost(_ id: UInt8, bytes: Int) {
    guard clusters[place(id)]?.probe.id == id else { return }
    clusters[place(id)]?.lost += bytes
  }

  /// The next probe that is over.
  ///
  /// - Parameter shortestWay: The shortest way of any packet, in nanoseconds from the sender's clock to the receiver's; nil
  ///   while it is unknown.
  package mutating func takeResult(
    roundTripTime: TimeInterval64, shortestWay: Int64? = nil, now: MonotonicTime
  ) -> Result? {
    guard isMeasuring else { return nil }
    isMeasuring = false
    for index in 0..<Self.capacity {
      guard let cluster = clusters[index] else { continue }
      let isOverdue = now - cluster.startedAt > Self.patience + roundTripTime
      isMeasuring = true
      guard cluster.isComplete || isOverdue else { continue }
      clusters[index] = nil
      let measured = cluster.measured(shortestWay: shortestWay)
      return Result(probe: cluster.probe, startedAt: cluster.startedAt, measured: measured)
    }
    return nil
  }

  private func place(_ id: UInt8) -> Int { Int(id) & (Self.capacity - 1) }
}

/// The packets of one probe, as far as they are known.
package struct ProbeCluster {
  package let probe: BandwidthEstimator.Probe
  package let startedAt: MonotonicTime
  /// Bytes.
  package var lost = 0
  /// Bytes of the probe itself.
  private var received = 0
  /// All that went in its time.
  private var train: MeasuredTrain?
  /// Bytes that came since the probe's last packet: they count when another one follows.
  private var pending = 0

  package init(probe: BandwidthEstimator.Probe, startedAt: MonotonicTime) {
    self.probe = probe
    self.startedAt = startedAt
  }

  package mutating func add(bytes: Int, sent: Int64, arrival: Int64) {
    received += bytes
    if train == nil {
      let front = min(probe.bytes / 2, ProbeMeasurements.mostFront)
      train = MeasuredTrain(front: front, bytes: bytes, sent: sent, arrival: arrival)
    } else {
      train?.add(bytes: bytes, others: pending, sent: sent, arrival: arrival)
    }
    pending = 0
  }

  /// Takes a packet that was sent after one of the probe's, and is none itself.
  package mutating func addOther(bytes: Int) {
    if train != nil { pending += bytes }
  }

  package var isComplete: Bool { received + lost >= probe.bytes }

  /// Nil when too little came, or nothing that could be true.
  ///
  /// - Parameter shortestWay: As in ``ProbeMeasurements/takeResult(roundTripTime:shortestWay:now:)``.
  package func measured(shortestWay: Int64?) -> ProbeMeasurements.Measurement? {
    guard var measured = spacing, let whole = train?.whole else { return nil }
    measured.isBrief = probe.bytes < ProbePlan.thoroughBytes
    // A receiver that was busy reads what waited all at once, which looks like a fast link. But nothing makes packets come
    // earlier than they can: from the first one's sending to the last one's arrival all of them went through.
    if let shortestWay, case let time = whole.lastArrival &- whole.firstSent &- shortestWay, time > 0 {
      measured.bitsPerSecond = min(measured.bitsPerSecond, Double(whole.bytes) * 8e9 / Double(time))
    }
    return measured
  }

  /// What the times between the packets tell.
  private var spacing: ProbeMeasurements.Measurement? {
    guard let train, train.whole.packets >= ProbeMeasurements.fewestPackets,
      Double(received) >= ProbeMeasurements.leastShare * Double(probe.bytes), let arrived = arrivedRate(train)
    else { return nil }
    let most = ProbeMeasurements.mostBeyond * Double(probe.bitsPerSecond)
    let saturated = ProbeMeasurements.Measurement(
      bitsPerSecond: min(arrived * ProbeMeasurements.saturatedShare, most), isSaturated: true)
    // Sent at once, so that only the link spaced them.
    guard let sent = train.whole.sentRate else { return saturated }
    guard arrived <= ProbeMeasurements.mostCompression * sent else { return nil }
    if arrived < ProbeMeasurements.saturation * sent { return saturated }
    return ProbeMeasurements.Measurement(bitsPerSecond: min(sent, arrived, most), isSaturated: false)
  }

  /// How fast all of it arrived, or else the rest when that came slower than the front.
  private func arrivedRate(_ train: MeasuredTrain) -> Double? {
    guard let whole = train.whole.arrivedRate else { return nil }
    guard let rest = train.steady?.arrivedRate, rest < ProbeMeasurements.saturation * whole else { return whole }
    return rest
  }
}
