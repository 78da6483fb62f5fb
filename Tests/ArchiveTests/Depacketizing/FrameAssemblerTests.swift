import Archive
import Primitives
import RTP
import Testing

@Suite struct FrameAssemblerTests {
  @Test(arguments: MediaClip.Name.allCases, [100, 400, 1_180])
  func whatWasPacketizedComesBack(name: MediaClip.Name, size: Int) throws {
    let clip = try MediaClip(name)
    var assembler = FrameAssembler(format: clip.format)
    let frames = assembler.receiveAll(clip.packets(maximumPayloadSize: max(size, name == .opus ? 400 : 0))).frames
    #expect(frames.map(\.bytes) == clip.recorded)
    for (index, frame) in frames.enumerated() {
      #expect(frame.isKeyframe == clip.isKeyframe(index))
      #expect(frame.rtpTime == 0xffff_f000 + Int64(index) * Int64(clip.ticks))
      #expect(frame.ticks == (name == .opus ? 960 : nil))
      #expect(frame.format.width == (name == .opus ? 0 : 320) && frame.format.height == (name == .opus ? 0 : 180))
    }
  }

  @Test func formatSaysWhatADecoderNeeds() throws {
    var formats: [MediaClip.Name: TrackFormat] = [:]
    for name in MediaClip.Name.allCases {
      let clip = try MediaClip(name)
      var assembler = FrameAssembler(format: clip.format)
      formats[name] = assembler.receiveAll(clip.packets()).frames.first?.format
    }
    #expect(formats[.vp8]?.codec == .vp8)
    #expect(formats[.vp9]?.codec == .vp9(profile: 0, bitDepth: 8))
    #expect(formats[.opus]?.codec == .opus(channels: 2))
    guard case .h264(let sequence, let picture) = formats[.h264]?.codec else { throw WrongFormat() }
    #expect(sequence.map { $0[0] & 0x1f } == [7] && picture.map { $0[0] & 0x1f } == [8])
    guard case .av1(let header) = formats[.av1]?.codec else { throw WrongFormat() }
    #expect(header.first == 0x0a && Int(header[1]) == header.count - 2)
  }

  private struct WrongFormat: Error {}

  @Test(arguments: MediaClip.Name.allCases, [UInt64(1), 2, 3, 4])
  func repetitionsAndDisorderChangeNothing(name: MediaClip.Name, seed: UInt64) throws {
    let clip = try MediaClip(name)
    var random = RandomSource.seeded(seed)
    // Each packet may be late by up to 100 ms, and some come twice. The first is in time: nothing says that one is missing before it.
    var packets = clip.packets().enumerated().flatMap { index, packet in
      var late = packet
      if index > 0 { late.arrival = packet.arrival + .microseconds(Int64(random.next() % 100_000)) }
      return random.next() % 10 == 0 ? [packet, late] : [late]
    }
    packets.sort { ($0.arrival, $0.sequence) < ($1.arrival, $1.sequence) }
    var assembler = FrameAssembler(format: clip.format)
    let events = assembler.receiveAll(packets)
    #expect(events.losses.isEmpty)
    #expect(events.frames.map(\.bytes) == clip.recorded)
  }

  @Test(arguments: MediaClip.Name.allCases, [UInt64(1), 2, 3, 4])
  func whatIsLostIsLeftOutToTheNextKeyframe(name: MediaClip.Name, seed: UInt64) throws {
    let clip = try MediaClip(name)
    var random = RandomSource.seeded(seed)
    let packets = clip.packets(maximumPayloadSize: 1_180).enumerated().filter { index, _ in
      let isLost = random.next() % 60 == 0
      return index != 40 && !isLost
    }.map(\.element)
    var assembler = FrameAssembler(format: clip.format)
    var again = assembler
    let events = assembler.receiveAll(packets) + assembler.drain()
    #expect(events == again.receiveAll(packets) + again.drain())

    let recorded = clip.recorded
    var last: Int?
    for event in events {
      switch event {
      case .lost: last = nil
      case .frame(let frame):
        let index = Int((frame.rtpTime - 0xffff_f000) / Int64(clip.ticks))
        #expect(frame.bytes == recorded[index])
        #expect(frame.isKeyframe == clip.isKeyframe(index))
        #expect(last.map { $0 + 1 == index } ?? frame.isKeyframe, "frame \(index) after \(String(describing: last))")
        last = index
      }
    }
    #expect(!events.losses.isEmpty && !events.frames.isEmpty)
  }

  @Test(arguments: MediaClip.Name.video)
  func nothingComesBeforeTheFirstKeyframe(name: MediaClip.Name) throws {
    let clip = try MediaClip(name)
    let packets = clip.packets()
    let second = try #require(packets.first { $0.rtpTimestamp != packets[0].rtpTimestamp })
    var assembler = FrameAssembler(format: clip.format)
    #expect(assembler.needsKeyframe)
    let frames = assembler.receiveAll(packets.filter { $0.sequence >= second.sequence }).frames
    #expect(frames.map(\.bytes) == Array(clip.recorded[15...]))
    #expect(!assembler.needsKeyframe)
  }

  @Test func retransmissionIsWaitedForSoLong() throws {
    let clip = try MediaClip(.vp8)
    var packets = clip.packets()
    var missing = packets.remove(at: 40)
    for (delay, isRepaired) in [(Int64(290), true), (340, false)] {
      var assembler = FrameAssembler(format: clip.format)
      missing.arrival = packets[40].arrival + .milliseconds(delay)
      let events = assembler.receiveAll((packets + [missing]).sorted { $0.arrival < $1.arrival })
      #expect(events.losses.isEmpty == isRepaired)
      #expect((events.frames.count == clip.frames.count) == isRepaired)
    }
  }

  @Test func timeAloneGivesUpWhatIsMissing() throws {
    let packets = try MediaClip(.opus).packets()
    var assembler = FrameAssembler(format: .opus)
    _ = assembler.receive(packets[0])
    #expect(assembler.receive(packets[2]).isEmpty)
    #expect(assembler.advance(to: packets[2].arrival + .milliseconds(300)).isEmpty)
    let events = assembler.advance(to: packets[2].arrival + .milliseconds(301))
    #expect(events.losses.map(\.packets) == [1])
    #expect(events.frames.map(\.bytes) == [packets[2].payload])
  }

  @Test func paddingFillsSequenceNumbersOnly() throws {
    let clip = try MediaClip(.vp8)
    var packets: [RecordedPacket] = []
    for packet in clip.packets() {
      packets.append(packet)
      packets[packets.count - 1].sequence = Int64(packets.count)
      guard packet.marker else { continue }
      var padding = packet
      padding.payload = []
      padding.sequence = Int64(packets.count + 1)
      packets.append(padding)
    }
    var assembler = FrameAssembler(format: clip.format)
    let events = assembler.receiveAll(packets)
    #expect(events.losses.isEmpty && events.frames.map(\.bytes) == clip.recorded)
  }

  @Test func markersAreNotNeeded() throws {
    let clip = try MediaClip(.h264)
    var assembler = FrameAssembler(format: clip.format)
    let packets = clip.packets().map { packet in
      var packet = packet
      packet.marker = false
      return packet
    }
    #expect(assembler.receiveAll(packets).frames.map(\.bytes) == Array(clip.recorded.dropLast()))
  }

  @Test func rotationCountsFromTheNextKeyframe() throws {
    let clip = try MediaClip(.vp8)
    var assembler = FrameAssembler(format: clip.format)
    let packets = clip.packets().map { packet in
      var packet = packet
      let frame = (packet.rtpTimestamp &- 0xffff_f000) / clip.ticks
      if packet.marker, frame == 0 { packet.rotation = 90 }
      if packet.marker, frame == 5 { packet.rotation = 180 }
      return packet
    }
    let early = assembler.receiveAll(packets.filter { $0.rtpTimestamp &- 0xffff_f000 < 10 * clip.ticks }).frames
    #expect(Set(early.map(\.format.rotation)) == [90])
    #expect(assembler.needsKeyframe)
    let late = assembler.receiveAll(packets.filter { $0.rtpTimestamp &- 0xffff_f000 >= 10 * clip.ticks }).frames
    #expect(late.map(\.format.rotation) == [90, 90, 90, 90, 90] + Array(repeating: 180, count: 30))
    #expect(!assembler.needsKeyframe)
  }

  @Test func redundancyRepairsLoss() throws {
    let clip = try MediaClip(.opus)
    let plain = clip.packets()
    let redundant = plain.enumerated().map { index, packet in
      var packet = packet
      packet.format = .red
      var headers: [UInt8] = []
      var blocks: [UInt8] = []
      for age in [2, 1] where index >= age {
        let block = plain[index - age].payload
        let word = UInt32(age) * 960 << 10 | UInt32(block.count)
        headers += [0x80 | 111, UInt8(word >> 16), UInt8(word >> 8 & 0xff), UInt8(word & 0xff)]
        blocks += block
      }
      packet.payload = headers + [111] + blocks + packet.payload
      return packet
    }
    var assembler = FrameAssembler(format: .opus)
    let kept = redundant.enumerated().filter { $0.offset % 3 == 0 }.map(\.element)
    let events = assembler.receiveAll(kept) + assembler.drain()
    #expect(!events.losses.isEmpty)
    let count = (clip.frames.count - 1) / 3 * 3 + 1
    #expect(events.frames.map(\.bytes) == Array(clip.frames.prefix(count)))
    #expect(events.frames.map(\.rtpTime) == (0..<Int64(count)).map { 0xffff_f000 + $0 * 960 })
  }

  @Test(arguments: MediaClip.Name.allCases)
  func damagedPacketsDoNoHarm(name: MediaClip.Name) throws {
    let clip = try MediaClip(name)
    let packets = clip.packets(maximumPayloadSize: name == .opus ? 400 : 150)
    var random = RandomSource.seeded(7)
    for format in [clip.format, .red, .video(.h264), .video(.vp8), .video(.vp9), .video(.av1)] {
      var assembler = FrameAssembler(format: format)
      for packet in packets {
        var damaged = packet
        damaged.format = format
        for _ in 0..<(random.next() % 3) {
          let place = Int(random.next() % UInt64(damaged.payload.count))
          damaged.payload[place] = UInt8(truncatingIfNeeded: random.next())
        }
        if random.next() % 8 == 0 { damaged.payload = Array(damaged.payload.prefix(Int(random.next() % 12))) }
        if random.next() % 16 == 0 { damaged.rtpTimestamp = UInt32(truncatingIfNeeded: random.next()) }
        if random.next() % 16 == 0 { damaged.sequence = Int64(bitPattern: random.next()) }
        for case .frame(let frame) in assembler.receive(damaged) { #expect(!frame.bytes.isEmpty) }
      }
      _ = assembler.drain()
    }
  }
}

/// Pictures whose last packet is not marked, though no packet is missing.
@Suite struct UnmarkedPictureTests {
  /// Pictures of two packets each, of which some have no second one.
  private func events(_ count: Int, keyframes: Set<Int>, unmarked: (Int) -> Bool, cut: Set<Int> = [])
    -> (events: [FrameAssembler.Event], assembler: FrameAssembler)
  {
    var assembler = FrameAssembler(format: .video(.vp8))
    var (events, sequence): ([FrameAssembler.Event], Int64) = ([], 0)
    for picture in 0..<count {
      let head: [UInt8] = keyframes.contains(picture) ? [0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 64, 0, 64, 0] : [0x10, 0x11]
      for (part, payload) in [head, [0, 1, 2, 3]].enumerated() where part == 0 || !cut.contains(picture) {
        events += assembler.receive(
          RecordedPacket(
            format: .video(.vp8), ssrc: SSRC(1), sequence: sequence, rtpTimestamp: UInt32(picture) * 3_000,
            marker: part == 1 && !unmarked(picture), arrival: .testStart, payload: payload))
        sequence += 1
      }
    }
    return (events, assembler)
  }

  @Test func pictureThatItsSenderCutOffIsALoss() {
    let (events, assembler) = events(20, keyframes: [0, 12], unmarked: { _ in false }, cut: [11])
    #expect(events.frames.map(\.rtpTime) == (0..<20).filter { $0 != 11 }.map { $0 * 3_000 })
    #expect(events.losses.count == 1)
    #expect(!assembler.needsKeyframe)
  }

  @Test func senderWithoutMarkersLosesNothing() {
    let (events, _) = events(20, keyframes: [0], unmarked: { _ in true })
    #expect(events.frames.count == 19 && events.losses.isEmpty, "the last is known with the one after it")
  }

  @Test func senderWithSomeMarkersLosesNothing() {
    let (events, _) = events(40, keyframes: [0], unmarked: { $0 % 4 == 0 })
    #expect(events.frames.count == 40 && events.losses.isEmpty)
  }
}
