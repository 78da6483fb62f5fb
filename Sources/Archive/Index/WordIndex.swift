/// Which rows have which words, to be asked by the beginnings of words.
///
/// Words are kept once. A list of rows a word answers a question in the time that the matching words take, however
/// many rows there are.
package struct WordIndex: Sendable {
  private var numbers: [String: UInt32] = [:]
  private var words: [String] = []
  /// Rows by the word's number, in the order in which they were added.
  private var rows: [[UInt32]] = []
  /// Words by their first ``prefixLength`` bytes.
  private var shelves: [UInt32: [UInt32]] = [:]

  /// Bytes that choose the shelf.
  private static let prefixLength = 4

  package init() {}

  /// Different words.
  package var count: Int { words.count }

  /// Bytes that the words and lists take, without what allocations cost.
  package var postings: Int { rows.reduce(0) { $0 + $1.count } }

  subscript(_ number: UInt32) -> String { words[Int(number)] }

  /// The word's number, a new one for a word that is new.
  mutating func number(of word: String) -> UInt32 {
    if let known = numbers[word] { return known }
    let number = UInt32(words.count)
    numbers[word] = number
    words.append(word)
    rows.append([])
    shelves[Self.shelf(word.utf8.prefix(Self.prefixLength)), default: []].append(number)
    return number
  }

  /// Notes that a row has a word; each pair once.
  mutating func add(_ row: UInt32, to word: UInt32) { rows[Int(word)].append(row) }

  /// Rows that have exactly this word.
  func rows(with word: String) -> [UInt32] { numbers[word].map { rows[Int($0)] } ?? [] }

  /// Puts the rows that have a word with this beginning into `set`.
  func collect(_ beginning: String, into set: inout RowSet) {
    let bytes = Array(beginning.utf8)
    if bytes.count >= Self.prefixLength {
      collect(bytes, shelves[Self.shelf(bytes[..<Self.prefixLength])] ?? [], into: &set)
      return
    }
    let shift = UInt32(8 * (Self.prefixLength - bytes.count))
    let wanted = Self.shelf(bytes[...]) >> shift
    for (key, shelf) in shelves where key >> shift == wanted { collect(bytes, shelf, into: &set) }
  }

  private func collect(_ beginning: [UInt8], _ shelf: [UInt32], into set: inout RowSet) {
    for number in shelf where words[Int(number)].utf8.starts(with: beginning) {
      for row in rows[Int(number)] { set.insert(row) }
    }
  }

  private static func shelf(_ bytes: some Collection<UInt8>) -> UInt32 {
    var key: UInt32 = 0
    for byte in bytes { key = key << 8 | UInt32(byte) }
    return key << UInt32(8 * (prefixLength - bytes.count))
  }
}

/// A set of rows, a bit each.
package struct RowSet: Sendable {
  private var words: [UInt64]

  init(capacity: Int) { words = [UInt64](repeating: 0, count: (capacity + 63) / 64) }

  mutating func insert(_ row: UInt32) {
    let word = Int(row / 64)
    guard word < words.count else { return }
    words[word] |= 1 << UInt64(row % 64)
  }

  func contains(_ row: UInt32) -> Bool {
    let word = Int(row / 64)
    return word < words.count && words[word] & (1 << UInt64(row % 64)) != 0
  }
}
