import Archive
import Incidents
import Primitives

/// What makes films of an archive for an evidence package: the seam to FFmpeg.
package protocol PackageMedia: Sendable {
  /// Makes everything that can be made; what cannot is named in the notes, and is no error.
  ///
  /// Blocks for as long as it takes; `progress` is told the share that is done, 0 to 1, and throws to call it off.
  func makeFilms(
    _ order: FilmOrder, progress: @escaping (Double) throws(PackageError) -> Void
  ) throws(PackageError) -> Films
}

/// What films are wanted.
package struct FilmOrder: Sendable {
  /// A text that is shown from a time on.
  package struct Caption: Hashable, Sendable {
    package let time: UTCTime
    package let text: String

    package init(time: UTCTime, text: String) {
      self.time = time
      self.text = text
    }
  }

  package let incident: IncidentID
  package let archive: ArchiveSnapshot
  package let redaction: RedactionOrder?
  /// Chat and notes, in order.
  package let captions: [Caption]
  /// Where it is, in order.
  package let places: [Caption]
  /// What the senders of streams are called, by their connections.
  package let names: [String: String]
  /// An empty folder for the results.
  package let folder: String

  /// Captions of one film at most; later ones are left out, and the notes say so.
  package static let maximumCaptions = 20_000
}

/// What came of it.
package struct Films: Sendable {
  package struct Film: Sendable {
    /// Its place in the package.
    package let path: PackagePath
    /// Where it lies now.
    package let file: String
    /// The film that it is a redacted copy of, and what was hidden.
    package let redacted: (parent: PackagePath, order: RedactionOrder)?

    package init(path: PackagePath, file: String, redacted: (parent: PackagePath, order: RedactionOrder)? = nil) {
      self.path = path
      self.file = file
      self.redacted = redacted
    }
  }

  package var films: [Film]
  package var notes: [String]

  package init(films: [Film] = [], notes: [String] = []) {
    self.films = films
    self.notes = notes
  }
}
