import Primitives
import RTP

/// Puts pictures together by sequence number and shows them as a browser does: in order, each after the one it needs, but
/// a complete keyframe at once.
///
/// It knows a picture by what every receiver sees: numbers without a gap, one timestamp, the marker at the end. The tags
/// then tell whether that was the truth.
struct PictureDecoder {
  struct Picture: Equatable {
    var encoding: Int
    var number: UInt32
    var isKeyframe: Bool
    var capturedAt: MonotonicTime
    var shownAt: MonotonicTime
  }

  private struct Packet {
    let timestamp: UInt32
    let marker: Bool
    let tag: PictureTag
    let arrival: MonotonicTime
  }

  private(set) var shown: [Picture] = []
  /// Pictures that looked decodable and were not: the one that they need was not shown before, or parts were another's.
  private(set) var torn = 0
  /// Pictures whose timestamp did not rise.
  private(set) var backward = 0
  /// Since when a picture that came in part, or that needs another, waits; nil while none does.
  var waitingSince: MonotonicTime? { packets.isEmpty ? nil : waits }
  private var waits = MonotonicTime.zero
  private var packets: [Int64: Packet] = [:]
  /// Where keyframes start among them.
  private var keyframes: [Int64] = []
  /// The first number of the picture that comes next; nil before the first keyframe.
  private var next: Int64?
  private var lastTimestamp: UInt32?

  /// Takes a packet by its extended number; returns whether it was news.
  mutating func insert(
    _ extended: Int64, timestamp: UInt32, marker: Bool, tag: PictureTag, now: MonotonicTime
  ) -> Bool {
    guard extended >= next ?? .min, packets[extended] == nil else { return false }
    if packets.isEmpty { waits = now }
    packets[extended] = Packet(timestamp: timestamp, marker: marker, tag: tag, arrival: now)
    if tag.isKeyframe, tag.index == 0 { keyframes.append(extended) }
    showAll(now)
    return true
  }

  private mutating func showAll(_ now: MonotonicTime) {
    while let range = decodable() { show(range, now) }
  }

  /// The picture that is next, or else the first complete keyframe.
  private func decodable() -> Range<Int64>? {
    if let next, let end = end(ofPictureAt: next) { return next..<end }
    for start in keyframes.sorted() {
      if let end = end(ofPictureAt: start) { return start..<end }
    }
    return nil
  }

  /// Behind the last packet of the picture that starts at `start`; nil while it is not complete.
  private func end(ofPictureAt start: Int64) -> Int64? {
    guard let timestamp = packets[start]?.timestamp else { return nil }
    var place = start
    while let packet = packets[place], packet.timestamp == timestamp {
      if packet.marker { return place + 1 }
      place += 1
    }
    return nil
  }

  private mutating func show(_ range: Range<Int64>, _ now: MonotonicTime) {
    guard let first = packets[range.lowerBound] else { return }
    let tag = first.tag
    let isWhole =
      range.count == Int(tag.count)
      && range.allSatisfy {
        packets[$0].map { $0.tag.encoding == tag.encoding && $0.tag.number == tag.number } ?? false
      }
    let follows = shown.last.map { $0.encoding == Int(tag.encoding) && $0.number + 1 == tag.number } ?? false
    if !isWhole || !(tag.isKeyframe || follows) { torn += 1 }
    if let lastTimestamp, Int32(bitPattern: first.timestamp &- lastTimestamp) <= 0 { backward += 1 }
    lastTimestamp = first.timestamp
    shown.append(
      Picture(
        encoding: Int(tag.encoding), number: tag.number, isKeyframe: tag.isKeyframe, capturedAt: tag.capturedAt,
        shownAt: now))
    next = range.upperBound
    packets = packets.filter { $0.key >= range.upperBound }
    keyframes.removeAll { $0 < range.upperBound }
    waits = packets.values.map(\.arrival).min() ?? now
  }
}

extension PictureDecoder {
  /// The longest time without a new picture between two moments.
  func longestFreeze(from start: MonotonicTime, to end: MonotonicTime) -> TimeInterval64 {
    var last = start
    var longest = TimeInterval64.zero
    for picture in shown where picture.shownAt > start && picture.shownAt <= end {
      longest = max(longest, picture.shownAt - last)
      last = picture.shownAt
    }
    return max(longest, end - last)
  }

  /// Time between two moments in which the picture had stood still for longer than `limit`, all such stops together.
  func frozenTime(from start: MonotonicTime, to end: MonotonicTime, beyond limit: TimeInterval64) -> TimeInterval64 {
    var last = start
    var frozen = TimeInterval64.zero
    for time in shown.map(\.shownAt).filter({ $0 > start && $0 <= end }) + [end] {
      if time - last > limit { frozen = frozen + (time - last) }
      last = time
    }
    return frozen
  }

  func pictures(capturedFrom start: MonotonicTime, to end: MonotonicTime) -> [Picture] {
    shown.filter { $0.capturedAt >= start && $0.capturedAt < end }
  }

  /// Below which a share of the delays from camera to screen lie.
  func delay(share: Double, from start: MonotonicTime, to end: MonotonicTime) -> TimeInterval64? {
    let delays = pictures(capturedFrom: start, to: end).map { $0.shownAt - $0.capturedAt }.sorted()
    guard !delays.isEmpty else { return nil }
    return delays[min(delays.count - 1, Int(Double(delays.count) * share))]
  }
}
