import Archive
import Incidents
import Primitives
import Testing

@Suite("Encryption at rest")
struct EncryptionTests {
  private let key: EnvelopeKey
  private let otherKey: EnvelopeKey
  private let path: ArchivePath
  private let incident: IncidentID

  init() throws {
    key = try #require(EnvelopeKey([UInt8](repeating: 1, count: 32)))
    otherKey = try #require(EnvelopeKey([UInt8](repeating: 2, count: 32)))
    path = try #require(ArchivePath("media/video-0001.mp4"))
    incident = try #require(IncidentID("26-000001"))
  }

  @Test("a part opens again, out of the envelope too", arguments: [0, 1, 1_000, 100_000])
  func opens(length: Int) throws {
    var random = RandomSource.seeded(1)
    let (cipher, envelope) = key.makeCipher(for: incident, random: &random)
    let content = random.bytes(length)
    let stored = try cipher.seal(part: 3, of: path, content, random: &random)
    #expect(stored.count == length + SegmentCipher.overhead)
    #expect(SegmentCipher.plaintextLength(ofStored: stored.count) == length)
    let again = try key.open(try EnvelopeDocument(parsing: envelope.bytes))
    #expect(try again.open(part: 3, of: path, stored) == content)
  }

  @Test("a part opens in its own place only")
  func authenticatesPlace() throws {
    var random = RandomSource.seeded(1)
    let cipher = key.makeCipher(for: incident, random: &random).cipher
    let stored = try cipher.seal(part: 3, of: path, [1, 2, 3], random: &random)
    let other = try #require(ArchivePath("media/video-0002.mp4"))
    #expect(throws: EnvelopeError.self) { try cipher.open(part: 4, of: path, stored) }
    #expect(throws: EnvelopeError.self) { try cipher.open(part: 3, of: other, stored) }
    #expect(throws: EnvelopeError.self) { try cipher.open(part: 3, of: path, Array(stored.dropLast())) }
    #expect(throws: EnvelopeError.self) { try cipher.open(part: 3, of: path, []) }
    let stranger = key.makeCipher(for: incident, random: &random).cipher
    #expect(throws: EnvelopeError.self) { try stranger.open(part: 3, of: path, stored) }
  }

  @Test("every flipped bit of a part is found")
  func findsFlips() throws {
    var random = RandomSource.seeded(1)
    let cipher = key.makeCipher(for: incident, random: &random).cipher
    let stored = try cipher.seal(part: 0, of: path, random.bytes(20), random: &random)
    for bit in 0..<stored.count * 8 {
      var changed = stored
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: EnvelopeError.self) { try cipher.open(part: 0, of: path, changed) }
    }
  }

  @Test("the same part sealed twice is two ciphertexts: nonces do not repeat after a crash")
  func neverRepeatsNonces() throws {
    var random = RandomSource.system
    let cipher = key.makeCipher(for: incident, random: &random).cipher
    var nonces: Set<[UInt8]> = []
    for _ in 0..<1_000 {
      nonces.insert(Array(try cipher.seal(part: 1, of: path, [0], random: &random).prefix(12)))
    }
    #expect(nonces.count == 1_000)
  }

  @Test("an envelope of another key, another incident or a changed one does not open")
  func refusesForeignEnvelopes() throws {
    var random = RandomSource.seeded(1)
    let envelope = key.makeCipher(for: incident, random: &random).envelope
    #expect(throws: EnvelopeError(.otherKey, "")) { try rethrow { try otherKey.open(envelope) } }
    let moved = String(decoding: envelope.bytes, as: UTF8.self).replacing("26-000001", with: "26-000002")
    #expect(throws: EnvelopeError(.malformed, "")) { try rethrow { try EnvelopeDocument(parsing: Array(moved.utf8)) } }
    let newer = String(decoding: envelope.bytes, as: UTF8.self).replacing("\"version\":1", with: "\"version\":2")
    #expect(throws: EnvelopeError(.version, "")) { try rethrow { try EnvelopeDocument(parsing: Array(newer.utf8)) } }
    for length in 0..<envelope.bytes.count {
      #expect(throws: EnvelopeError.self) { try EnvelopeDocument(parsing: Array(envelope.bytes.prefix(length))) }
    }
  }

  @Test("a change of the node's key rewraps envelopes")
  func rewraps() throws {
    var random = RandomSource.seeded(1)
    let (cipher, envelope) = key.makeCipher(for: incident, random: &random)
    let stored = try cipher.seal(part: 0, of: path, [7], random: &random)
    let rewrapped = try key.rewrap(envelope, for: otherKey, random: &random)
    #expect(try otherKey.open(rewrapped).open(part: 0, of: path, stored) == [7])
    #expect(throws: EnvelopeError.self) { try key.open(rewrapped) }
  }

  /// Compares errors by their codes.
  private func rethrow<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as EnvelopeError {
      throw EnvelopeError(error.code, "")
    }
  }
}
