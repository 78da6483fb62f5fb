import Archive
import Foundation
import Glibc
import Primitives
import Recorder
import Testing

@Suite("An archive's folder")
struct FolderReaderTests {
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let outside = FileManager.default.temporaryDirectory.appendingPathComponent("archive-\(UUID().uuidString)")
    let folder = outside.appendingPathComponent("archive")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("media"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: outside) }
    try body(folder)
  }

  private func write(_ name: String, _ text: String, in folder: URL) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  @Test("regular files are listed and read")
  func reads() throws {
    try withFolder { folder in
      try write("manifest.jsonl", "0123456789", in: folder)
      try write("media/a.mp4", "abc", in: folder)
      let reader = try FolderReader(folder)
      #expect(
        Set(try reader.items()) == [
          ArchiveItem(name: "manifest.jsonl", kind: .file(length: 10)), ArchiveItem(name: "media", kind: .folder),
          ArchiveItem(name: "media/a.mp4", kind: .file(length: 3)),
        ])
      #expect(try reader.read("manifest.jsonl", from: 2, count: 3) == Array("234".utf8))
      #expect(try reader.read("manifest.jsonl", from: 8, count: 30) == Array("89".utf8))
      #expect(try reader.read("media/a.mp4", from: 0, count: 3) == Array("abc".utf8))
      #expect(try reader.read("media/b.mp4", from: 0, count: 3) == nil)
    }
  }

  @Test("nothing leads out of the folder")
  func followsNothing() throws {
    try withFolder { folder in
      try write("secret", "s", in: folder.deletingLastPathComponent())
      let links = ["media/link.mp4": "../../secret", "key.pub": "/etc/passwd", "late": "/etc"]
      for (name, target) in links {
        try FileManager.default.createSymbolicLink(
          atPath: folder.appendingPathComponent(name).path, withDestinationPath: target)
      }
      #expect(mkfifo(folder.appendingPathComponent("media/pipe").path, 0o600) == 0)
      let reader = try FolderReader(folder)
      for name in ["media/link.mp4", "key.pub", "late/passwd", "media/pipe", "../secret", "/etc/passwd", "media", ""] {
        #expect(try reader.read(name, from: 0, count: 10) == nil, "\(name)")
      }
      let items = try reader.items()
      #expect(items.count { $0.kind == .symbolicLink } == 3)
      #expect(items.contains(ArchiveItem(name: "media/pipe", kind: .other)))
      #expect(!items.contains { $0.name.hasPrefix("late/") })
    }
  }

  @Test("a folder that is none is an error")
  func refusesMissingFolder() throws {
    #expect(throws: ArchiveReadingError.self) { try FolderReader(URL(fileURLWithPath: "/nowhere/at/all")) }
    #expect(throws: ArchiveReadingError.self) { try FolderReader(URL(fileURLWithPath: "/etc/passwd")) }
  }

  @Test("recovery cuts and removes, and does not reach through links")
  func repairs() throws {
    try withFolder { folder in
      try write("manifest.jsonl", "0123456789", in: folder)
      try write("media/a.mp4", "abc", in: folder)
      try write("other", "0123", in: folder)
      try FolderRepair.apply(
        [.truncate(name: "manifest.jsonl", length: 4), .remove(name: "media/a.mp4")], in: folder)
      let reader = try FolderReader(folder)
      #expect(try reader.read("manifest.jsonl", from: 0, count: 30) == Array("0123".utf8))
      #expect(try reader.read("media/a.mp4", from: 0, count: 30) == nil)
      try FileManager.default.createSymbolicLink(
        atPath: folder.appendingPathComponent("media/b.mp4").path, withDestinationPath: "../other")
      #expect(throws: ArchiveReadingError.self) {
        try FolderRepair.apply([.truncate(name: "media/b.mp4", length: 0)], in: folder)
      }
      #expect(try reader.read("other", from: 0, count: 30)?.count == 4)
    }
  }
}
