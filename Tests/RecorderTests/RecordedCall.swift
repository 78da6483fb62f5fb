import Archive
import Cryptography
import Foundation
import Incidents
import JSON
import Primitives
import RTP
import Recorder
import Relay
import Synchronization
import Testing

/// A recorder with a media thread's ring in the test's hands, and a call that sends into it.
final class RecordedCall {
  let folder: URL
  let disk = FaultyDisk()
  let recorder: Recorder
  let ring: HandoverRing
  let incident: IncidentID
  let events = EventList()
  /// Simulated: a recorder asks for the time, and time passes when the call sends.
  let time: SimulatedTime
  private var sequence: Int64 = 70_000
  private var timestamp: UInt32 = 9_000
  private let peer: PeerID

  static let key: Ed25519PrivateKey = {
    guard let key = Ed25519PrivateKey(seed: [UInt8](repeating: 3, count: 32)) else { preconditionFailure("a seed") }
    return key
  }()

  static let vp8 = FormatIndex(0)

  /// - Parameter folder: Where an earlier recorder wrote; a new one if nil.
  init(
    in folder: URL? = nil, incident: String = "26-000001", encryptionKey: EnvelopeKey? = nil, seed: UInt64 = 1,
    ringCapacity: Int = 16 << 20, isAttached: Bool = true, startingAt start: UTCTime = UTCTime(seconds: 1_790_000_000)
  ) throws {
    self.folder = folder ?? FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    self.incident = try #require(IncidentID(incident))
    var random = RandomSource.seeded(seed)
    peer = PeerID(using: &random)
    let (time, events) = (SimulatedTime(start), events)
    self.time = time
    ring = HandoverRing(capacity: ringCapacity)
    recorder = Recorder(
      RecorderConfiguration(folder: self.folder.path, agency: "metro", encryptionKey: encryptionKey),
      keys: OneKey(key: Self.key), journal: Story(incident: self.incident), disk: disk, clock: time.clock
    ) { events.add($0) }
    recorder.start()
    if isAttached { attach() }
  }

  /// Hands the ring to the recorder, which empties it from then on.
  func attach() { recorder.attach(ring, shard: 0) { _, _ in } }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  var archive: URL { folder.appendingPathComponent(incident.value) }

  func announce(_ number: UInt32 = 1) {
    recorder.announce(
      SourceAnnouncement(
        incident: incident, number: number, peer: peer, kind: .video, formats: [Self.vp8: .vp8]), shard: 0)
  }

  /// Sends pictures of 100 ms each, every tenth of them a keyframe.
  func send(_ pictures: Int, source: UInt32 = 1, bytes: Int = 1_000) {
    for picture in 0..<pictures {
      time.advance(by: .milliseconds(100))
      var entry = HandoverEntry(kind: .packet, source: source)
      entry.format = Self.vp8
      entry.marker = true
      entry.ssrc = SSRC(77)
      entry.extended = sequence
      entry.timestamp = timestamp
      entry.arrival = time.monotonic.nanoseconds
      let payload = Self.picture(isKeyframe: picture % 10 == 0, bytes: bytes)
      entry.length = Int32(payload.count)
      payload.withUnsafeBytes { _ = ring.writer.write(entry, payload: $0.baseAddress) }
      sequence += 1
      timestamp &+= 9_000
    }
  }

  /// A payload of one packet (RFC 7741): the descriptor, then a frame of 640 x 480.
  static func picture(isKeyframe: Bool, bytes: Int) -> [UInt8] {
    var payload: [UInt8] = [0x10, isKeyframe ? 0x10 : 0x11, 0, 0]
    if isKeyframe { payload += [0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01] }
    return payload + (payload.count..<bytes).map { UInt8(truncatingIfNeeded: $0) }
  }

  /// Ends all sources and the recorder: all is written when this returns.
  func stop() { recorder.stop() }

  func contents() throws -> ArchiveContents {
    try ArchiveContents(reading: Array(Data(contentsOf: archive.appendingPathComponent("manifest.jsonl"))))
  }

  func verify() throws -> VerificationReport {
    try Verifier.verify(try FolderReader(archive), keys: [Self.key.publicKey])
  }
}

/// What a recorder told.
final class EventList: Sendable {
  private let events = Mutex<[RecorderEvent]>([])
  private let started = DispatchSemaphore(value: 0)

  func add(_ event: RecorderEvent) {
    events.withLock { $0.append(event) }
    if case .started = event { started.signal() }
  }

  /// Returns when an archive was opened.
  func waitForStart() { started.wait() }

  var all: [RecorderEvent] { events.withLock { $0 } }

  var alarms: [String] {
    all.compactMap { if case .alarm(_, _, let text) = $0 { text } else { nil } }
  }
}

/// A clock that stands until it is moved.
final class SimulatedTime: Sendable {
  private let start: UTCTime
  private let elapsed = Mutex(TimeInterval64.zero)

  init(_ start: UTCTime) {
    self.start = start
  }

  func advance(by interval: TimeInterval64) { elapsed.withLock { $0 = $0 + interval } }
  var monotonic: MonotonicTime { MonotonicTime(nanoseconds: 5_000_000_000) + elapsed.withLock { $0 } }

  var clock: RecorderClock {
    RecorderClock(
      wall: { [self] in start + elapsed.withLock { $0 } }, monotonic: { [self] in monotonic })
  }
}

private struct OneKey: SealingKeys {
  let key: Ed25519PrivateKey

  func current() throws -> Ed25519PrivateKey { key }
}

/// A journal of three events.
private struct Story: JournalSource {
  let incident: IncidentID

  func events(of incident: IncidentID, after number: Int, limit: Int) throws -> [JournalEvent] {
    var events: [JournalEvent] = []
    for count in 1...3 {
      events.append(
        JournalEvent(
          incident: self.incident, number: count, time: UTCTime(seconds: 1_790_000_000), actor: .system, kind: "note",
          payload: ["text": .string("note \(count)")], clientID: nil,
          previousHash: events.last?.hash ?? JournalEvent.genesisHash))
    }
    return Array(events.filter { $0.number > number }.prefix(limit))
  }
}

extension ArchiveContents {
  /// Reads a whole manifest; throws what is wrong with the first line that is.
  init(reading bytes: [UInt8]) throws(ManifestError) {
    self.init()
    for line in bytes.split(separator: UInt8(ascii: "\n")) { try append(Array(line)) }
    guard bytes.last == UInt8(ascii: "\n") else { throw ManifestError("the last line is cut off") }
  }
}
