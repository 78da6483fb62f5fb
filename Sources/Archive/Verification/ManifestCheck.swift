import Cryptography
import Primitives

/// Follows a manifest from its first line to its last: chain, structure, signatures.
///
/// A broken line does not end the check: lines behind it that a seal vouches for are proven all the same.
struct ManifestCheck {
  /// A range of a file that a line names.
  struct Range {
    let offset: Int
    let length: Int
    let hash: [UInt8]
    let line: Int
    /// What was recorded in it; nil for a header.
    let start: UTCTime?

    /// Saturates: an end beyond every file is as good as another.
    var end: Int {
      let (sum, overflow) = offset.addingReportingOverflow(length)
      return overflow ? .max : sum
    }
  }

  /// A seal whose mark the copy of the journal has to meet.
  struct Mark {
    let line: Int
    let mark: ManifestEntry.JournalMark
  }

  private(set) var contents = ArchiveContents()
  /// In the order of their lines, which is that of their offsets; none overlap.
  private(set) var ranges: [ArchivePath: [Range]] = [:]
  private(set) var marks: [Mark] = []
  private(set) var isMissing = false
  /// Whether the last line is a final seal.
  private(set) var isSealed = false
  /// Whether a line cannot be read or does not fit: what later lines name cannot be judged completely.
  private(set) var isBroken = false
  /// Bytes that were read: the manifest may grow while it is checked.
  private(set) var length = 0

  private let keys: TrustedKeys
  /// The line before; nil behind a line that cannot be read.
  private var head: ManifestHead? = ManifestHead()
  private var position = 0
  /// Lines that chain and that no seal vouches for yet.
  private var pending = 0
  private var lastSeal: (line: Int, time: UTCTime)?
  private var strangers: Set<[UInt8]> = []

  init(keys: TrustedKeys) {
    self.keys = keys
  }

  mutating func run(
    _ reader: any ArchiveReading, _ report: inout VerificationReport
  ) throws(ArchiveReadingError) {
    var lines = ArchiveLineReader(ArchiveFile.manifest, of: reader, limit: ManifestLine.maximumLength)
    while let piece = try lines.next() {
      switch piece {
      case .line(let bytes): take(bytes, &report)
      case .tooLong:
        position += 1
        fail("is longer than 64 KiB and was passed over", &report)
      case .rest(let bytes): takeRest(bytes, &report)
      }
    }
    isMissing = lines.isMissing
    length = lines.offset + lines.restLength
    report.counts.lines = position
    report.header = contents.header
    report.span = contents.span
    report.state = isSealed ? .sealed : position == 0 ? .empty : .unsealed
    if !isSealed, position > 0 { noteOpenEnd(&report) }
  }

  private mutating func take(_ bytes: [UInt8], _ report: inout VerificationReport) {
    position += 1
    isSealed = false
    let line: ManifestLine
    do throws(ManifestError) {
      line = try ManifestLine(parsing: bytes)
    } catch {
      return fail(error.text, &report)
    }
    follow(line, bytes, &report)
    report.head = ManifestHead(after: line, bytes: bytes)
    head = report.head
    pending += 1
    report.lastLine = line.time
    collect(line)
    if case .seal(let seal) = line.entry { check(seal, line, &report) }
  }

  private mutating func fail(_ text: String, _ report: inout VerificationReport) {
    report.add(.damage, ArchiveFile.manifest, line: position, text)
    isBroken = true
    isSealed = false
    head = nil
    pending = 0
  }

  /// Whether the line follows the one before, and makes sense behind it.
  private mutating func follow(_ line: ManifestLine, _ bytes: [UInt8], _ report: inout VerificationReport) {
    guard let head else { return }
    if line.number == head.number + 1, line.previous == head.hash {
      guard !isBroken else { return }
      do throws(ManifestError) {
        try contents.append(line, bytes: bytes)
      } catch {
        report.add(.damage, ArchiveFile.manifest, line: position, error.text)
        isBroken = true
      }
      return
    }
    let text =
      line.number == head.number + 1
      ? "does not follow the line before: that one was changed after this one was written"
      : "has the number \(line.number), not \(head.number + 1): lines were removed, added or swapped"
    report.add(.damage, ArchiveFile.manifest, line: position, text)
    isBroken = true
    pending = 0
  }

  private mutating func collect(_ line: ManifestLine) {
    switch line.entry {
    case .segment(let entry):
      add(entry.path, 0, entry.headerLength, entry.headerHash, line, nil)
    case .fragment(let entry):
      add(entry.segment, entry.offset, entry.length, entry.hash, line, entry.start)
    case .file(let entry): add(entry.path, 0, entry.length, entry.hash, line, entry.start)
    case .archive, .track, .gap, .clock, .note, .seal: break
    }
  }

  private mutating func add(
    _ path: ArchivePath, _ offset: Int, _ length: Int, _ hash: [UInt8], _ line: ManifestLine, _ start: UTCTime?
  ) {
    let range = Range(offset: offset, length: length, hash: hash, line: line.number, start: start)
    // Each byte is in one range at most: a forged manifest cannot have a file read again and again.
    guard offset >= ranges[path]?.last?.end ?? 0 else { return }
    ranges[path, default: []].append(range)
  }

  // MARK: - Seals

  private mutating func check(_ seal: ManifestEntry.Seal, _ line: ManifestLine, _ report: inout VerificationReport) {
    report.counts.seals += 1
    isSealed = seal.isFinal
    marks.append(Mark(line: position, mark: seal.journal))
    guard let key = Ed25519PublicKey(seal.key), let message = line.signedBytes,
      key.isValid(signature: seal.signature, of: message)
    else {
      report.add(
        .damage, ArchiveFile.manifest, line: position,
        "is no valid seal: the signature is not that of the key it names, so the line was changed")
      return
    }
    let isTrusted = judge(seal.key, &report)
    guard isTrusted else { return }
    if !report.sealingKeys.contains(seal.key) { report.sealingKeys.append(seal.key) }
    report.counts.signedLines += pending
    pending = 0
    lastSeal = (position, line.time)
  }

  /// Whether the key is one that is trusted; says once of each that it is not.
  private mutating func judge(_ key: [UInt8], _ report: inout VerificationReport) -> Bool {
    let (isTrusted, isInArchive) = (keys.trusts(key), keys.isInArchive(key))
    guard !isTrusted || !isInArchive, strangers.insert(key).inserted else { return isTrusted }
    let name = Hex.encode(key)
    if !isTrusted, keys.source == .given {
      report.add(
        .damage, ArchiveFile.manifest, line: position,
        "is sealed with the key \(name), which is not among those given: someone else wrote this manifest, or a key "
          + "is missing (`sightline archive-keys list` has those of a node)")
    }
    if !isInArchive, keys.hasFile {
      report.add(
        .damage, ArchiveFile.key,
        "does not hold the key \(name) that line \(position) of the manifest is sealed with: one of the two was changed"
      )
    }
    return isTrusted
  }

  // MARK: - The end

  /// What is written in one go is cut off anywhere, but it is the beginning of a line.
  private mutating func takeRest(_ bytes: [UInt8], _ report: inout VerificationReport) {
    isSealed = false
    guard ManifestTail.mayBeCutOff(bytes) else {
      position += 1
      return fail("has no end, and is no line that was cut off while it was written", &report)
    }
    report.add(
      .notice, ArchiveFile.manifest,
      "ends with \(bytes.count) bytes of a line that was being written")
  }

  private func noteOpenEnd(_ report: inout VerificationReport) {
    let signed = lastSeal.map { "Signed up to line \($0.line) (\($0.time))" } ?? "Nothing is signed yet"
    report.add(
      .notice, "",
      "There is no final seal: the recording goes on, the server ended without sealing, or the last lines were taken "
        + "away. \(signed), \(pending) lines behind it are chained alone. Hold the end against the incident's journal.")
  }
}

/// What may lie behind the last whole line of a manifest.
enum ManifestTail {
  /// Whether these bytes can be the beginning of a canonical line: no object that ended and goes on.
  static func mayBeCutOff(_ bytes: [UInt8]) -> Bool {
    guard bytes.starts(with: Array("{\"".utf8).prefix(bytes.count)) else { return bytes.allSatisfy { $0 == 0 } }
    var depth = 0
    var isText = false
    var isEscaped = false
    for (index, byte) in bytes.enumerated() {
      if isEscaped {
        isEscaped = false
      } else if isText {
        isEscaped = byte == UInt8(ascii: "\\")
        if byte == UInt8(ascii: "\"") { isText = false }
      } else if byte == UInt8(ascii: "\"") {
        isText = true
      } else if byte == UInt8(ascii: "{") {
        depth += 1
      } else if byte == UInt8(ascii: "}") {
        depth -= 1
        if depth == 0 { return index == bytes.count - 1 }
      }
    }
    return true
  }
}

/// The keys that seals are held against.
struct TrustedKeys {
  let source: VerificationReport.KeySource
  /// Whether `key.pub` can be read.
  let hasFile: Bool
  private let given: Set<[UInt8]>
  private let inArchive: Set<[UInt8]>

  init(given: [Ed25519PublicKey], inArchive: [Ed25519PublicKey]?) {
    source = given.isEmpty ? .archive : .given
    hasFile = inArchive != nil
    self.given = Set(given.map(\.bytes))
    self.inArchive = Set((inArchive ?? []).map(\.bytes))
  }

  func trusts(_ key: [UInt8]) -> Bool { source == .given ? given.contains(key) : inArchive.contains(key) }

  func isInArchive(_ key: [UInt8]) -> Bool { inArchive.contains(key) }
}
