import ArgumentParser
import Foundation
import Gateway
import Logging
import MediaClient
import MediaServer
import Primitives

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Start a node with a simulated caller and print what to open.",
    discussion: """
      sightline demo                         on http://127.0.0.1:8080
      sightline demo --json --port 0         on free ports, one line of JSON once ready, for scripts
      """)

  @OptionGroup var node: NodeOptions

  @Option(help: "Name of the demo incident.") var incident = "demo"
  @Option(help: "WebM or MP4 file that the simulated caller plays. The built-in street scene if none is given.")
  var clip: String?
  @Flag(inversion: .prefixedNo, help: "Whether a simulated caller plays a clip.") var caller = true
  @Flag(help: "Print one line of JSON when ready instead of text.") var json = false

  /// Links of the demo are good for a day.
  private static let linkLifetime: Int64 = 24 * 60 * 60

  func run() async throws {
    guard let id = IncidentID(incident) else {
      throw ValidationError("An incident is named with 1 to 64 letters, digits, - and _.")
    }
    var logger = Logger(label: "sightline") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .notice
    let folder = node.data.map { URL(fileURLWithPath: $0) } ?? Self.defaultFolder
    let running = try Node(node, data: folder, logger: logger)
    var beside: [any SimulatedCaller.ServiceType] = []
    if caller {
      let path = try clip ?? Self.builtInClip()
      beside.append(try SimulatedCaller(clip: Clip(path: path), media: running.media, incident: id))
    }
    try await running.run(beside: beside) { [json] node, base in
      let links = Links(base: base, incident: id, authority: node.authority, lifetime: Self.linkLifetime)
      print(try Self.announcement(links, json: json))
      fflush(nil)
    }
  }

  private static var defaultFolder: URL {
    FileManager.default.temporaryDirectory.appendingPathComponent("sightline-demo")
  }

  private static func builtInClip() throws -> String {
    guard let url = Bundle.module.url(forResource: "street", withExtension: "webm") else {
      throw ValidationError("The built-in clip is missing beside the program. Give one with --clip FILE.")
    }
    return url.path
  }

  private static func announcement(_ links: Links, json: Bool) throws -> String {
    let whip = links.token(.device, name: "camera", .publish)
    let whep = links.token(.viewer, name: "player", .subscribe)
    let caller = links.callerPage(links.token(.caller, name: "second caller", [.publish, .subscribe]))
    let viewer = links.viewerPage(links.token(.operator, name: "operator", .subscribe))
    if json {
      return try JSONLine.encode([
        "base": links.base, "incident": links.incident.value, "whip": links.whip, "whep": links.whep,
        "caller": caller, "viewer": viewer, "whipToken": whip, "whepToken": whep,
      ])
    }
    return """

      Sightline is running. A simulated caller is on the line.

      Watch the call:           \(viewer)
      Call in with a camera:    \(caller)

      For cameras and players (Authorization: Bearer …):
        WHIP \(links.whip)
             \(whip)
        WHEP \(links.whep)
             \(whep)

      Browsers give out the camera on localhost or over HTTPS. Ctrl-C stops it.

      """
  }
}
