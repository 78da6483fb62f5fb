import Primitives
import RTP

/// Whether somebody speaks into a microphone, from the loudness of its packets (RFC 6464).
///
/// Plain data; a packet costs a few integer operations. The loudness is smoothed and must stand out from the scene's own
/// noise, which is learnt slowly, so that a siren that goes on is no speaker for long. A cough is too short to count, and
/// who spoke keeps the floor between words.
package struct SpeakerLevel: BitwiseCopyable, Sendable {
  private enum Phase: BitwiseCopyable {
    case quiet
    /// Loud, but not yet for long enough.
    case rising(since: MonotonicTime)
    case speaking(heardAt: MonotonicTime)
  }

  private var phase = Phase.quiet
  /// Smoothed loudness above digital silence (-127 dBov), in 1/64 dB.
  private var loudness: Int32 = 0
  /// The scene's own noise, in the same unit.
  private var noise = SpeakerLevel.decibels(67)

  /// Shortest sound that counts as speech.
  package static let attack = TimeInterval64.milliseconds(100)
  /// How long a speaker is still one after the last word.
  package static let hold = TimeInterval64.milliseconds(1_500)
  /// Quietest speech, above digital silence: -52 dBov.
  private static let leastLoudness = decibels(75)
  /// How far speech stands out from the noise.
  private static let leastDistance = decibels(9)
  /// How much quieter a speaker may become without being one no more.
  private static let hysteresis = decibels(4)

  private static func decibels(_ value: Int32) -> Int32 { value << 6 }

  package init() {}

  package var isSpeaking: Bool {
    switch phase {
    case .quiet, .rising: false
    case .speaking: true
    }
  }

  /// Takes a packet's loudness.
  package mutating func note(_ level: AudioLevel, now: MonotonicTime) {
    let current = Self.decibels(127 - Int32(level.attenuation))
    // Up within a syllable, down within a word, so that the gaps between syllables do not count.
    loudness += current > loudness ? (current - loudness) / 4 : (current - loudness) / 16
    // Down within a pause; up by less than a decibel in a second of packets, which is slower than anybody speaks.
    noise += loudness < noise ? (loudness - noise) / 8 : 1
    switch phase {
    case .quiet:
      if isLoud(by: 0) { phase = .rising(since: now) }
    case .rising(let since):
      if !isLoud(by: 0) {
        phase = .quiet
      } else if now - since >= Self.attack, current >= Self.leastLoudness {
        // The packet itself must be loud: a click is smoothed into something longer.
        phase = .speaking(heardAt: now)
      }
    case .speaking:
      if isLoud(by: Self.hysteresis) { phase = .speaking(heardAt: now) } else { update(now: now) }
    }
  }

  /// Ends a speaker's turn when it is over; needed where no packets come in silence.
  package mutating func update(now: MonotonicTime) {
    if case .speaking(let heardAt) = phase, now - heardAt >= Self.hold { phase = .quiet }
  }

  private func isLoud(by tolerance: Int32) -> Bool {
    loudness >= Self.leastLoudness - tolerance && loudness >= noise + Self.leastDistance - tolerance
  }
}
