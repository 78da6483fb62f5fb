/// Where the parts of a segment lie, on the disk and in the clear: part 0 is the header, part n the n-th fragment.
///
/// Encryption at rest makes each part longer by the same number of bytes; without it both are the same.
package struct SegmentLayout: Sendable {
  package let path: ArchivePath
  /// Bytes that a part is longer on the disk than in the clear.
  package let overhead: Int
  private let headerLength: Int
  private let fragments: [ManifestEntry.Fragment]

  /// A run of bytes of a file.
  package struct Run: Hashable, Sendable {
    package let offset: Int
    package let length: Int

    package var end: Int { offset + length }
  }

  package init(_ segment: ArchiveContents.Segment, overhead: Int = 0) {
    path = segment.entry.path
    headerLength = segment.entry.headerLength
    fragments = segment.fragments
    self.overhead = overhead
  }

  /// A whole file, as one part.
  package init(_ file: ManifestEntry.File, overhead: Int = 0) {
    path = file.path
    headerLength = file.length
    fragments = []
    self.overhead = overhead
  }

  /// The header and the fragments.
  package var partCount: Int { fragments.count + 1 }

  /// Bytes on the disk that the manifest accounts for.
  package var storedLength: Int { stored(partCount - 1).end }

  /// Bytes that a player is given.
  package var clearLength: Int { clear(partCount - 1).end }

  /// Where a part lies on the disk.
  package func stored(_ part: Int) -> Run {
    guard part > 0 else { return Run(offset: 0, length: headerLength) }
    let fragment = fragments[part - 1]
    return Run(offset: fragment.offset, length: fragment.length)
  }

  /// Where a part lies for a player.
  package func clear(_ part: Int) -> Run {
    let run = stored(part)
    return Run(offset: max(0, run.offset - part * overhead), length: max(0, run.length - overhead))
  }

  /// The parts that hold `range` of the clear bytes; empty for an empty range or one beyond the end.
  package func parts(covering range: Range<Int>) -> Range<Int> {
    guard !range.isEmpty, range.lowerBound < clearLength else { return 0..<0 }
    let first = partCount(endingBefore: range.lowerBound + 1)
    let last = min(partCount - 1, partCount(endingBefore: range.upperBound))
    return first..<(last + 1)
  }

  /// How many parts end before `position` of the clear bytes.
  private func partCount(endingBefore position: Int) -> Int {
    var (low, high) = (0, partCount)
    while low < high {
      let middle = (low + high) / 2
      if clear(middle).end < position { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
