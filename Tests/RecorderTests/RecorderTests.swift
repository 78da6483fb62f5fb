import Archive
import Cryptography
import Foundation
import Incidents
import Primitives
import Recorder
import Relay
import Testing

/// The recorder from ring to folder, on a disk that can be filled up, held still or left behind.
@Suite(.serialized) struct RecorderTests {
  @Test func aCallBecomesASealedArchiveThatVerifies() throws {
    let call = try RecordedCall()
    call.announce()
    call.send(50)
    call.stop()
    let report = try call.verify()
    #expect(report.isWhole, "\(report.text)")
    let contents = try call.contents()
    #expect(contents.isSealed)
    let track = try #require(contents.tracks.first)
    #expect(track.segments.flatMap(\.fragments).reduce(0) { $0 + $1.frames } == 50)
    let span = try #require(contents.span)
    #expect(abs((span.end - span.start).milliseconds - 5_000) <= 100)
    #expect(track.segments.allSatisfy { $0.fragments.first?.startsWithKeyframe == true })
    #expect(track.segments.flatMap(\.fragments).allSatisfy { $0.duration <= .milliseconds(1_000) })
    #expect(contents.seals.last?.seal.journal.number == 3)
    #expect(call.events.all.contains(.started(call.incident)))
    #expect(call.events.all.contains(.sealed(call.incident)))
    #expect(call.events.alarms.isEmpty)
  }

  @Test func aFullDiskIsAMarkedGapAndAnAlarm() throws {
    let call = try RecordedCall()
    call.announce()
    call.send(20)
    call.events.waitForStart()
    call.disk.fill(for: "/media/")
    call.send(20)
    call.disk.waitForRefusal()
    call.disk.empty()
    call.send(20)
    call.stop()
    let contents = try call.contents()
    let report = try call.verify()
    #expect(report.isWhole, "\(report.text)")
    #expect(contents.isSealed)
    #expect(call.events.alarms.contains { $0.contains("No space left") })
    #expect(contents.tracks.first?.gaps.contains { $0.reason == .disk } == true)
  }

  @Test func whatIsLostBeforeAnArchiveCanBeOpenedIsAGap() throws {
    let call = try RecordedCall()
    call.disk.fill(for: "manifest.jsonl")
    call.announce()
    call.send(20)
    call.disk.waitForRefusal()
    call.disk.waitForRefusal()
    call.disk.empty()
    call.send(20)
    call.stop()
    let report = try call.verify()
    #expect(report.isWhole, "\(report.text)")
    #expect(call.events.all.contains(.started(call.incident)))
    #expect(call.events.alarms.count { $0.contains("No space left") } == 1)
    let track = try #require(try call.contents().tracks.first)
    let recorded = track.segments.flatMap(\.fragments).reduce(0) { $0 + $1.frames }
    let gap = track.gaps.first { $0.reason == .disk }.map { ($0.end - $0.start).milliseconds } ?? 0
    #expect(recorded + Int(gap) / 100 == 40, "each picture is recorded or in the gap")
  }

  @Test func linesThatFindNoRoomAreWrittenLater() throws {
    let call = try RecordedCall()
    call.announce()
    call.send(20)
    call.events.waitForStart()
    call.disk.fill(for: "manifest.jsonl")
    call.send(20)
    call.disk.waitForRefusal()
    call.disk.empty()
    call.send(10)
    call.stop()
    let report = try call.verify()
    #expect(report.isWhole, "\(report.text)")
    let track = try #require(try call.contents().tracks.first)
    #expect(track.segments.flatMap(\.fragments).reduce(0) { $0 + $1.frames } == 50)
    #expect(track.gaps.isEmpty)
    #expect(!call.events.alarms.isEmpty)
  }

  @Test func aDiskThatStandsStillHoldsUpNoMediaThread() throws {
    let call = try RecordedCall()
    call.disk.stall()
    call.announce()
    call.send(200, bytes: 1_400)
    #expect(call.ring.dropped == 0)
    call.disk.goOn()
    call.stop()
    let report = try call.verify()
    #expect(report.isWhole, "\(report.text)")
    #expect(try call.contents().tracks.first?.segments.flatMap(\.fragments).reduce(0) { $0 + $1.frames } == 200)
  }

  @Test func aFullRingIsAGapOfOverload() throws {
    let call = try RecordedCall(ringCapacity: 64 << 10, isAttached: false)
    // Far more than the ring holds, before the recorder looks.
    call.send(1_000, bytes: 1_400)
    call.announce()
    call.attach()
    #expect(call.ring.dropped > 0)
    call.stop()
    #expect(call.events.alarms.contains { $0.contains("does not keep up") })
    #expect(try call.verify().isWhole)
  }

  @Test func whatACrashLeavesIsMadeWholeAndSealedByTheNextStart() throws {
    let call = try RecordedCall()
    call.announce()
    call.send(30)
    call.stop()
    // As a crash would leave it: no final seal, half a line, bytes that no line names, a file that was begun.
    let manifest = call.archive.appendingPathComponent("manifest.jsonl")
    let lines = try Data(contentsOf: manifest).split(separator: UInt8(ascii: "\n"))
    let torn = Data(lines.dropLast().joined(separator: [UInt8(ascii: "\n")])) + Data("\n{\"n\":9".utf8)
    try torn.write(to: manifest)
    let media = call.archive.appendingPathComponent("media")
    let segment = try #require(try FileManager.default.contentsOfDirectory(atPath: media.path).first)
    let handle = try FileHandle(forWritingTo: media.appendingPathComponent(segment))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([1, 2, 3]))
    try handle.close()
    try Data([9]).write(to: media.appendingPathComponent("v-begun-1-0001.webm"))
    #expect(try !call.contents0().isSealed)

    let next = try RecordedCall(in: call.folder, seed: 2)
    next.stop()
    #expect(next.events.all == [.recovered(call.incident)])
    let report = try next.verify()
    #expect(report.isWhole, "\(report.text)")
    let contents = try next.contents()
    #expect(contents.isSealed)
    #expect(contents.notes.contains { $0.text.hasPrefix("Recovered") })
    #expect(contents.tracks.first?.segments.flatMap(\.fragments).reduce(0) { $0 + $1.frames } == 30)
  }

  @Test func aCallerWhoComesBackGoesOnInTheSameArchive() throws {
    let call = try RecordedCall()
    call.announce()
    call.send(20)
    call.stop()
    let again = try RecordedCall(in: call.folder, seed: 2, startingAt: UTCTime(seconds: 1_790_000_100))
    again.announce(4)
    again.send(20, source: 4)
    again.stop()
    let contents = try again.contents()
    #expect(contents.tracks.count == 2)
    #expect(contents.isSealed)
    #expect(contents.seals.filter(\.seal.isFinal).count == 2)
    #expect(try again.verify().isWhole)
  }

  @Test func aDamagedArchiveIsMovedAsideAndNothingOfItIsChanged() throws {
    let call = try RecordedCall()
    call.announce()
    call.send(20)
    call.stop()
    let manifest = call.archive.appendingPathComponent("manifest.jsonl")
    var bytes = Array(try Data(contentsOf: manifest))
    bytes[40] ^= 1
    try Data(bytes).write(to: manifest)
    let again = try RecordedCall(in: call.folder, seed: 2)
    again.announce(4)
    again.send(20, source: 4)
    again.stop()
    let names = try FileManager.default.contentsOfDirectory(atPath: call.folder.path)
    let aside = try #require(names.first { $0.contains(".aside-") })
    let kept = try Data(contentsOf: call.folder.appendingPathComponent("\(aside)/manifest.jsonl"))
    #expect(Array(kept) == bytes)
    #expect(try again.verify().isWhole)
    #expect(again.events.alarms.contains { $0.contains("moved to") })
  }

  @Test func anEncryptedArchiveProvesWithoutItsKeyAndShowsWithIt() throws {
    let key = try #require(EnvelopeKey([UInt8](repeating: 5, count: EnvelopeKey.length)))
    let call = try RecordedCall(encryptionKey: key)
    call.announce()
    call.send(30)
    call.stop()
    #expect(try call.verify().isWhole)
    let contents = try call.contents()
    let segment = try #require(contents.tracks.first?.segments.first)
    let stored = Array(try Data(contentsOf: call.archive.appendingPathComponent(segment.entry.path.description)))
    let envelope = try EnvelopeDocument(
      parsing: Array(try Data(contentsOf: call.archive.appendingPathComponent("envelope.json"))))
    let cipher = try key.open(envelope)
    let header = try cipher.open(part: 0, of: segment.entry.path, Array(stored.prefix(segment.entry.headerLength)))
    #expect(header.starts(with: [0x1a, 0x45, 0xdf, 0xa3]), "an EBML header")
    #expect(!stored.starts(with: [0x1a, 0x45, 0xdf, 0xa3]))
    for (index, fragment) in segment.fragments.enumerated() {
      let part = Array(stored[fragment.offset..<fragment.offset + fragment.length])
      #expect(try !cipher.open(part: index + 1, of: segment.entry.path, part).isEmpty)
    }
  }

  @Test func aWholeFileIsNamedOnceItIsThereAndNeverOverwritten() async throws {
    let call = try RecordedCall()
    call.announce()
    call.send(10)
    let path = try #require(ArchivePath("stills/one.jpg"))
    let first = await call.write([1, 2, 3], to: path)
    #expect(try first.get() == Digest.sha256([1, 2, 3]))
    let second = await call.write([4], to: path)
    #expect(throws: DiskError.self) { try second.get() }
    call.stop()
    #expect(try call.contents().files.map(\.path) == [path])
    #expect(try call.verify().isWhole)
  }
}

extension RecordedCall {
  /// Reads a manifest whose last line may be cut off.
  fileprivate func contents0() throws -> ArchiveContents {
    let bytes = Array(try Data(contentsOf: archive.appendingPathComponent("manifest.jsonl")))
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return try ArchiveContents(reading: Array(bytes.prefix(end)))
  }

  fileprivate func write(_ bytes: [UInt8], to path: ArchivePath) async -> Result<[UInt8], DiskError> {
    await withCheckedContinuation { continuation in
      let isTaken = recorder.write(
        FileBytes(
          path: path, bytes: bytes, purpose: .still, track: nil, start: UTCTime(seconds: 1_790_000_000),
          duration: .zero, mimeType: "image/jpeg", note: nil
        ) { continuation.resume(returning: $0) }, of: incident)
      if !isTaken { continuation.resume(returning: .failure(DiskError(.failed, "not taken"))) }
    }
  }
}
