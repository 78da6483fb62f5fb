import Primitives

/// What was sent lately, by transport-wide number.
///
/// Packet path: ``note(_:bytes:probe:now:)`` is a few stores into memory that the first packet allocated: receivers without
/// transport-wide numbers need none.
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

  /// 16 bytes.
  package struct Entry: BitwiseCopyable {
    /// Nanoseconds on our clock.
    package var sentAt: UInt64 = 0
    package var bytes: UInt16 = 0
    package var sequence: UInt16 = 0
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

  /// Packets remembered: a quarter of a second at 50 Mbit/s, four at 2.5.
  ///
  /// A power of two.
  package static let capacity = 1_024

  private var entries: UnsafeMutablePointer<Entry>?
  /// Packets and bytes sent so far.
  package private(set) var count: UInt64 = 0
  package private(set) var bytes: UInt64 = 0
  package private(set) var newest: UInt16 = 0

  package init() {}

  package func deallocate() {
    entries?.deallocate()
  }

  @inline(__always)
  package mutating func note(_ sequence: UInt16, bytes length: Int, probe: UInt8, now: MonotonicTime) {
    let entries = self.entries ?? allocate()
    entries[Int(sequence) & (Self.capacity - 1)] = Entry(
      sentAt: now.nanoseconds, bytes: UInt16(clamping: length), sequence: sequence, probe: probe, fate: .inFlight)
    newest = sequence
    count &+= 1
    bytes &+= UInt64(UInt16(clamping: length))
  }

  /// Lets go of all packets so far, so that feedback about them changes nothing.
  package mutating func forget() {
    entries?.update(repeating: Entry(), count: Self.capacity)
  }

  private mutating func allocate() -> UnsafeMutablePointer<Entry> {
    let made = UnsafeMutablePointer<Entry>.allocate(capacity: Self.capacity)
    made.initialize(repeating: Entry(), count: Self.capacity)
    entries = made
    return made
  }

  package func place(of sequence: UInt16) -> Place {
    let age = newest &- sequence
    // Half of the numbers lie ahead of the newest.
    guard age < 0x8000, UInt64(age) < count else { return .neverSent }
    let index = Int(sequence) & (Self.capacity - 1)
    let entry = self[index]
    guard entry.fate != .none, entry.sequence == sequence else { return .forgotten }
    return .known(index: index)
  }

  /// The entry at an index that ``place(of:)`` gave.
  package subscript(index: Int) -> Entry { entries?[index & (Self.capacity - 1)] ?? Entry() }

  package func setFate(_ fate: Fate, at index: Int) {
    entries?[index & (Self.capacity - 1)].fate = fate
  }
}
