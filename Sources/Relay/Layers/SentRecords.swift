/// Which packet went out under each of a slot's last sequence numbers, for slots that leave layers out.
///
/// A slot that forwards everything needs none of it: its numbers differ from the stream's by one offset. Once packets are
/// left out, the numbers move closer together, and requests for repair must find their way back. Memory is made with the
/// first record and owned by whoever calls ``deallocate()``: most viewers never need it.
struct SentRecords: BitwiseCopyable {
  /// One sequence number of the slot.
  struct Record: BitwiseCopyable {
    /// The stream's extended sequence number, lower half.
    var extended: UInt32 = 0
    /// Pictures that were left out before it, modulo 2^15.
    var skippedPictures: UInt16 = 0
    /// Distinguishes a number from the one ``capacity`` before it.
    var round: UInt16 = .max
  }

  /// Sequence numbers that can be found: what a ``PacketRing`` of video holds.
  static let capacity = PacketRing.videoCapacity
  private var records: UnsafeMutablePointer<Record>?

  func deallocate() {
    records?.deallocate()
  }

  @inline(__always)
  mutating func set(_ number: Int64, extended: Int64, skippedPictures: UInt16) {
    (records ?? allocate())[place(number)] = Record(
      extended: UInt32(truncatingIfNeeded: extended), skippedPictures: skippedPictures, round: round(number))
  }

  private mutating func allocate() -> UnsafeMutablePointer<Record> {
    let made = UnsafeMutablePointer<Record>.allocate(capacity: Self.capacity)
    made.initialize(repeating: Record(), count: Self.capacity)
    records = made
    return made
  }

  @inline(__always)
  func find(_ number: Int64) -> Record? {
    guard let record = records?[place(number)] else { return nil }
    return record.round == round(number) ? record : nil
  }

  /// The number under which `extended` went out, among those from `first` up to `end`; numbers rise with the stream's.
  func number(of extended: Int64, from first: Int64, to end: Int64) -> Int64? {
    let wanted = UInt32(truncatingIfNeeded: extended)
    var low = max(first, end - Int64(Self.capacity))
    var high = end
    while low < high {
      let middle = low + (high - low) / 2
      guard let record = find(middle) else {
        low = middle + 1
        continue
      }
      let distance = Int32(bitPattern: record.extended &- wanted)
      if distance == 0 { return middle }
      if distance < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  private func place(_ number: Int64) -> Int { Int(truncatingIfNeeded: number) & (Self.capacity - 1) }
  private func round(_ number: Int64) -> UInt16 { UInt16(truncatingIfNeeded: number >> 9) & 0x7fff }
}
