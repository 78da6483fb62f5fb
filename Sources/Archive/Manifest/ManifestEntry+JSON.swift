import Incidents
import JSON
import Primitives

// Entries as JSON and back; Format.md is the table of members.

extension ManifestEntry {
  /// The `type` member.
  package var type: String {
    switch self {
    case .archive: "archive"
    case .track: "track"
    case .segment: "segment"
    case .fragment: "fragment"
    case .gap: "gap"
    case .clock: "clock"
    case .file: "file"
    case .note: "note"
    case .seal: "seal"
    }
  }

  /// The members beside the envelope's.
  var members: [String: JSONValue] {
    switch self {
    case .archive(let header):
      [
        "format": .string(Header.format), "version": .integer(Header.version),
        "incident": .string(header.incident.value), "agency": .string(header.agency),
        "encrypted": .bool(header.isEncrypted),
      ]
    case .track(let track):
      [
        "track": .string(track.id.value), "kind": .string(track.kind.rawValue), "peer": .string(track.peer),
        "source": .string(track.source),
      ]
    case .segment(let segment): segment.members
    case .fragment(let fragment):
      [
        "segment": .string(fragment.segment.description), "offset": .integer(fragment.offset),
        "length": .integer(fragment.length), "sha256": .hex(fragment.hash), "start": .time(fragment.start),
        "duration": .microseconds(fragment.duration), "key": .bool(fragment.startsWithKeyframe),
        "frames": .integer(fragment.frames),
      ]
    case .gap(let gap):
      [
        "track": .string(gap.track.value), "start": .time(gap.start), "end": .time(gap.end),
        "reason": .string(gap.reason.rawValue),
      ]
    case .clock(let pair):
      [
        "track": .string(pair.track.value), "ssrc": .integer(pair.ssrc.rawValue), "rtp": .integer(pair.rtpTimestamp),
        "ntp": .string(Hex.encode(pair.ntpTime.bits.bigEndianBytes)), "arrival": .time(pair.arrival),
      ]
    case .file(let file): file.members
    case .note(let text): ["text": .string(text)]
    case .seal(let seal):
      seal.unsignedMembers.merging(["signature": .hex(seal.signature)]) { $1 }
    }
  }

  /// Reads what ``members`` wrote.
  init(type: String, members json: JSONValue) throws(ManifestError) {
    let reader = MemberReader(json: json)
    switch type {
    case "archive": self = .archive(try Header(reader))
    case "track":
      guard let kind = TrackKind(rawValue: try reader.string("kind")) else { throw ManifestError("kind is unknown") }
      self = .track(
        Track(id: try reader.track(), kind: kind, peer: try reader.string("peer"), source: try reader.string("source")))
    case "segment": self = .segment(try Segment(reader))
    case "fragment":
      self = .fragment(
        Fragment(
          segment: try reader.path("segment"), offset: try reader.count("offset"), length: try reader.count("length"),
          hash: try reader.hash("sha256"), start: try reader.time("start"), duration: try reader.duration("duration"),
          startsWithKeyframe: try reader.bool("key"), frames: try reader.count("frames")))
    case "gap":
      guard let reason = Gap.Reason(rawValue: try reader.string("reason")) else {
        throw ManifestError("reason is unknown")
      }
      self = .gap(
        Gap(track: try reader.track(), start: try reader.time("start"), end: try reader.time("end"), reason: reason))
    case "clock": self = .clock(try ClockPair(reader))
    case "file": self = .file(try File(reader))
    case "note": self = .note(try reader.string("text"))
    case "seal": self = .seal(try Seal(reader))
    default: throw ManifestError("the type \"\(type.prefix(20))\" is unknown")
    }
  }
}

extension ManifestEntry.Header {
  package static let format = "sightline-archive"
  package static let version = 1

  fileprivate init(_ reader: MemberReader) throws(ManifestError) {
    guard try reader.string("format") == Self.format else { throw ManifestError("format is not \(Self.format)") }
    let version = try reader.count("version")
    guard version == Self.version else {
      throw ManifestError(
        "version \(version) is not known to this program, which reads version \(Self.version): use a newer one")
    }
    guard let incident = IncidentID(try reader.string("incident")) else { throw ManifestError("incident is no name") }
    self.init(incident: incident, agency: try reader.string("agency"), isEncrypted: try reader.bool("encrypted"))
  }
}

extension ManifestEntry.Segment {
  fileprivate var members: [String: JSONValue] {
    var members: [String: JSONValue] = [
      "segment": .string(path.description), "track": .string(track.value), "codec": .string(codec),
      "mime": .string(mimeType), "width": .integer(width), "height": .integer(height),
      "rotation": .integer(rotation), "length": .integer(headerLength), "sha256": .hex(headerHash),
    ]
    if let layer {
      members["layer"] = .string(layer.name)
      members["of"] = .integer(layer.count)
    }
    if let origin { members["origin"] = .time(origin) }
    return members
  }

  fileprivate init(_ reader: MemberReader) throws(ManifestError) {
    self.init(
      path: try reader.path("segment"), track: try reader.track(), codec: try reader.string("codec"),
      mimeType: try reader.string("mime"), width: try reader.count("width"), height: try reader.count("height"),
      rotation: try reader.count("rotation"), layer: nil, headerLength: try reader.count("length"),
      headerHash: try reader.hash("sha256"), origin: reader.json["origin"] == nil ? nil : try reader.time("origin"))
    if reader.json["layer"] != nil {
      layer = ManifestEntry.Layer(name: try reader.string("layer"), count: try reader.count("of"))
    }
  }
}

extension ManifestEntry.ClockPair {
  fileprivate init(_ reader: MemberReader) throws(ManifestError) {
    guard let ssrc = UInt32(exactly: try reader.count("ssrc")), let rtp = UInt32(exactly: try reader.count("rtp")),
      let ntp = UInt64(try reader.string("ntp"), radix: 16)
    else { throw ManifestError("a clock pair is out of range") }
    self.init(
      track: try reader.track(), ssrc: SSRC(ssrc), rtpTimestamp: rtp, ntpTime: NTPTimestamp(bits: ntp),
      arrival: try reader.time("arrival"))
  }
}

extension ManifestEntry.File {
  fileprivate var members: [String: JSONValue] {
    var members: [String: JSONValue] = [
      "path": .string(path.description), "length": .integer(length), "sha256": .hex(hash),
      "purpose": .string(purpose.rawValue), "start": .time(start), "duration": .microseconds(duration),
      "mime": .string(mimeType),
    ]
    if let track { members["track"] = .string(track.value) }
    if let note { members["note"] = .string(note) }
    return members
  }

  fileprivate init(_ reader: MemberReader) throws(ManifestError) {
    guard let purpose = Purpose(rawValue: try reader.string("purpose")) else {
      throw ManifestError("purpose is unknown")
    }
    self.init(
      path: try reader.path("path"), length: try reader.count("length"), hash: try reader.hash("sha256"),
      purpose: purpose, track: reader.json["track"] == nil ? nil : try reader.track(),
      start: try reader.time("start"), duration: try reader.duration("duration"),
      mimeType: try reader.string("mime"), note: reader.json["note"] == nil ? nil : try reader.string("note"))
  }
}

extension ManifestEntry.Seal {
  /// What is signed, beside the envelope.
  var unsignedMembers: [String: JSONValue] {
    [
      "final": .bool(isFinal), "key": .hex(key),
      "journal": [
        "number": .integer(journal.number), "hash": .hex(journal.hash), "length": .integer(journal.length),
      ],
    ]
  }

  fileprivate init(_ reader: MemberReader) throws(ManifestError) {
    let journal = MemberReader(json: reader.json["journal"] ?? .null)
    self.init(
      isFinal: try reader.bool("final"),
      journal: ManifestEntry.JournalMark(
        number: try journal.count("number"), hash: try journal.hash("hash"), length: try journal.count("length")),
      key: try reader.hash("key"), signature: try reader.bytes("signature", count: 64))
  }
}

/// Why a line of a manifest cannot be read.
package struct ManifestError: Error, Hashable, Sendable, CustomStringConvertible {
  package let text: String

  package init(_ text: String) {
    self.text = String(text.prefix(300))
  }

  package var description: String { text }
}

/// Takes members out of an object, each with its type.
private struct MemberReader {
  let json: JSONValue

  func string(_ name: String) throws(ManifestError) -> String {
    guard let value = json[name]?.string else { throw ManifestError("\(name) is missing or no text") }
    return value
  }

  func bool(_ name: String) throws(ManifestError) -> Bool {
    guard let value = json[name]?.bool else { throw ManifestError("\(name) is missing or neither true nor false") }
    return value
  }

  func count(_ name: String) throws(ManifestError) -> Int {
    guard let value = json[name]?.integer, value >= 0 else {
      throw ManifestError("\(name) is missing or no whole number")
    }
    return value
  }

  func bytes(_ name: String, count: Int) throws(ManifestError) -> [UInt8] {
    guard let value = json[name]?.string.flatMap({ Hex.decode($0) }), value.count == count else {
      throw ManifestError("\(name) is missing or not \(count) bytes in hexadecimal")
    }
    return value
  }

  func hash(_ name: String) throws(ManifestError) -> [UInt8] { try bytes(name, count: 32) }

  func time(_ name: String) throws(ManifestError) -> UTCTime {
    guard let value = json[name]?.string.flatMap({ UTCTime($0) }) else {
      throw ManifestError("\(name) is missing or no time")
    }
    return value
  }

  func duration(_ name: String) throws(ManifestError) -> TimeInterval64 {
    let value = try count(name)
    guard value <= Self.maximumMicroseconds else { throw ManifestError("\(name) is too long") }
    return .microseconds(Int64(value))
  }

  /// A day: nothing in an archive lasts longer.
  private static let maximumMicroseconds = 86_400_000_000

  func path(_ name: String) throws(ManifestError) -> ArchivePath {
    guard let path = ArchivePath(try string(name)) else { throw ManifestError("\(name) is no path in an archive") }
    return path
  }

  func track() throws(ManifestError) -> TrackID {
    guard let track = TrackID(try string("track")) else { throw ManifestError("track is no name") }
    return track
  }
}

extension JSONValue {
  fileprivate static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
  fileprivate static func time(_ time: UTCTime) -> JSONValue { .string(time.description) }
  fileprivate static func microseconds(_ interval: TimeInterval64) -> JSONValue {
    .integer(max(0, interval.nanoseconds / 1_000))
  }
}

extension UInt64 {
  fileprivate var bigEndianBytes: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: self >> UInt64(56 - 8 * $0)) }
  }
}
