import Archive
import ArgumentParser
import Cryptography
import Foundation
import JSON
import Primitives
import Recorder

/// Proves an archive, with nothing but its folder and a public key.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check that archives are as they were recorded.",
    discussion: """
      Says what is whole, what is missing and what was altered. Nothing is changed. Works while the incident is recorded.

          sightline archive-keys export --data /var/lib/sightline > node.pub
          sightline verify /var/lib/sightline/archive/26-001482 --key node.pub
          sightline verify /var/lib/sightline/archive --key node.pub      all archives in the folder
          sightline verify evidence --sealed --json                      demand a final seal; print JSON

      Without --key an archive's own key.pub is used: that shows that nothing changed since it was sealed, not who sealed it.

      Status 0: whole. 1: damaged. 2: cannot be checked (no archive there, unreadable, no such key). 3: whole, but not sealed \
      although --sealed was given. 64: wrong usage.
      """)

  @Argument(help: "An archive's folder, or a folder of archives.") var folder: String
  @Option(help: "A public key: 64 hexadecimal digits, or a file with one or more, a line each. May be repeated.")
  var key: [String] = []
  @Flag(help: "An archive without a final seal does not pass.") var sealed = false
  @Flag(help: "Print JSON.") var json = false

  /// Whole, but without a final seal.
  private static let notSealed = ExitCode(3)
  private static let cannotCheck = ExitCode(2)

  func run() throws {
    let root = URL(fileURLWithPath: folder)
    let isOne = ArchiveFolders.isArchive(root)
    var results: [(name: String, report: VerificationReport)] = []
    var unread = false
    do {
      let keys = try key.flatMap(Self.keys)
      for folder in isOne ? [root] : try ArchiveFolders.children(of: root) {
        do throws(ArchiveReadingError) {
          results.append((folder.lastPathComponent, try check(folder, keys)))
        } catch {
          say(error.text)
          unread = true
        }
      }
    } catch let error as VerifyError {
      say(error.text)
      throw Self.cannotCheck
    }
    show(results, isOne: isOne)
    if results.contains(where: { !$0.report.isWhole }) { throw ExitCode(1) }
    if unread { throw Self.cannotCheck }
    if sealed, results.contains(where: { $0.report.state != .sealed }) { throw Self.notSealed }
  }

  private func show(_ results: [(name: String, report: VerificationReport)], isOne: Bool) {
    switch (isOne, json) {
    case (true, true): for (_, report) in results { print(report.json.canonical) }
    case (true, false): for (_, report) in results { print(report.text) }
    case (false, true): print(Self.json(results).canonical)
    case (false, false): printTable(results)
    }
  }

  private func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

  private static func keys(_ text: String) throws(VerifyError) -> [Ed25519PublicKey] {
    if let key = Hex.decode(text).flatMap({ Ed25519PublicKey($0) }) { return [key] }
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: text)), data.count <= ArchiveFile.maximumSmallFile,
      let keys = ArchivePublicKeys.parse(Array(data))
    else {
      throw VerifyError(
        "--key \(text) is no public key: give 64 hexadecimal digits, or a file of such lines as `sightline archive-keys "
          + "export` prints.")
    }
    return keys
  }

  private func check(_ folder: URL, _ keys: [Ed25519PublicKey]) throws(ArchiveReadingError) -> VerificationReport {
    var bar = ProgressBar(label: folder.lastPathComponent, isShown: !json && isatty(STDERR_FILENO) == 1)
    defer { bar.clear() }
    return try Verifier.verify(FolderReader(folder), keys: keys) { bar.show($0) }
  }

  // MARK: - Many archives

  private static func json(_ results: [(name: String, report: VerificationReport)]) -> JSONValue {
    .array(
      results.map { result in
        guard case .object(var members) = result.report.json else { return .null }
        members["folder"] = .string(result.name)
        return .object(members)
      })
  }

  private func printTable(_ results: [(name: String, report: VerificationReport)]) {
    let width = results.map(\.name.count).max() ?? 0
    for (name, report) in results {
      let padding = String(repeating: " ", count: width - name.count)
      print("\(name)\(padding)  \(report.verdict)  \(report.counts.bytes) bytes, \(report.counts.lines) lines")
      for finding in report.findings where finding.severity == .damage { print("  \(finding)") }
    }
    let damaged = results.count { !$0.report.isWhole }
    print("\(results.count) archives, \(damaged) damaged")
  }
}

/// Where archives are.
private enum ArchiveFolders {
  /// Whether the folder is an archive, or what is left of one.
  static func isArchive(_ folder: URL) -> Bool {
    let own =
      [ArchiveFile.manifest, ArchiveFile.journal, ArchiveFile.key] + ArchivePath.Folder.allCases.map(\.rawValue)
    return own.contains { FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path) }
  }

  /// The folders in a folder, in order of their names.
  static func children(of folder: URL) throws(VerifyError) -> [URL] {
    guard
      let names = try? FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: [.isDirectoryKey], options: [.skipsHiddenFiles])
    else { throw VerifyError("The folder \(folder.path) cannot be read.") }
    let folders = names.filter { (try? $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true }
    guard !folders.isEmpty else { throw VerifyError("There is no archive in \(folder.path).") }
    return folders.sorted { $0.lastPathComponent < $1.lastPathComponent }
  }
}

private struct VerifyError: Error {
  let text: String

  init(_ text: String) {
    self.text = text
  }
}

/// A line on standard error that shows how far a long run is.
private struct ProgressBar {
  let label: String
  let isShown: Bool
  private var percent = -1

  init(label: String, isShown: Bool) {
    self.label = label
    self.isShown = isShown
  }

  mutating func show(_ progress: VerificationProgress) {
    let now = progress.total > 0 ? progress.done * 100 / progress.total : 100
    guard isShown, now != percent else { return }
    percent = now
    let bar = String(repeating: "#", count: now / 5) + String(repeating: ".", count: 20 - now / 5)
    write("\r\(label) [\(bar)] \(now) %")
  }

  func clear() {
    if isShown, percent >= 0 { write("\r\u{1b}[K") }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
