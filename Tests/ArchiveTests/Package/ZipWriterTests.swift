import Archive
import Foundation
import Primitives
import Testing

/// The writer against `unzip` and Python's zipfile, which share nothing with it.
@Suite("ZIP archives in pieces")
struct ZipWriterTests {
  private static let time = UTCTime(seconds: 1_795_403_482)

  private static func path(_ text: String) throws -> PackagePath { try #require(PackagePath(text)) }

  private func write(
    _ entries: [(String, [UInt8])], isAlwaysLarge: Bool = false, piece: Int = 7, to file: URL
  ) throws {
    var writer = ZipWriter(time: Self.time, isAlwaysLarge: isAlwaysLarge)
    var bytes: [UInt8] = []
    for (name, content) in entries {
      bytes += try writer.begin(Self.path(name), length: content.count)
      for start in stride(from: 0, to: content.count, by: piece) {
        let part = Array(content[start..<min(start + piece, content.count)])
        try part.withUnsafeBytes { try writer.append($0) }
        bytes += part
      }
      let patch = try writer.end()
      bytes.replaceSubrange(patch.offset..<patch.offset + patch.bytes.count, with: patch.bytes)
    }
    bytes += writer.finish()
    #expect(writer.length == bytes.count)
    try Data(bytes).write(to: file)
  }

  private static let reader = """
    import hashlib, json, sys, zipfile
    with zipfile.ZipFile(sys.argv[1]) as z:
        bad = z.testzip()
        print(json.dumps({i.filename: [i.file_size, hashlib.sha256(z.read(i)).hexdigest(), list(i.date_time), bad]
                          for i in z.infolist()}, sort_keys=True))
    """

  @Test("both readers find what was written", arguments: [false, true])
  func readersAgree(isAlwaysLarge: Bool) throws {
    let folder = try TestFolder()
    let file = folder.url.appendingPathComponent("a.zip")
    let long = (0..<100_003).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try write(
      [("VERIFY.txt", Array("123456789".utf8)), ("archive/media/v1-0001.mp4", long), ("archive/empty", [])],
      isAlwaysLarge: isAlwaysLarge, piece: 4_099, to: file)

    let test = try folder.run("unzip", ["-t", file.path])
    #expect(test.status == 0, "\(test.output)")
    let python = try folder.run("python3", ["-c", Self.reader, file.path])
    #expect(python.status == 0)
    #expect(
      python.output.contains(
        "\"VERIFY.txt\": [9, \"15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225\", [2026, 11, 23, 3, 11, 22], null]"
      ))
    #expect(python.output.contains("\"archive/empty\": [0,"))
    #expect(python.output.contains("\"archive/media/v1-0001.mp4\": [100003,"))
  }

  @Test("the checksum is that of ISO 3309, whatever the pieces")
  func checksum() throws {
    let folder = try TestFolder()
    let file = folder.url.appendingPathComponent("a.zip")
    for piece in [1, 3, 8, 9] {
      try write([("a", Array("123456789".utf8))], piece: piece, to: file)
      let bytes = Array(try Data(contentsOf: file))
      #expect(Array(bytes[14..<18]) == [0x26, 0x39, 0xf4, 0xcb])
    }
  }

  @Test("more entries than 16 bits count are found")
  func manyEntries() throws {
    let folder = try TestFolder()
    let file = folder.url.appendingPathComponent("a.zip")
    try write((0..<65_600).map { ("f/\($0)", []) }, to: file)
    let python = try folder.run(
      "python3", ["-c", "import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))", file.path])
    #expect(python.output == "65600\n")
  }

  @Test("an entry of more than 4 GiB, and one behind it, are found")
  func longEntry() throws {
    let folder = try TestFolder()
    let file = folder.url.appendingPathComponent("a.zip")
    let descriptor = open(file.path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    defer { close(descriptor) }
    var writer = ZipWriter(time: Self.time)
    var offset = 0
    func put(_ bytes: [UInt8], at place: Int) {
      #expect(pwrite(descriptor, bytes, bytes.count, off_t(place)) == bytes.count)
    }
    // Zeros are left to the file system: nothing of them is on the disk.
    let length = 4 << 30 | 12_345
    let header = try writer.begin(Self.path("media/long.mp4"), length: length)
    put(header, at: 0)
    let zeros = [UInt8](repeating: 0, count: 8 << 20)
    var left = length
    while left > 0 {
      let count = min(left, zeros.count)
      try zeros.withUnsafeBytes { try writer.append(UnsafeRawBufferPointer(rebasing: $0[0..<count])) }
      left -= count
    }
    let patch = try writer.end()
    put(patch.bytes, at: patch.offset)
    offset = writer.length
    put(try writer.begin(Self.path("behind.txt"), length: 6), at: offset)
    try Array("behind".utf8).withUnsafeBytes { try writer.append($0) }
    put(Array("behind".utf8), at: writer.length - 6)
    let second = try writer.end()
    put(second.bytes, at: second.offset)
    offset = writer.length
    put(writer.finish(), at: offset)

    let unzip = try folder.run("unzip", ["-p", file.path, "behind.txt"])
    #expect(unzip.output == "behind")
    let code = """
      import sys, zipfile
      z = zipfile.ZipFile(sys.argv[1])
      print(z.read("behind.txt").decode(), z.getinfo("media/long.mp4").file_size, z.open("media/long.mp4").read(3))
      """
    let python = try folder.run("python3", ["-c", code, file.path])
    #expect(python.output == "behind \(length) b'\\x00\\x00\\x00'\n")
  }

  @Test("a file that grows or shrinks while it is packed is refused")
  func lengthsHold() throws {
    var writer = ZipWriter(time: Self.time)
    _ = try writer.begin(Self.path("a"), length: 2)
    #expect(throws: PackageError.self) { try [1, 2, 3].withUnsafeBytes { try writer.append($0) } }
    #expect(throws: PackageError.self) { try writer.end() }
  }

  @Test("no name comes twice")
  func namesAreUnique() throws {
    var writer = ZipWriter(time: Self.time)
    _ = try writer.begin(Self.path("a"), length: 0)
    _ = try writer.end()
    #expect(throws: PackageError.self) { try writer.begin(Self.path("a"), length: 0) }
  }

  @Test(
    "names lead nowhere else",
    arguments: [
      "", "/", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.hidden", "a\\b", "a\u{0}b", "ä", "a b",
      "C:x",
      "1/2/3/4/5/6/7", String(repeating: "x", count: 101),
    ])
  func badNames(_ text: String) {
    #expect(PackagePath(text) == nil)
  }
}

/// A folder that a test has to itself, and programs that work in it.
final class TestFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("sightline-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  /// Runs a program to its end; what it prints goes through a file, so that no pipe fills up.
  func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let file = url.appendingPathComponent("output-\(UUID().uuidString)")
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    let output = try FileHandle(forWritingTo: file)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = url
    process.standardOutput = output
    process.standardError = output
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: file, encoding: .utf8))
  }
}
