import Cryptography
import JSON
import Primitives

/// One line of a manifest: an entry in its envelope, chained to the line before.
package struct ManifestLine: Hashable, Sendable {
  package let number: Int
  /// SHA-256 of the line before, 32 bytes; zeros in the first.
  package let previous: [UInt8]
  package let time: UTCTime
  package let entry: ManifestEntry

  /// Bytes of a line at most, without its end.
  package static let maximumLength = 64 << 10
  /// What the first line is chained to.
  package static let genesisHash = [UInt8](repeating: 0, count: 32)

  package init(number: Int, previous: [UInt8], time: UTCTime, entry: ManifestEntry) {
    self.number = number
    self.previous = previous
    self.time = time
    self.entry = entry
  }

  /// The line without its end, as it is written and hashed.
  package var bytes: [UInt8] { json(of: entry.members).canonicalBytes }

  /// What a seal's signature is made over; nil for another entry.
  package var signedBytes: [UInt8]? {
    guard case .seal(let seal) = entry else { return nil }
    return json(of: seal.unsignedMembers).canonicalBytes
  }

  /// Parses a line without its end.
  ///
  /// Only the canonical form is taken, so that equal lines are equal bytes.
  package init(parsing bytes: [UInt8]) throws(ManifestError) {
    guard bytes.count <= Self.maximumLength else { throw ManifestError("the line is longer than 64 KiB") }
    let json: JSONValue
    do {
      json = try JSONValue(parsing: bytes)
    } catch {
      throw ManifestError("the line is no JSON: \(error)")
    }
    guard let number = json["n"]?.integer, number > 0, let time = json["time"]?.string.flatMap({ UTCTime($0) }),
      let previous = json["previous"]?.string.flatMap({ Hex.decode($0) }), previous.count == 32,
      let type = json["type"]?.string
    else { throw ManifestError("the line lacks its number, its chain, its time or its type") }
    self.init(
      number: number, previous: previous, time: time, entry: try ManifestEntry(type: type, members: json))
    guard self.bytes == bytes else { throw ManifestError("the line is not in canonical form or has other members") }
  }

  private func json(of members: [String: JSONValue]) -> JSONValue {
    var object = members
    object["n"] = .integer(number)
    object["previous"] = .string(Hex.encode(previous))
    object["time"] = .string(time.description)
    object["type"] = .string(entry.type)
    return .object(object)
  }
}

/// Where a manifest's chain stands: what the next line follows.
package struct ManifestHead: Hashable, Sendable {
  /// Number of the last line; 0 for none.
  package private(set) var number: Int
  /// Its hash, 32 bytes.
  package private(set) var hash: [UInt8]

  /// Before the first line.
  package init() {
    number = 0
    hash = ManifestLine.genesisHash
  }

  /// Behind `line`.
  package init(after line: ManifestLine) {
    self.init(after: line, bytes: line.bytes)
  }

  /// Behind `line`, which was parsed out of `bytes`.
  init(after line: ManifestLine, bytes: [UInt8]) {
    number = line.number
    hash = Digest.sha256(bytes)
  }

  /// The next line and its bytes with their end; the head moves on.
  package mutating func append(_ entry: ManifestEntry, at time: UTCTime) -> [UInt8] {
    append(ManifestLine(number: number + 1, previous: hash, time: time, entry: entry))
  }

  /// A signed line: whoever holds `key` vouches for it and all before.
  package mutating func appendSeal(
    isFinal: Bool, journal: ManifestEntry.JournalMark, key: Ed25519PrivateKey, at time: UTCTime
  ) -> [UInt8] {
    var seal = ManifestEntry.Seal(isFinal: isFinal, journal: journal, key: key.publicKey.bytes, signature: [])
    let unsigned = ManifestLine(number: number + 1, previous: hash, time: time, entry: .seal(seal))
    seal.signature = key.sign(unsigned.signedBytes ?? [])
    return append(ManifestLine(number: number + 1, previous: hash, time: time, entry: .seal(seal)))
  }

  private mutating func append(_ line: ManifestLine) -> [UInt8] {
    let bytes = line.bytes
    number = line.number
    hash = Digest.sha256(bytes)
    return bytes + [UInt8(ascii: "\n")]
  }
}
