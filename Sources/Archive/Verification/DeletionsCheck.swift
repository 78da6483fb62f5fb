import Cryptography
import Primitives

/// Reads what retention has deleted, and believes what the node has signed.
struct DeletionsCheck {
  /// Files that are missing by right.
  private(set) var deleted: Set<String> = []
  private let incident: IncidentID?
  private let keys: TrustedKeys
  private var position = 0

  init(incident: IncidentID?, keys: TrustedKeys) {
    self.incident = incident
    self.keys = keys
  }

  mutating func run(
    _ reader: any ArchiveReading, _ report: inout VerificationReport
  ) throws(ArchiveReadingError) {
    var lines = ArchiveLineReader(ArchiveFile.deletions, of: reader, limit: DeletionRecord.maximumLineLength)
    while let piece = try lines.next() {
      position += 1
      switch piece {
      case .line(let bytes): take(bytes, &report)
      case .tooLong: fail("is longer than a line may be and was passed over", &report)
      case .rest(let bytes):
        guard !bytes.isEmpty else { continue }
        report.add(
          .notice, ArchiveFile.deletions, line: position, "is cut off: it was being written, and nothing was deleted")
      }
    }
  }

  private mutating func take(_ bytes: [UInt8], _ report: inout VerificationReport) {
    guard let record = DeletionRecord(line: bytes), record.line.dropLast().elementsEqual(bytes) else {
      return fail("is no record of a deletion: it was edited", &report)
    }
    guard incident == nil || record.incident == incident else {
      return fail("is about \(record.incident), which is another incident", &report)
    }
    guard record.isSigned else { return fail("has a signature that is wrong: it was edited", &report) }
    guard keys.trusts(record.key) else {
      return fail("is signed by another key, \(Hex.encode(record.key)): what it says proves nothing", &report)
    }
    deleted.formUnion(record.files.map(\.path))
    report.add(
      .notice, ArchiveFile.deletions, line: position,
      "\(record.files.count) files were deleted on \(record.time.text(fractionDigits: 0)) (\(record.rule)); event "
        + "\(record.number) of the incident's journal says so with the hash "
        + Hex.encode(DeletionRecord.hash(of: record.files)))
  }

  private func fail(_ text: String, _ report: inout VerificationReport) {
    report.add(.damage, ArchiveFile.deletions, line: position, text)
  }
}
