import Primitives
import RTP

/// What a track's recorder wants done, in this order.
package enum TrackOutput: Hashable, Sendable {
  /// Write it; `beginsSegment` into a new file, whose `layer` is the simulcast encoding that is kept (nil when the track
  /// has one encoding).
  case fragment(MediaFragment, beginsSegment: Bool, layer: ManifestEntry.Layer?)
  case gap(ManifestEntry.Gap)
  case clock(ManifestEntry.ClockPair)
  /// Ask the sender of this stream for a keyframe; at most one a second and stream.
  case keyframeWanted(SSRC)
}

/// Turns one track's packets into fragments, gaps and clock pairs.
///
/// A track is what a peer sends as one source: sound, or a picture in one or several encodings. All that happens to it
/// goes through here in the order of arrival, and ``advance(to:clock:)`` is called when nothing does, every 100 ms or
/// so. The peer's ``PeerClock`` is shared by its tracks: the caller updates it with every report of the peer.
package struct TrackRecorder: Sendable {
  package let track: TrackID
  package let kind: TrackKind
  /// Encodings of one track that are followed; packets of others are left out.
  package static let maximumEncodings = 8
  /// Time between two requests for a keyframe of one stream.
  static let keyframeRequestInterval = TimeInterval64.milliseconds(1_000)
  /// How long a new stream has for a keyframe of its own accord, which most begin with.
  static let firstKeyframeRequest = TimeInterval64.milliseconds(300)
  /// Time between two reports of one stream that are kept.
  static let minimumReportInterval = TimeInterval64.milliseconds(200)

  private var names: [String]
  private var encodings: [Int: Encoding] = [:]
  /// Reports of streams that no packet has come of yet.
  private var earlyReports: [SSRC: RecordedReport] = [:]
  private var chooser = LayerChooser()
  /// The first pictures, while the time when they were taken is not known.
  private var opening: Opening?
  private var sequencer: FrameSequencer
  private var cutter = FragmentCutter()
  private var firstArrival: UTCTime?

  /// One encoding's stream.
  private struct Encoding: Sendable {
    var ssrc: SSRC
    var assembler: FrameAssembler
    var timeline: TrackTimeline
    /// RTP timestamp of its first packet.
    let firstTimestamp: UInt32
    /// Whether something is missing before its next frame.
    var hasLoss = false
    /// When a keyframe may be asked for.
    var nextRequest: UTCTime
    var lastReport: UTCTime?
  }

  /// `encodings` are the names (`rid`) of a simulcast source's encodings by their number; one without a name is called
  /// by its SSRC.
  package init(track: TrackID, kind: TrackKind, encodings: [String] = []) {
    self.track = track
    self.kind = kind
    names = encodings
    opening = kind == .video ? Opening() : nil
    sequencer = FrameSequencer(kind: kind)
  }

  /// The number of the encoding that is kept; nil before its first keyframe.
  package var currentEncoding: Int? { chooser.current }

  /// Takes a packet of the encoding with that number, 0 for an only one.
  ///
  /// A packet of another kind is left out. A new SSRC replaces the encoding's stream.
  package mutating func receive(_ packet: RecordedPacket, encoding number: Int = 0, clock: PeerClock) -> [TrackOutput] {
    guard packet.format.kind == kind, (0..<Self.maximumEncodings).contains(number) else { return [] }
    var outputs = prepare(number, for: packet, clock: clock)
    if firstArrival == nil { firstArrival = packet.arrival }
    if !packet.payload.isEmpty { chooser.note(number, bytes: packet.payload.count, at: packet.arrival) }
    if let events = encodings[number]?.assembler.receive(packet) {
      handle(events, of: number, clock: clock, &outputs)
    }
    endOpening(at: packet.arrival, clock: clock, &outputs)
    requestKeyframes(at: packet.arrival, &outputs)
    return outputs
  }

  /// Takes a sender report of one of the track's streams, which `clock` has been updated with.
  package mutating func receive(_ report: RecordedReport, clock: PeerClock) -> [TrackOutput] {
    guard let number = encodings.first(where: { $0.value.ssrc == report.ssrc })?.key else {
      let last = earlyReports[report.ssrc]
      if last == nil, earlyReports.count >= Self.maximumEncodings { return [] }
      if let last, report.arrival - last.arrival < Self.minimumReportInterval { return [] }
      earlyReports[report.ssrc] = report
      return [.clock(pair(report))]
    }
    if let last = encodings[number]?.lastReport, report.arrival - last < Self.minimumReportInterval { return [] }
    encodings[number]?.lastReport = report.arrival
    encodings[number]?.timeline.update(report)
    var outputs = [TrackOutput.clock(pair(report))]
    endOpening(at: report.arrival, clock: clock, &outputs)
    return outputs
  }

  /// Lets go what has waited long enough; call it at least every 250 ms.
  package mutating func advance(to now: UTCTime, clock: PeerClock) -> [TrackOutput] {
    var outputs: [TrackOutput] = []
    for number in encodings.keys.sorted() {
      if let events = encodings[number]?.assembler.advance(to: now), !events.isEmpty {
        handle(events, of: number, clock: clock, &outputs)
      }
    }
    endOpening(at: now, clock: clock, &outputs)
    emit(sequencer.advance(to: now), &outputs)
    emit(cutter.advance(to: now), &outputs)
    requestKeyframes(at: now, &outputs)
    return outputs
  }

  /// Says from outside why frames are going to be missing: the sender came back with a new connection (`reconnect`), or
  /// packets were given up before they came here (`overload`, `disk`).
  ///
  /// The gap comes out with the next frame, when its end is known. Of what was given up the sequence numbers tell, so that
  /// `overload` and `disk` only name the reason of a loss that follows within a second.
  package mutating func interrupt(
    reason: ManifestEntry.Gap.Reason, at now: UTCTime, clock: PeerClock
  ) -> [TrackOutput] {
    var outputs: [TrackOutput] = []
    if reason == .reconnect { drain(clock: clock, &outputs) }
    releaseOpening(clock: clock, &outputs)
    if reason == .reconnect {
      encodings = [:]
      chooser = LayerChooser()
    }
    sequencer.begin(at: firstArrival ?? now)
    emit(sequencer.interrupt(reason, at: now, breaks: reason == .reconnect), &outputs)
    if reason == .reconnect { emit(cutter.endSegment(), &outputs) }
    return outputs
  }

  /// Ends the track: everything comes out that is whole, and what is missing until `now` is a gap.
  package mutating func end(at now: UTCTime, clock: PeerClock) -> [TrackOutput] {
    var outputs: [TrackOutput] = []
    drain(clock: clock, &outputs)
    releaseOpening(clock: clock, &outputs)
    if let firstArrival { sequencer.begin(at: firstArrival) }
    if let current = chooser.current, encodings[current]?.hasLoss == true { sequencer.noteLoss() }
    emit(sequencer.finish(at: now), &outputs)
    emit(cutter.endSegment(), &outputs)
    return outputs
  }
}

// MARK: - Streams

extension TrackRecorder {
  /// Sees to an assembler for the packet's stream and codec.
  private mutating func prepare(_ number: Int, for packet: RecordedPacket, clock: PeerClock) -> [TrackOutput] {
    guard let known = encodings[number] else {
      encodings[number] = makeEncoding(for: packet)
      return []
    }
    let isSameStream = known.ssrc == packet.ssrc
    if isSameStream, known.assembler.format.sharesAssembler(with: packet.format) { return [] }
    // A packet from before the change of codec that comes late is left to the new assembler, which leaves it out.
    if isSameStream, let expected = known.assembler.expectedSequence, packet.sequence < expected { return [] }
    var outputs: [TrackOutput] = []
    if let events = encodings[number]?.assembler.drain() { handle(events, of: number, clock: clock, &outputs) }
    releaseOpening(clock: clock, &outputs)
    if isSameStream {
      encodings[number]?.assembler = FrameAssembler(format: packet.format, unwrapper: known.assembler.unwrapper)
    } else {
      encodings[number] = makeEncoding(for: packet)
    }
    // Whether something was lost in between cannot be known.
    encodings[number]?.hasLoss = true
    return outputs
  }

  private mutating func makeEncoding(for packet: RecordedPacket) -> Encoding {
    var timeline = TrackTimeline(clockRate: packet.format.clockRate)
    if let report = earlyReports.removeValue(forKey: packet.ssrc) { timeline.update(report) }
    return Encoding(
      ssrc: packet.ssrc, assembler: FrameAssembler(format: packet.format), timeline: timeline,
      firstTimestamp: packet.rtpTimestamp, nextRequest: packet.arrival + Self.firstKeyframeRequest)
  }

  private mutating func drain(clock: PeerClock, _ outputs: inout [TrackOutput]) {
    for number in encodings.keys.sorted() {
      if let events = encodings[number]?.assembler.drain() { handle(events, of: number, clock: clock, &outputs) }
    }
  }

  private mutating func requestKeyframes(at now: UTCTime, _ outputs: inout [TrackOutput]) {
    guard kind == .video else { return }
    if opening == nil, encodings.count > 1, let wanted = chooser.wanted(at: now) { request(wanted, at: now, &outputs) }
    guard let current = chooser.current ?? encodings.keys.min(), let encoding = encodings[current] else { return }
    // Of one that has stopped nothing comes, however often it is asked for.
    let isDue = cutter.needsKeyframe(at: now) && chooser.isLive(current, at: now)
    if encoding.assembler.needsKeyframe || isDue { request(current, at: now, &outputs) }
  }

  private mutating func request(_ number: Int, at now: UTCTime, _ outputs: inout [TrackOutput]) {
    guard let encoding = encodings[number], now >= encoding.nextRequest else { return }
    encodings[number]?.nextRequest = now + Self.keyframeRequestInterval
    outputs.append(.keyframeWanted(encoding.ssrc))
  }
}

// MARK: - Frames

extension TrackRecorder {
  private mutating func handle(
    _ events: [FrameAssembler.Event], of number: Int, clock: PeerClock, _ outputs: inout [TrackOutput]
  ) {
    for event in events {
      if opening != nil {
        opening?.add(event, of: number)
      } else {
        take(event, of: number, clock: clock, &outputs)
      }
    }
  }

  /// Lets go what was held back once its time is known, or has been waited for.
  private mutating func endOpening(at now: UTCTime, clock: PeerClock, _ outputs: inout [TrackOutput]) {
    guard let opening else { return }
    let isTimed = encodings.values.allSatisfy { $0.timeline.hasReport }
    if opening.isOver(at: now, isTimed: isTimed) { releaseOpening(clock: clock, &outputs) }
  }

  private mutating func releaseOpening(clock: PeerClock, _ outputs: inout [TrackOutput]) {
    guard let held = opening?.ordered() else { return }
    opening = nil
    for each in held { take(each.event, of: each.encoding, clock: clock, &outputs) }
  }

  private mutating func take(
    _ event: FrameAssembler.Event, of number: Int, clock: PeerClock, _ outputs: inout [TrackOutput]
  ) {
    switch event {
    case .lost: encodings[number]?.hasLoss = true
    case .frame(let frame): take(frame, of: number, clock: clock, &outputs)
    }
  }

  private mutating func take(
    _ frame: CodedFrame, of number: Int, clock: PeerClock, _ outputs: inout [TrackOutput]
  ) {
    let verdict = chooser.judge(
      number, pixels: frame.format.width * frame.format.height, isKeyframe: frame.isKeyframe, at: frame.arrival)
    let mapping = encodings[number]?.timeline.time(
      of: frame.rtpTime, lasting: frame.ticks ?? 0, arrival: frame.firstArrival, clock: clock)
    guard let mapping else { return }
    let hasLoss = encodings[number]?.hasLoss ?? false
    encodings[number]?.hasLoss = false
    guard verdict != .drop else { return }
    if !sequencer.hasBegun { begin(with: frame, of: number, at: mapping.time) }
    if hasLoss || verdict == .change { sequencer.noteLoss() }
    let natural = frame.ticks.flatMap { encodings[number]?.timeline.interval(ofTicks: $0) }
    emit(
      sequencer.push(frame, at: mapping.time, natural: natural, layer: number, isJump: mapping.isJump), &outputs)
  }

  /// Lets the track begin where its first packet was taken, by the clock that the first frame's time goes by.
  private mutating func begin(with frame: CodedFrame, of number: Int, at time: UTCTime) {
    guard let encoding = encodings[number], let firstArrival else { return }
    let ticks = Int32(bitPattern: UInt32(truncatingIfNeeded: frame.rtpTime) &- encoding.firstTimestamp)
    let before = encoding.timeline.interval(ofTicks: Int64(max(0, ticks)))
    sequencer.begin(at: max(time + (.zero - before), firstArrival + (.zero - TrackTimeline.maximumDelay)))
  }

  private mutating func emit(_ sequenced: [FrameSequencer.Output], _ outputs: inout [TrackOutput]) {
    for output in sequenced {
      switch output {
      case .frame(let frame): emit(cutter.push(frame), &outputs)
      case .gap(let start, let end, let reason):
        outputs.append(.gap(ManifestEntry.Gap(track: track, start: start, end: end, reason: reason)))
      }
    }
  }

  private mutating func emit(_ cuts: [FragmentCutter.Cut], _ outputs: inout [TrackOutput]) {
    for cut in cuts {
      outputs.append(.fragment(cut.fragment, beginsSegment: cut.beginsSegment, layer: layer(cut.layer)))
      guard cut.beginsSegment else { continue }
      for number in encodings.keys { encodings[number]?.timeline.realign() }
    }
  }

  /// How the manifest names an encoding; nil for an only one.
  private func layer(_ number: Int) -> ManifestEntry.Layer? {
    let count = max(names.count, encodings.count)
    guard count > 1 else { return nil }
    let name = names.indices.contains(number) ? names[number] : encodings[number]?.ssrc.description ?? "\(number)"
    return ManifestEntry.Layer(name: name, count: count)
  }

  private func pair(_ report: RecordedReport) -> ManifestEntry.ClockPair {
    ManifestEntry.ClockPair(
      track: track, ssrc: report.ssrc, rtpTimestamp: report.rtpTimestamp, ntpTime: report.ntpTime,
      arrival: report.arrival)
  }
}
