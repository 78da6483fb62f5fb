import Incidents
import Primitives

/// What ``Verifier`` says about an archive.
package struct VerificationReport: Sendable {
  package enum State: String, Hashable, Sendable {
    /// The last line is a final seal.
    case sealed
    /// A recording goes on, the server died, or the end of the manifest was taken away.
    case unsealed
    /// There is no line: nothing was recorded.
    case empty
  }

  /// Where the keys came from that seals were held against.
  package enum KeySource: String, Hashable, Sendable {
    /// Whoever asked brought them.
    case given
    /// `key.pub` out of the archive: proves that nothing changed since it was sealed, not who sealed it.
    case archive
  }

  package struct Finding: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable {
      /// Something is not as it was sealed.
      case damage
      /// Something worth knowing that is no damage.
      case notice
    }

    package let severity: Severity
    /// The file in the archive; empty for the archive itself.
    package let path: String
    /// Number of the line in that file, from 1.
    package let line: Int?
    /// What was found, and what to do.
    package let text: String
  }

  package struct Counts: Hashable, Sendable {
    package var tracks = 0
    package var segments = 0
    package var fragments = 0
    package var files = 0
    /// Bytes of segments and files that were read and hashed.
    package var bytes = 0
    package var lines = 0
    /// Lines that a valid seal vouches for.
    package var signedLines = 0
    package var seals = 0
    /// Events in the journal's copy.
    package var events = 0
  }

  package internal(set) var state = State.empty
  package internal(set) var header: ManifestEntry.Header?
  package internal(set) var counts = Counts()
  /// First and last moment of what was recorded.
  package internal(set) var span: (start: UTCTime, end: UTCTime)?
  /// When the last line was written.
  package internal(set) var lastLine: UTCTime?
  /// The last line: whoever noted its hash elsewhere can tell that none was taken away since.
  package internal(set) var head = ManifestHead()
  package internal(set) var keySource = KeySource.archive
  /// The keys that valid seals were made with, each 32 bytes, in the order of their first use.
  package internal(set) var sealingKeys: [[UInt8]] = []
  /// Whether the key of an encrypted archive was destroyed.
  package internal(set) var isErased = false
  package private(set) var findings: [Finding] = []
  /// Findings beyond ``maximumFindings``.
  package private(set) var furtherFindings = 0
  private var damages = 0

  /// Findings that are kept; more are only counted.
  package static let maximumFindings = 1_000

  /// Whether nothing is damaged.
  package var isWhole: Bool { damages == 0 }

  mutating func add(_ severity: Finding.Severity, _ path: String, line: Int? = nil, _ text: String) {
    if severity == .damage { damages += 1 }
    guard findings.count < Self.maximumFindings else {
      furtherFindings += 1
      return
    }
    findings.append(Finding(severity: severity, path: path, line: line, text: text))
  }
}

/// How far a verification is.
package struct VerificationProgress: Hashable, Sendable {
  /// Bytes of segments and files that are done, of ``total``.
  package var done: Int
  package var total: Int
}
