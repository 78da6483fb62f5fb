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
  /// Within which another encoding takes over when the chosen one stalls and the sender answers.
  package static let maximumFallback = TimeInterval64.milliseconds(1_500)
  /// By how much the bit rate of an encoding of equal size must be higher, in tenths.
  private static let clearlyMore = 13
  private static let rateWindow = TimeInterval64.milliseconds(1_000)

  /// The encoding that is kept; nil before the first keyframe.
  package private(set) var current: Int?
  private var layers: [Int: Layer] = [:]

  private struct Layer: Hashable, Sendable {
    var pixels = 0
    var lastPacket: UTCTime
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
    if arrival - state.windowStart >= Self.rateWindow {
      state.rate = state.windowBytes
      state.windowBytes = 0
      state.windowStart = arrival
    }
    state.windowBytes &+= bytes
    layers[layer] = state
  }

  /// Decides about a frame of `layer`; `pixels` is 0 for sound.
  package mutating func judge(_ layer: Int, pixels: Int, isKeyframe: Bool, at arrival: UTCTime) -> Verdict {
    if isKeyframe { layers[layer]?.pixels = pixels }
    guard let current else {
      guard isKeyframe else { return .drop }
      self.current = layer
      return .change
    }
    if layer == current { return .keep }
    guard isKeyframe, !isLive(current, at: arrival) || isBetter(layer, than: current) else { return .drop }
    self.current = layer
    return .change
  }

  /// The encoding whose keyframe is wanted; nil while the best is kept.
  package func wanted(at now: UTCTime) -> Int? {
    let live = layers.keys.filter { isLive($0, at: now) }.sorted()
    guard
      let best = live.reduce(
        nil as Int?, { best, layer in best.map { isBetter(layer, than: $0) ? layer : $0 } ?? layer })
    else { return nil }
    guard let current, isLive(current, at: now) else { return best }
    return best != current && isBetter(best, than: current) ? best : nil
  }

  private func isLive(_ layer: Int, at now: UTCTime) -> Bool {
    guard let state = layers[layer] else { return false }
    return now - state.lastPacket < Self.stallLimit
  }

  private func isBetter(_ layer: Int, than other: Int) -> Bool {
    guard let mine = layers[layer], let theirs = layers[other] else { return false }
    if mine.pixels > 0, theirs.pixels > 0, mine.pixels != theirs.pixels { return mine.pixels > theirs.pixels }
    guard mine.pixels > 0 || theirs.pixels > 0, let rate = mine.rate, let otherRate = theirs.rate else { return false }
    return rate / 10 > otherRate / Self.clearlyMore
  }
}
