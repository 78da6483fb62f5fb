import Archive
import Cryptography

/// The first byte chooses: a line of a manifest, a whole folder whose manifest it is, an envelope, a file of keys.
func fuzzManifest(_ bytes: UnsafeRawBufferPointer) {
  guard let first = bytes.first else { return }
  let rest = Array(bytes.dropFirst())
  switch first % 4 {
  case 0: checkLine(rest)
  case 1: checkArchive(rest)
  case 2:
    guard let envelope = try? EnvelopeDocument(parsing: rest) else { return }
    require(envelope.bytes == rest, "an envelope is not its own")
    _ = try? EnvelopeKey([UInt8](repeating: 1, count: EnvelopeKey.length))?.open(envelope)
  default:
    guard let keys = ArchivePublicKeys.parse(rest) else { return }
    require(ArchivePublicKeys.parse(Array(ArchivePublicKeys.text(keys).utf8)) == keys, "keys do not read back")
  }
}

private func checkLine(_ bytes: [UInt8]) {
  guard let line = try? ManifestLine(parsing: bytes) else { return }
  require(line.bytes == bytes, "a line is not its own")
  require(line.signedBytes != bytes, "a seal signs its signature")
}

/// Verification and recovery end whatever a folder holds, and what was recovered is no more damaged than before.
private func checkArchive(_ bytes: [UInt8]) {
  let folder = ForgedFolder(manifest: bytes)
  let report = try? Verifier.verify(folder)
  require(report != nil, "a folder that can be read was not verified")
  guard let report, let recovery = try? Recovery.plan(folder) else { return }
  require(recovery.head.number <= report.counts.lines, "recovery found more lines than there are")
  _ = report.text
  _ = report.json.canonical
}

/// Each file holds the same few bytes, whatever the manifest says.
private struct ForgedFolder: ArchiveReading {
  let manifest: [UInt8]
  private static let content = [UInt8](repeating: 7, count: 64)

  func items() -> [ArchiveItem] {
    [
      ArchiveItem(name: ArchiveFile.manifest, kind: .file(length: manifest.count)),
      ArchiveItem(name: "media/a.mp4", kind: .file(length: Self.content.count)),
      ArchiveItem(name: "media/b.mp4", kind: .symbolicLink),
    ]
  }

  func read(_ name: String, from offset: Int, count: Int) -> [UInt8]? {
    switch name {
    case ArchiveFile.manifest: Array(manifest.dropFirst(offset).prefix(count))
    case "media/a.mp4": Array(Self.content.dropFirst(offset).prefix(count))
    default: nil
    }
  }
}
