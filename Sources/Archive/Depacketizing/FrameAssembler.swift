import Primitives
import RTP

/// Makes frames of one RTP stream in one codec: reorders its packets, waits for retransmissions, joins payloads.
///
/// After a loss, pictures are left out until the next keyframe: what cannot be decoded is not recorded. Before the first
/// keyframe it is the same.
package struct FrameAssembler: Sendable {
  package enum Event: Hashable, Sendable {
    case frame(CodedFrame)
    /// Something is missing before the next frame.
    case lost(Loss)
  }

  package struct Loss: Hashable, Sendable {
    /// RTP time of the last frame before, extended; nil when there was none.
    package var after: Int64?
    /// Packets that did not come; 0 when they came and made no sense.
    package var packets: Int64
  }

  package let format: RecordedPacket.Format
  private var buffer = ReorderBuffer()
  private(set) var unwrapper: TimestampUnwrapper
  private var media: Media
  /// RTP time of the last frame that came out.
  private var lastFrameTime: Int64?

  private enum Media: Sendable {
    case audio(SoundState)
    case video(PictureState)
  }

  private struct SoundState: Sendable {
    /// RTP time at which what is known so far ends.
    var end: Int64?
  }

  private struct PictureState: Sendable {
    var depacketizer: any VideoDepacketizer
    var current: Current?
    var needsKeyframe = true
    /// What the last keyframe said.
    var format: TrackFormat?
    /// Pictures since the last one without a marker.
    var markedInARow = 0
    /// As the last packets say; it becomes part of the format with the next keyframe.
    var rotation = 0

    /// Whether a picture is coming that turns out to be a keyframe with its marker, or not.
    var mayBecomeKeyframe: Bool { markedInARow > 0 && current.map { !$0.isFinished && !$0.isBroken } == true }
  }

  /// So many marked pictures make a sender that marks them all.
  private static let markersOfHabit = 8

  /// The picture whose packets are coming.
  private struct Current: Sendable {
    let rtpTime: Int64
    let firstArrival: UTCTime
    /// Whether a payload made no sense, so that the rest is passed over.
    var isBroken = false
    /// Whether its last packet has come: what follows with its time is padding.
    var isFinished = false
  }

  /// Begins a stream; `unwrapper` is that of an assembler before it on the same SSRC.
  package init(format: RecordedPacket.Format, unwrapper: TimestampUnwrapper = TimestampUnwrapper()) {
    self.format = format
    self.unwrapper = unwrapper
    switch format {
    case .video(let codec): media = .video(PictureState(depacketizer: codec.makeDepacketizer()))
    case .opus, .red: media = .audio(SoundState())
    }
  }

  /// The sequence number that is expected next; nil before the first packet.
  package var expectedSequence: Int64? { buffer.expected }

  /// Whether a keyframe would help: nothing comes out without one, or the picture has been turned since the last.
  package var needsKeyframe: Bool {
    switch media {
    case .audio: false
    case .video(let state):
      !state.mayBecomeKeyframe && (state.needsKeyframe || state.format?.rotation != state.rotation)
    }
  }

  /// Takes a packet of a format that this assembler is for; others are left out.
  package mutating func receive(_ packet: RecordedPacket) -> [Event] {
    guard packet.format.sharesAssembler(with: format) else { return [] }
    return process(buffer.receive(packet))
  }

  /// Gives up packets that have been missing for ``ReorderBuffer/maximumWait``.
  package mutating func advance(to now: UTCTime) -> [Event] {
    process(buffer.advance(to: now))
  }

  /// The frames that are whole although packets before them are missing; nothing more is waited for.
  package mutating func drain() -> [Event] {
    process(buffer.drain())
  }

  private mutating func process(_ outputs: [ReorderBuffer.Output]) -> [Event] {
    var events: [Event] = []
    for output in outputs {
      switch output {
      case .missing(let count): lose(count, &events)
      case .packet(let packet): take(packet, &events)
      }
    }
    return events
  }

  private mutating func lose(_ packets: Int64, _ events: inout [Event]) {
    events.append(.lost(Loss(after: lastFrameTime, packets: packets)))
    guard case .video(var state) = media else { return }
    state.needsKeyframe = true
    // A picture that is already out stays known, so that the padding behind it begins no new one.
    if state.current?.isFinished == false { state.current = nil }
    media = .video(state)
  }

  private mutating func take(_ packet: RecordedPacket, _ events: inout [Event]) {
    switch media {
    case .audio(var state):
      takeSound(packet, &state, &events)
      media = .audio(state)
    case .video(var state):
      // Emptied meanwhile, so that the state is held once and the picture's bytes are not copied.
      media = .audio(SoundState())
      takePicturePart(packet, &state, &events)
      media = .video(state)
    }
  }
}

// MARK: - Sound

extension FrameAssembler {
  private mutating func takeSound(_ packet: RecordedPacket, _ state: inout SoundState, _ events: inout [Event]) {
    guard !packet.payload.isEmpty else { return }
    let time = unwrapper.unwrap(packet.rtpTimestamp)
    let isWhole = packet.payload.lend { payload in
      guard packet.format == .red else { return append(payload, at: time, of: packet, &state, &events) }
      guard let redundant = try? RedundantAudio(parsing: payload) else { return false }
      for index in 0..<redundant.repeatedCount where redundant[index].length > 0 {
        // A repetition serves only where the original did not come.
        let block = redundant[index]
        guard let end = state.end, time &- Int64(block.age) >= end else { continue }
        let bytes = UnsafeRawBufferPointer(rebasing: payload[block.offset..<(block.offset + block.length)])
        _ = append(bytes, at: time &- Int64(block.age), of: packet, &state, &events)
      }
      let primary = UnsafeRawBufferPointer(rebasing: payload[redundant.primaryOffset...])
      return append(primary, at: time, of: packet, &state, &events)
    }
    if !isWhole { events.append(.lost(Loss(after: lastFrameTime, packets: 0))) }
  }

  /// False for bytes that are no Opus packet.
  private mutating func append(
    _ payload: UnsafeRawBufferPointer, at time: Int64, of packet: RecordedPacket, _ state: inout SoundState,
    _ events: inout [Event]
  ) -> Bool {
    guard let samples = OpusPacket.sampleCount(payload) else { return false }
    events.append(
      .frame(
        CodedFrame(
          rtpTime: time, ticks: Int64(samples), isKeyframe: true, format: TrackFormat(codec: .opus(channels: 2)),
          bytes: Array(payload), firstArrival: packet.arrival, arrival: packet.arrival)))
    state.end = time &+ Int64(samples)
    lastFrameTime = time
    return true
  }
}

// MARK: - Pictures

extension FrameAssembler {
  private mutating func takePicturePart(
    _ packet: RecordedPacket, _ state: inout PictureState, _ events: inout [Event]
  ) {
    guard !packet.payload.isEmpty else { return }
    let time = unwrapper.unwrap(packet.rtpTimestamp)
    if let current = state.current, current.rtpTime != time {
      if !current.isFinished { finishUnmarked(current, at: packet.arrival, &state, &events) }
      state.current = nil
    }
    if let rotation = packet.rotation { state.rotation = rotation }
    var current: Current
    if let known = state.current {
      current = known
    } else {
      current = Current(rtpTime: time, firstArrival: packet.arrival)
      state.depacketizer.begin()
    }
    if !current.isBroken, !current.isFinished {
      do throws(DepacketizingError) {
        try packet.payload.lend { (payload) throws(DepacketizingError) in try state.depacketizer.append(payload) }
      } catch {
        current.isBroken = true
      }
    }
    if packet.marker, !current.isFinished {
      finish(current, at: packet.arrival, &state, &events)
      current.isFinished = true
      state.markedInARow += 1
    }
    state.current = current
  }

  /// Ends a picture whose marker is missing although no packet is.
  ///
  /// Some senders set none. Others leave out what is still waiting to be sent when a keyframe comes after it: of the picture
  /// before that only a part is there.
  private mutating func finishUnmarked(
    _ current: Current, at arrival: UTCTime, _ state: inout PictureState, _ events: inout [Event]
  ) {
    let isCutOff = state.markedInARow >= Self.markersOfHabit
    state.markedInARow = 0
    guard isCutOff else { return finish(current, at: arrival, &state, &events) }
    if !state.needsKeyframe { events.append(.lost(Loss(after: lastFrameTime, packets: 0))) }
    state.needsKeyframe = true
  }

  private mutating func finish(
    _ current: Current, at arrival: UTCTime, _ state: inout PictureState, _ events: inout [Event]
  ) {
    guard !current.isBroken, let picture = try? state.depacketizer.finish() else {
      if !state.needsKeyframe { events.append(.lost(Loss(after: lastFrameTime, packets: 0))) }
      state.needsKeyframe = true
      return
    }
    if let keyframe = picture.keyframe {
      state.format = TrackFormat(
        codec: keyframe.codec, width: keyframe.width, height: keyframe.height, rotation: state.rotation)
      state.needsKeyframe = false
    }
    guard !picture.bytes.isEmpty, !state.needsKeyframe, let format = state.format else { return }
    lastFrameTime = current.rtpTime
    events.append(
      .frame(
        CodedFrame(
          rtpTime: current.rtpTime, ticks: nil, isKeyframe: picture.keyframe != nil, format: format,
          bytes: picture.bytes, firstArrival: current.firstArrival, arrival: arrival)))
  }
}
