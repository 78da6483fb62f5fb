/// Reads a file line by line, a chunk at a time.
struct ArchiveLineReader {
  enum Piece: Hashable {
    /// Without its `\n`.
    case line([UInt8])
    /// A line above the limit, which was passed over.
    case tooLong
    /// What lies behind the last `\n`; cut off at the limit.
    case rest([UInt8])
  }

  private let reader: any ArchiveReading
  private let name: String
  /// Bytes of a line at most, without its end.
  private let limit: Int
  private var buffer: [UInt8] = []
  private var position = 0
  /// Where `buffer` ends in the file.
  private var readOffset = 0
  private var isAtEnd = false

  /// Bytes of the file up to the end of the last line.
  private(set) var offset = 0
  /// Bytes behind the last `\n`.
  private(set) var restLength = 0
  private(set) var isMissing = false

  init(_ name: String, of reader: any ArchiveReading, limit: Int) {
    self.reader = reader
    self.name = name
    self.limit = limit
  }

  /// The next piece; nil at the end.
  mutating func next() throws(ArchiveReadingError) -> Piece? {
    var scanned = position
    while true {
      if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
        defer {
          offset += end + 1 - position
          position = end + 1
        }
        return end - position > limit ? .tooLong : .line(Array(buffer[position..<end]))
      }
      if isAtEnd { return rest() }
      if buffer.count - position > limit { return try passOver() }
      buffer.removeFirst(position)
      position = 0
      scanned = buffer.count
      try fill()
    }
  }

  private mutating func rest() -> Piece? {
    guard position < buffer.count else { return nil }
    restLength = buffer.count - position
    defer { position = buffer.count }
    return .rest(Array(buffer[position...].prefix(limit)))
  }

  /// Drops a line that is too long, so that memory stays bounded.
  private mutating func passOver() throws(ArchiveReadingError) -> Piece {
    var dropped = 0
    while true {
      if let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) {
        offset += dropped + end + 1 - position
        position = end + 1
        return .tooLong
      }
      dropped += buffer.count - position
      buffer.removeAll(keepingCapacity: true)
      position = 0
      if isAtEnd {
        restLength = dropped
        return .tooLong
      }
      try fill()
    }
  }

  private mutating func fill() throws(ArchiveReadingError) {
    guard let bytes = try reader.read(name, from: readOffset, count: ArchiveFile.chunk) else {
      isMissing = readOffset == 0
      isAtEnd = true
      return
    }
    readOffset += bytes.count
    isAtEnd = bytes.isEmpty
    buffer.append(contentsOf: bytes)
  }
}
