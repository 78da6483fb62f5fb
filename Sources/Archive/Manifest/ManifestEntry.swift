import Incidents
import Primitives

/// What one line of a manifest says; its envelope (number, chain, time) is ``ManifestLine``'s.
///
/// Format.md has the members as they are written.
package enum ManifestEntry: Hashable, Sendable {
  case archive(Header)
  case track(Track)
  case segment(Segment)
  case fragment(Fragment)
  case gap(Gap)
  case clock(ClockPair)
  case file(File)
  case note(String)
  case seal(Seal)

  package struct Header: Hashable, Sendable {
    package var incident: IncidentID
    package var agency: String
    package var isEncrypted: Bool

    package init(incident: IncidentID, agency: String, isEncrypted: Bool) {
      self.incident = incident
      self.agency = agency
      self.isEncrypted = isEncrypted
    }
  }

  /// A stream of the incident, named as `media.source` events name it.
  package struct Track: Hashable, Sendable {
    package var id: TrackID
    package var kind: TrackKind
    package var peer: String
    package var source: String

    package init(id: TrackID, kind: TrackKind, peer: String, source: String) {
      self.id = id
      self.kind = kind
      self.peer = peer
      self.source = source
    }
  }

  /// A media file begins with a header.
  package struct Segment: Hashable, Sendable {
    package var path: ArchivePath
    package var track: TrackID
    package var codec: String
    package var mimeType: String
    package var width: Int
    package var height: Int
    package var rotation: Int
    /// The simulcast encoding that is kept, and how many there were; nil for a single one.
    package var layer: Layer?
    package var headerLength: Int
    /// SHA-256 of the header, 32 bytes.
    package var headerHash: [UInt8]
    /// Media time 0 of the file, where that is before its first fragment: the beginning could not be written.
    package var origin: UTCTime?

    package init(
      path: ArchivePath, track: TrackID, codec: String, mimeType: String, width: Int, height: Int, rotation: Int,
      layer: Layer?, headerLength: Int, headerHash: [UInt8], origin: UTCTime? = nil
    ) {
      self.path = path
      self.track = track
      self.codec = codec
      self.mimeType = mimeType
      self.width = width
      self.height = height
      self.rotation = rotation
      self.layer = layer
      self.headerLength = headerLength
      self.headerHash = headerHash
      self.origin = origin
    }
  }

  package struct Layer: Hashable, Sendable {
    /// The encoding's `rid`, or its SSRC where it has none.
    package var name: String
    package var count: Int

    package init(name: String, count: Int) {
      self.name = name
      self.count = count
    }
  }

  /// A run of frames behind the header, or behind the fragment before.
  package struct Fragment: Hashable, Sendable {
    package var segment: ArchivePath
    package var offset: Int
    package var length: Int
    /// SHA-256 of these bytes, 32 bytes.
    package var hash: [UInt8]
    package var start: UTCTime
    package var duration: TimeInterval64
    package var startsWithKeyframe: Bool
    package var frames: Int

    package init(
      segment: ArchivePath, offset: Int, length: Int, hash: [UInt8], start: UTCTime, duration: TimeInterval64,
      startsWithKeyframe: Bool, frames: Int
    ) {
      self.segment = segment
      self.offset = offset
      self.length = length
      self.hash = hash
      self.start = start
      self.duration = duration
      self.startsWithKeyframe = startsWithKeyframe
      self.frames = frames
    }
  }

  /// Time of which a track has nothing, and why.
  package struct Gap: Hashable, Sendable {
    package enum Reason: String, Hashable, Sendable {
      /// Packets did not arrive, or what came cannot be decoded without them.
      case loss
      /// The sender sent nothing.
      case pause
      /// The sender came back with a new connection.
      case reconnect
      /// The recorder could not keep up.
      case overload
      /// The disk was full or too slow.
      case disk
      /// The server ended without sealing.
      case crash
    }

    package var track: TrackID
    package var start: UTCTime
    package var end: UTCTime
    package var reason: Reason

    package init(track: TrackID, start: UTCTime, end: UTCTime, reason: Reason) {
      self.track = track
      self.start = start
      self.end = end
      self.reason = reason
    }
  }

  /// A pair out of a sender report, raw, with the time at which it arrived.
  package struct ClockPair: Hashable, Sendable {
    package var track: TrackID
    package var ssrc: SSRC
    package var rtpTimestamp: UInt32
    package var ntpTime: NTPTimestamp
    package var arrival: UTCTime

    package init(track: TrackID, ssrc: SSRC, rtpTimestamp: UInt32, ntpTime: NTPTimestamp, arrival: UTCTime) {
      self.track = track
      self.ssrc = ssrc
      self.rtpTimestamp = rtpTimestamp
      self.ntpTime = ntpTime
      self.arrival = arrival
    }
  }

  /// A whole file: a still, or what a caller's page uploaded afterwards.
  package struct File: Hashable, Sendable {
    package enum Purpose: String, Hashable, Sendable {
      case still
      case late

      /// Where files of the purpose lie.
      package var folder: ArchivePath.Folder {
        switch self {
        case .still: .stills
        case .late: .late
        }
      }
    }

    package var path: ArchivePath
    package var length: Int
    /// SHA-256 of the file, 32 bytes.
    package var hash: [UInt8]
    package var purpose: Purpose
    package var track: TrackID?
    package var start: UTCTime
    package var duration: TimeInterval64
    package var mimeType: String
    package var note: String?

    package init(
      path: ArchivePath, length: Int, hash: [UInt8], purpose: Purpose, track: TrackID?, start: UTCTime,
      duration: TimeInterval64, mimeType: String, note: String?
    ) {
      self.path = path
      self.length = length
      self.hash = hash
      self.purpose = purpose
      self.track = track
      self.start = start
      self.duration = duration
      self.mimeType = mimeType
      self.note = note
    }
  }

  package struct Seal: Hashable, Sendable {
    package var isFinal: Bool
    package var journal: JournalMark
    /// Ed25519 public key, 32 bytes.
    package var key: [UInt8]
    /// 64 bytes over the canonical line without its signature.
    package var signature: [UInt8]

    package init(isFinal: Bool, journal: JournalMark, key: [UInt8], signature: [UInt8]) {
      self.isFinal = isFinal
      self.journal = journal
      self.key = key
      self.signature = signature
    }
  }

  /// How far the copy of the journal reaches.
  package struct JournalMark: Hashable, Sendable {
    /// Number of the last event; 0 for none.
    package var number: Int
    /// Its hash, 32 bytes; zeros for none.
    package var hash: [UInt8]
    /// Bytes of `journal.jsonl` up to the end of its line.
    package var length: Int

    package init(number: Int, hash: [UInt8], length: Int) {
      self.number = number
      self.hash = hash
      self.length = length
    }

    package static let empty = JournalMark(number: 0, hash: [UInt8](repeating: 0, count: 32), length: 0)
  }
}

/// Names a track within its archive: 1 to ``maximumLength`` lower-case letters, digits and `-`.
package struct TrackID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let value: String

  package static let maximumLength = 40

  package init?(_ value: String) {
    guard !value.isEmpty, value.utf8.count <= Self.maximumLength,
      value.utf8.allSatisfy({ byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
      })
    else { return nil }
    self.value = value
  }

  package var description: String { value }

  package static func < (left: TrackID, right: TrackID) -> Bool { left.value < right.value }
}
