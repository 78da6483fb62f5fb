import Primitives

/// Holds back the first pictures of a track until the sender's reports say when they were taken.
///
/// Until then there is only the time of their arrival, and the first of all come late: an encoder has to be started, three of
/// them with simulcast. What is recorded would be shorter than what happened by as much. It also lets the track begin with
/// the best of several encodings that begin at once.
struct Opening: Sendable {
  struct Held: Sendable {
    var encoding: Int
    var event: FrameAssembler.Event
  }

  /// How long the first picture waits; browsers report half a second after it.
  static let maximumWait = TimeInterval64.milliseconds(750)
  /// Bytes that wait; at the limit all is let go.
  static let maximumBytes = 8 * 1_024 * 1_024
  /// How long the better of several encodings may come after the first.
  static let maximumChoice = TimeInterval64.milliseconds(150)

  private var held: [Held] = []
  private var byteCount = 0
  private var since: UTCTime?

  mutating func add(_ event: FrameAssembler.Event, of encoding: Int) {
    held.append(Held(encoding: encoding, event: event))
    guard case .frame(let frame) = event else { return }
    byteCount += frame.bytes.count
    if since == nil { since = frame.arrival }
  }

  /// Whether nothing is to be waited for any more; `isTimed` when every encoding has its report.
  func isOver(at now: UTCTime, isTimed: Bool) -> Bool {
    guard let since else { return false }
    return isTimed || now - since >= Self.maximumWait || byteCount > Self.maximumBytes
  }

  /// All in the order in which it came, but for the keyframe of the best encoding, which comes first.
  func ordered() -> [Held] {
    var starts: [(place: Int, pixels: Int, arrival: UTCTime)] = []
    var known: Set<Int> = []
    for (place, each) in held.enumerated() {
      guard case .frame(let frame) = each.event, frame.isKeyframe, known.insert(each.encoding).inserted else {
        continue
      }
      starts.append((place, frame.format.width * frame.format.height, frame.arrival))
    }
    guard let first = starts.first else { return held }
    let candidates = starts.filter { $0.arrival - first.arrival <= Self.maximumChoice }
    guard let best = candidates.max(by: { $0.pixels < $1.pixels }), best.pixels > first.pixels else { return held }
    var ordered = held
    ordered.insert(ordered.remove(at: best.place), at: 0)
    return ordered
  }
}
