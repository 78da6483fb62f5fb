import Primitives

/// Keeps the best live one of several simulcast encodings of a track.
///
/// It changes only at a keyframe. The best has most pixels; among equals, clearly most bits.
package struct LayerChooser: Hashable, Sendable {
  package enum Verdict: Hashable, Sendable {
    case keep
    /// Keep, and the encoding is another one than before.
    case change
    case drop
  }

  /// Silence of the chosen encoding after which the keyframe of any other will do.
  ///
  /// With a keyframe request's round trip it comes to less than ``maximumFallback``.
  package static let stallLimit = TimeInterval64.milliseconds(700)
  /// The same while ``pauseFrames`` of others have come: it is no hole in the network, the sender has paused the encoding.
  package static let pauseLimit = TimeInterval64.milliseconds(350)
  static let pauseFrames = 5
  /// Within which another encoding takes over when the chosen one stalls and the sender answers.
  package static let maximumFallback = TimeInterval64.milliseconds(1_500)
  /// By how much the bit rate of an encoding of equal size must be higher, in tenths.
  private static let clearlyMore = 13
  private static let rateWindow = TimeInterval64.milliseconds(1_000)

  /// The encoding that is kept; nil before the first keyframe.
  package private(set) var current: Int?
  /// Frames of others since the last packet of ``current``.
  private var framesElsewhere = 0
  private var layers: [Int: Layer] = [:]

  private struct Layer: Hashable, Sendable {
    var pixels = 0
    var lastPacket: UTCTime
    /// Whether it was left because nothing came of it any more, and nothing has come since.
    var hasStopped = false
    var windowStart: UTCTime
    var windowBytes = 0
    /// Bytes in the last whole window; nil before its end.
    var rate: Int?
  }

  package init() {}

  /// Notes that a packet with media came.
  package mutating func note(_ layer: Int, bytes: Int, at arrival: UTCTime) {
    var state = layers[layer] ?? Layer(lastPacket: arrival, windowStart: arrival)
    state.lastPacket = arrival
    state.hasStopped = false
    if arrival - state.windowStart >= Self.rateWindow {
      state.rate = state.windowBytes
      state.windowBytes = 0
      state.windowStart = arrival
    }
    state.windowBytes &+= bytes
    layers[layer] = state
    if layer == current { framesElsewhere = 0 }
  }

  /// Decides about a frame of `layer`; `pixels` is 0 for sound.
  package mutating func judge(_ layer: Int, pixels: Int, isKeyframe: Bool, at arrival: UTCTime) -> Verdict {
    if isKeyframe { layers[layer]?.pixels = pixels }
    guard let current else {
      guard isKeyframe else { return .drop }
      change(to: layer)
      return .change
    }
    if layer == current { return .keep }
    framesElsewhere += 1
    let isOver = hasStopped(current, at: arrival)
    guard isKeyframe, isOver || isBetter(layer, than: current) else { return .drop }
    layers[current]?.hasStopped = isOver
    change(to: layer)
    return .change
  }

  private mutating func change(to layer: Int) {
    current = layer
    framesElsewhere = 0
  }

  /// The encoding whose keyframe is wanted; nil while the best is kept.
  package func wanted(at now: UTCTime) -> Int? {
    let stopped = current.flatMap { hasStopped($0, at: now) ? $0 : nil }
    let live = layers.keys.filter { $0 != stopped && isLive($0, at: now) }.sorted()
    guard
      let best = live.reduce(
        nil as Int?, { best, layer in best.map { isBetter(layer, than: $0) ? layer : $0 } ?? layer })
    else { return nil }
    guard let current, stopped == nil else { return best }
    return best != current && isBetter(best, than: current) ? best : nil
  }

  /// Whether something of an encoding has come lately.
  func isLive(_ layer: Int, at now: UTCTime) -> Bool {
    guard let state = layers[layer] else { return false }
    return !state.hasStopped && now - state.lastPacket < Self.stallLimit
  }

  /// Whether nothing more is to be expected of the chosen encoding.
  private func hasStopped(_ current: Int, at now: UTCTime) -> Bool {
    guard let state = layers[current] else { return true }
    let silence = now - state.lastPacket
    return silence >= Self.stallLimit || (silence >= Self.pauseLimit && framesElsewhere >= Self.pauseFrames)
  }

  private func isBetter(_ layer: Int, than other: Int) -> Bool {
    guard let mine = layers[layer], let theirs = layers[other] else { return false }
    if mine.pixels > 0, theirs.pixels > 0, mine.pixels != theirs.pixels { return mine.pixels > theirs.pixels }
    guard mine.pixels > 0 || theirs.pixels > 0, let rate = mine.rate, let otherRate = theirs.rate else { return false }
    return rate / 10 > otherRate / Self.clearlyMore
  }
}
