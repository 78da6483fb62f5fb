/// Which packet went out under each of a slot's last sequence numbers, for slots that leave layers out.
///
/// A slot that forwards everything needs none of it: its numbers differ from the stream's by one offset. Once packets are
/// left out, the numbers move closer together, and requests for repair must find their way back. Memory is owned by
/// whoever calls ``deallocate()``.
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
  private let records: UnsafeMutablePointer<Record>

  init() {
    records = .allocate(capacity: Self.capacity)
    records.initialize(repeating: Record(), count: Self.capacity)
  }

  func deallocate() {
    records.deallocate()
  }

  @inline(__always)
  func set(_ number: Int64, extended: Int64, skippedPictures: UInt16) {
    records[place(number)] = Record(
      extended: UInt32(truncatingIfNeeded: extended), skippedPictures: skippedPictures, round: round(number))
  }

  @inline(__always)
  func find(_ number: Int64) -> Record? {
    let record = records[place(number)]
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
