import Foundation

/// Runs FFmpeg's own programs, which judge what was written.
enum Tool {
  struct Result {
    var status: Int32
    var output: String
    var errors: String
  }

  static let folder: URL = {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "MediaFilesTests-\(ProcessInfo.processInfo.processIdentifier)")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: Tool.folder) }
    return folder
  }()

  /// A path that no other call gets.
  static func path(_ suffix: String) -> String {
    folder.appending(path: UUID().uuidString + suffix).path
  }

  static func file(_ bytes: [UInt8], _ suffix: String) throws -> String {
    let path = path(suffix)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Output goes to files: a pipe that nobody empties would block the program.
  static func run(_ program: String, _ arguments: [String]) throws -> Result {
    let (output, errors) = (path(".out"), path(".err"))
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    _ = FileManager.default.createFile(atPath: errors, contents: nil)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
      errors: try String(contentsOfFile: errors, encoding: .utf8))
  }

  static func ffmpeg(_ arguments: [String]) throws {
    let result = try run("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", "-threads", "1"] + arguments)
    guard result.status == 0 else { throw Failure(text: result.errors) }
  }

  /// What FFmpeg complains about when it decodes the whole file; empty for a file without fault.
  static func complaints(_ path: String) throws -> String {
    try run(
      "ffmpeg",
      [
        "-hide_banner", "-loglevel", "warning", "-threads", "1", "-i", path, "-fps_mode", "passthrough",
        "-enc_time_base:v", "1:90000", "-f", "null", "-",
      ]
    ).errors
  }

  /// The mean luma, as coded, of a part of a picture, given as FFmpeg's `crop` takes it; `seek` in seconds for films.
  static func luma(_ path: String, crop: String = "iw:ih:0:0", seek: Double? = nil) throws -> Int {
    let output = Tool.path(".raw")
    // With `-ss` behind the input every picture is decoded: the first that is not earlier is taken.
    try ffmpeg(
      ["-i", path] + (seek.map { ["-ss", String($0)] } ?? []) + [
        "-frames:v", "1", "-vf", "crop=\(crop),extractplanes=y", "-f", "rawvideo", output,
      ])
    let pixels = try bytes(output)
    return pixels.reduce(0) { $0 + Int($1) } / max(1, pixels.count)
  }

  /// How loud a stretch of a film is: the mean square root, where 1 is the most that a sample can be.
  static func loudness(_ path: String, from start: Double, seconds: Double) throws -> Double {
    let output = Tool.path(".raw")
    try ffmpeg(
      ["-i", path, "-vn", "-af", "atrim=\(start):\(start + seconds)", "-ac", "1", "-f", "s16le", output])
    let bytes = try bytes(output)
    let squares = stride(from: 0, to: bytes.count - 1, by: 2).map { index -> Double in
      let sample = Int16(truncatingIfNeeded: Int(bytes[index]) | Int(bytes[index + 1]) << 8)
      return Double(sample) * Double(sample) / (32_768 * 32_768)
    }
    return squares.isEmpty ? 0 : (squares.reduce(0, +) / Double(squares.count)).squareRoot()
  }

  struct Packet: Decodable {
    var streamIndex: Int
    var pts: Int64?
    var dts: Int64?
    var duration: Int64?
    var flags: String
    var size: String

    var isKeyframe: Bool { flags.hasPrefix("K") }
  }

  struct Stream: Decodable {
    struct SideData: Decodable {
      var rotation: Int?
    }

    var codecName: String
    var width: Int?
    var height: Int?
    var timeBase: String
    var profile: String?
    var pixFmt: String?
    var channels: Int?
    var duration: String?
    var sideDataList: [SideData]?
  }

  struct Format: Decodable {
    var duration: String?
  }

  struct Probe: Decodable {
    var packets: [Packet]?
    var streams: [Stream]
    var format: Format?
  }

  static func probe(_ path: String, packets: Bool = true) throws -> Probe {
    let shown = packets ? ["-show_packets"] : []
    let result = try run(
      "ffprobe",
      ["-hide_banner", "-loglevel", "warning", "-of", "json", "-show_streams", "-show_format"] + shown + [path])
    guard result.status == 0, result.errors.isEmpty else { throw Failure(text: result.errors) }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Probe.self, from: Data(result.output.utf8))
  }

  struct Failure: Error, CustomStringConvertible {
    var text: String
    var description: String { text }
  }
}
