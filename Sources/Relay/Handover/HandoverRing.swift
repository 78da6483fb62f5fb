import Primitives
import Synchronization

/// Carries what a media thread received to another thread, be it the recorder's or another media thread: bounded, without a
/// lock, one writer and one reader.
///
/// When it is full the newest is dropped and counted: who reads falls behind, the call never does (DESIGN decision 7).
/// The memory lives as long as this object; the ``Writer`` is plain data for the packet path.
package final class HandoverRing: Sendable {
  /// Bytes that wait for the recorder at most: about ten seconds of a hundred streams of 1.5 Mbit/s.
  package static let standardCapacity = 256 << 20
  /// Bytes that wait for another media thread at most: what streams of 50 Mbit/s together bring in a second, or the history
  /// of ten.
  package static let mirrorCapacity = 8 << 20

  /// Memory and positions; the writer moves only `written` and `dropped`, the reader only `read`.
  struct Storage: BitwiseCopyable {
    let memory: UnsafeMutableRawPointer
    /// A power of two.
    let capacity: Int
    let written: UnsafeMutablePointer<Atomic<Int>>
    let read: UnsafeMutablePointer<Atomic<Int>>
    let dropped: UnsafeMutablePointer<Atomic<Int>>
  }

  // One thread writes and one reads; what lies between the two positions belongs to the reader, all else to the writer.
  nonisolated(unsafe) private let storage: Storage

  /// - Parameter capacity: Bytes, rounded up to a power of two.
  package init(capacity: Int = standardCapacity) {
    var rounded = 4_096
    while rounded < capacity { rounded *= 2 }
    func position() -> UnsafeMutablePointer<Atomic<Int>> {
      let pointer = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: 1)
      pointer.initialize(to: Atomic(0))
      return pointer
    }
    storage = Storage(
      memory: .allocate(byteCount: rounded, alignment: 64), capacity: rounded, written: position(), read: position(),
      dropped: position())
  }

  deinit {
    storage.memory.deallocate()
    for position in [storage.written, storage.read, storage.dropped] {
      position.deinitialize(count: 1)
      position.deallocate()
    }
  }

  /// The writing end; it must not outlive the ring, and one thread uses it.
  package var writer: Writer { Writer(storage: storage) }

  /// Entries that found no room since the start.
  package var dropped: Int { storage.dropped.pointee.load(ordering: .relaxed) }

  /// Bytes that wait.
  package var waiting: Int {
    storage.written.pointee.load(ordering: .acquiring) - storage.read.pointee.load(ordering: .relaxed)
  }

  /// How far has been written: a position for ``drain(upTo:limit:_:)``.
  package var end: Int { storage.written.pointee.load(ordering: .acquiring) }

  /// Hands out what waits, oldest first; one thread calls it.
  ///
  /// The payload is valid during the call of `body`.
  ///
  /// - Parameters:
  ///   - end: Where to stop, as ``end`` told it; nil for all that waits now.
  ///   - limit: Most entries.
  package func drain(
    upTo end: Int? = nil, limit: Int = .max, _ body: (HandoverEntry, UnsafeRawBufferPointer) -> Void
  ) {
    let written = end ?? self.end
    var position = storage.read.pointee.load(ordering: .relaxed)
    var count = 0
    while position < written, count < limit {
      let place = position & (storage.capacity - 1)
      let entry = (storage.memory + place).load(as: HandoverEntry.self)
      if entry.kind != .padding {
        body(
          entry, UnsafeRawBufferPointer(start: storage.memory + place + Writer.headerLength, count: Int(entry.length)))
        count += 1
      }
      position += Writer.size(of: Int(entry.length))
      // Each entry's room is given back as soon as it is done with: a burst finds it.
      storage.read.pointee.store(position, ordering: .releasing)
    }
  }

  /// The end that the media thread holds.
  ///
  /// Packet path: no allocation, no lock, no reference count.
  package struct Writer: BitwiseCopyable {
    let storage: Storage

    /// An entry stands in a whole number of cache lines, so that headers are aligned and never broken in two.
    static let headerLength = 64
    static let alignment = 64

    @inline(__always)
    static func size(of length: Int) -> Int { (headerLength &+ length &+ (alignment &- 1)) & ~(alignment &- 1) }

    /// Adds an entry; false when there is no room, which is counted.
    @inline(__always)
    @discardableResult
    package func write(_ entry: HandoverEntry, payload: UnsafeRawPointer?) -> Bool {
      let written = storage.written.pointee.load(ordering: .relaxed)
      let size = Self.size(of: Int(entry.length))
      let place = written & (storage.capacity &- 1)
      // An entry lies in one piece: what does not fit before the end of memory begins at its start.
      let skipped = place &+ size > storage.capacity ? storage.capacity &- place : 0
      let used = written &- storage.read.pointee.load(ordering: .acquiring)
      guard used &+ skipped &+ size <= storage.capacity else {
        storage.dropped.pointee.wrappingAdd(1, ordering: .relaxed)
        return false
      }
      if skipped > 0 {
        var padding = HandoverEntry(kind: .padding, source: 0)
        padding.length = Int32(truncatingIfNeeded: skipped &- Self.headerLength)
        (storage.memory + place).storeBytes(of: padding, as: HandoverEntry.self)
      }
      let target = storage.memory + (skipped > 0 ? 0 : place)
      target.storeBytes(of: entry, as: HandoverEntry.self)
      if let payload { (target + Self.headerLength).copyMemory(from: payload, byteCount: Int(entry.length)) }
      storage.written.pointee.store(written &+ skipped &+ size, ordering: .releasing)
      return true
    }
  }
}
