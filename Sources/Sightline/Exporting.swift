import Archive
import ControlRoom
import Cryptography
import Foundation
import Primitives
import Recorder
import ServiceLifecycle
import Storage

/// What evidence packages are made with, by a node and by the command line.
enum Exporting {
  /// Packages lie in this folder within the node's data.
  static let folderName = "exports"

  /// What opens encrypted archives, where the node has it.
  static func envelopeKey(in data: URL) throws -> EnvelopeKey? {
    let name = "archive-encryption-key"
    guard FileManager.default.fileExists(atPath: data.appendingPathComponent(name).path) else { return nil }
    return EnvelopeKey(try KeyFile.load(name, from: data))
  }

  static func sources(
    data: URL, storage: any Storage, files: FileStore?, envelopeKey: EnvelopeKey?
  ) -> PackageSources {
    PackageSources(
      storage: storage, archives: data.appendingPathComponent("archive").path, files: files,
      media: FilePackageMedia(envelopeKey: envelopeKey)
    ) { () throws(PackageError) in
      do throws(ArchiveKeyError) {
        var random = RandomSource.system
        let keyring = try ArchiveKeyring(data: data, now: RecorderClock.system.wall(), random: &random)
        return PackageKeys(signing: keyring.signingKey, known: keyring.entries.map(\.key))
      } catch {
        throw PackageError(.unavailable, error.text)
      }
    }
  }
}

/// Makes evidence packages beside everything else.
struct ExportService: Service {
  let exports: ExportDesk

  func run() async throws {
    await cancelWhenGracefulShutdown { await exports.run() }
  }
}
