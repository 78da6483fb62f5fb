import Primitives
import RTP

// What the recorder gets. Packet path: one copy into the ring, nothing else.

extension Relay {
  /// Has what a source sends copied to the recorder under `number`, which is not 0.
  package func record(_ handle: SourceHandle, as number: UInt32) {
    sources.find(Int(handle.index))?.pointee.recording = number
  }

  /// The formats that a source may send, by their index.
  package func recordedFormats(of handle: SourceHandle) -> [FormatIndex: MediaFormat] {
    guard let source = sources.find(Int(handle.index)) else { return [:] }
    var result: [FormatIndex: MediaFormat] = [:]
    for (number, format) in formats.formats.enumerated() {
      let index = FormatIndex(UInt8(number))
      if source.pointee.payloadTypes.carries(index) { result[index] = format }
    }
    return result
  }

  /// Copies an admitted packet to the ring.
  @inline(__always)
  func recordPacket(
    _ packet: CachedPacket, _ payload: UnsafeRawPointer, of stream: UnsafeMutablePointer<Stream>, now: MonotonicTime
  ) {
    guard let recorder, stream.pointee.recording != 0 else { return }
    var entry = HandoverEntry(kind: .packet, source: stream.pointee.recording)
    entry.format = packet.format
    entry.marker = packet.marker
    entry.layer = stream.pointee.recordingLayer
    entry.ssrc = stream.pointee.ssrc
    entry.timestamp = packet.timestamp
    entry.length = packet.length
    entry.extended = packet.extended
    entry.arrival = now.nanoseconds
    recorder.write(entry, payload: payload)
  }

  /// Tells the recorder of a sender report, with the sender's clock as it came.
  func recordReport(_ report: SenderReport, of stream: UnsafeMutablePointer<Stream>, now: MonotonicTime) {
    guard let recorder, stream.pointee.recording != 0 else { return }
    var entry = HandoverEntry(kind: .report, source: stream.pointee.recording)
    entry.ssrc = stream.pointee.ssrc
    entry.timestamp = report.rtpTimestamp
    entry.ntpTime = report.ntpTime
    entry.arrival = now.nanoseconds
    recorder.write(entry, payload: nil)
  }

  /// Asks the sender of a recorded source for a keyframe of the stream that is recorded: of several sizes the others, which
  /// viewers with little bandwidth see, stay as they are.
  package func requestKeyframe(ofRecorded number: UInt32, stream ssrc: SSRC, now: MonotonicTime) {
    for index in 0..<sources.end {
      guard let source = sources.find(index), source.pointee.recording == number else { continue }
      for named in source.pointee.streams where streams[unchecked: named.handle.index].pointee.ssrc == ssrc {
        requestKeyframe(of: named.handle, now: now)
      }
    }
  }
}
