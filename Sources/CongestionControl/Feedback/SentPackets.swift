import Primitives

/// What was sent lately, by transport-wide number.
///
/// Packet path: ``note(_:bytes:probe:now:)`` is a few stores into memory that the first packet allocated: receivers without
/// transport-wide numbers need none. It grows, twice at most, where feedback comes late or many packets leave.
package struct SentPackets {
  /// What became of a packet, as far as feedback told.
  package enum Fate: UInt8, BitwiseCopyable {
    /// The place was never used.
    case none
    case inFlight
    /// Reported missing; it may still be reported as received.
    case lost
    case received
  }

  /// What is known of a packet.
  package struct Entry: BitwiseCopyable {
    /// Nanoseconds on our clock.
    package var sentAt: UInt64 = 0
    package var bytes: UInt16 = 0
    /// 0 outside probes.
    package var probe: UInt8 = 0
    package var fate = Fate.none
  }

  /// Where a number stands.
  package enum Place: Equatable {
    case known(index: Int)
    /// Sent, but so long ago that its entry was used again.
    case forgotten
    case neverSent
  }

  /// Packets remembered at least and at most: one second at 2.5 Mbit/s, and a quarter of one at 50.
  ///
  /// Powers of two.
  package static let leastCapacity = 256
  package static let capacity = 1_024
  /// Packets are remembered until feedback tells of them, and for so long in any case, within ``capacity``: what was
  /// reported lost may still come.
  package static let memory = TimeInterval64.milliseconds(500)

  private var entries: UnsafeMutablePointer<PackedEntry>?
  /// Places in `entries`, less one.
  private var mask = SentPackets.leastCapacity - 1
  /// Packets and bytes sent so far.
  package private(set) var count: UInt64 = 0
  package private(set) var bytes: UInt64 = 0
  package private(set) var newest: UInt16 = 0
  /// When it was sent: times in entries are told from it.
  private var newestSentAt: UInt64 = 0

  package init() {}

  package func deallocate() {
    entries?.deallocate()
  }

  @inline(__always)
  package mutating func note(_ sequence: UInt16, bytes length: Int, probe: UInt8, now: MonotonicTime) {
    var entries = self.entries ?? allocate(Self.leastCapacity)
    newest = sequence
    newestSentAt = max(newestSentAt, now.nanoseconds)
    while isNeeded(entries[Int(sequence) & mask]) { entries = grow(from: entries) }
    entries[Int(sequence) & mask] = PackedEntry(
      sequence, sentAt: now.nanoseconds, bytes: length, probe: probe, fate: .inFlight)
    count &+= 1
    bytes &+= UInt64(UInt16(clamping: length))
  }

  /// Where ``note(_:bytes:probe:now:)`` will write, unless it grows by then.
  @inline(__always)
  package func notePlace(of sequence: UInt16) -> UnsafeRawPointer? {
    entries.map { UnsafeRawPointer($0 + (Int(sequence) & mask)) }
  }

  /// Lets go of all packets so far, so that feedback about them changes nothing.
  package mutating func forget() {
    entries?.update(repeating: PackedEntry(), count: mask + 1)
  }

  /// Whether an entry should not give way yet, and need not.
  @inline(__always)
  private func isNeeded(_ entry: PackedEntry) -> Bool {
    guard mask < Self.capacity - 1, entry.fate != .none else { return false }
    return entry.fate == .inFlight || entry.age(at: newestSentAt) < UInt64(Self.memory.nanoseconds)
  }

  private mutating func grow(from old: UnsafeMutablePointer<PackedEntry>) -> UnsafeMutablePointer<PackedEntry> {
    let count = mask + 1
    let made = allocate(2 * count)
    // Those before the newest, each at its new place.
    for age in 1...count {
      let sequence = newest &- UInt16(age)
      let entry = old[Int(sequence) & (count - 1)]
      if entry.belongs(to: sequence) { made[Int(sequence) & mask] = entry }
    }
    old.deallocate()
    return made
  }

  private mutating func allocate(_ count: Int) -> UnsafeMutablePointer<PackedEntry> {
    let made = UnsafeMutablePointer<PackedEntry>.allocate(capacity: count)
    made.initialize(repeating: PackedEntry(), count: count)
    entries = made
    mask = count - 1
    return made
  }

  package func place(of sequence: UInt16) -> Place {
    let age = newest &- sequence
    // Half of the numbers lie ahead of the newest.
    guard age < 0x8000, UInt64(age) < count else { return .neverSent }
    let index = Int(sequence) & mask
    guard let entry = entries?[index], entry.belongs(to: sequence) else { return .forgotten }
    return .known(index: index)
  }

  /// The entry at an index that ``place(of:)`` gave.
  package subscript(index: Int) -> Entry {
    guard let entry = entries?[index & mask] else { return Entry() }
    return Entry(
      sentAt: newestSentAt &- entry.age(at: newestSentAt), bytes: entry.bytes, probe: entry.probe, fate: entry.fate)
  }

  package func setFate(_ fate: Fate, at index: Int) {
    entries?[index & mask].fate = fate
  }
}

/// An entry in eight bytes, since every viewer has hundreds.
private struct PackedEntry: BitwiseCopyable {
  /// From the highest bit on: the lower 35 bits of the time in nanoseconds, 34 s, longer than any feedback takes; 11 of
  /// the length; the upper 8 of the number, whose lower ones are the place; the probe; the fate.
  private var bits: UInt64 = 0

  private static let timeShift: UInt64 = 29
  private static let lengthShift: UInt64 = 18
  private static let mostBytes = 1 << 11 - 1
  private static let sequenceShift: UInt64 = 10
  private static let probeShift: UInt64 = 2

  init() {}

  @inline(__always)
  init(_ sequence: UInt16, sentAt: UInt64, bytes: Int, probe: UInt8, fate: SentPackets.Fate) {
    bits =
      sentAt << Self.timeShift | UInt64(min(max(bytes, 0), Self.mostBytes)) << Self.lengthShift
      | UInt64(sequence >> 8) << Self.sequenceShift | UInt64(probe) << Self.probeShift | UInt64(fate.rawValue)
  }

  /// Nanoseconds since it was sent, modulo 2^35.
  @inline(__always)
  func age(at now: UInt64) -> UInt64 { (now &- bits >> Self.timeShift) & (.max >> Self.timeShift) }

  var bytes: UInt16 { UInt16(truncatingIfNeeded: bits >> Self.lengthShift) & UInt16(Self.mostBytes) }
  var probe: UInt8 { UInt8(truncatingIfNeeded: bits >> Self.probeShift) }

  @inline(__always)
  var fate: SentPackets.Fate {
    get { SentPackets.Fate(rawValue: UInt8(truncatingIfNeeded: bits & 3)) ?? .none }
    set { bits = bits & ~3 | UInt64(newValue.rawValue) }
  }

  /// Whether it is of `sequence`, in whose place it stands.
  @inline(__always)
  func belongs(to sequence: UInt16) -> Bool {
    fate != .none && UInt8(truncatingIfNeeded: bits >> Self.sequenceShift) == UInt8(truncatingIfNeeded: sequence >> 8)
  }
}
