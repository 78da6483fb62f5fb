import ArgumentParser
import Foundation
import ControlRoom
import Gateway
import Incidents
import JSON
import Logging
import MediaClient
import MediaServer
import Primitives
import ServiceLifecycle

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
  @Flag(inversion: .prefixedNo, help: "Whether to listen on HTTPS in the local network too, for a phone's camera.")
  var phone = true
  @Flag(help: "Print one line of JSON when ready instead of text.") var json = false

  /// Links of the demo are good for a day.
  private static let linkLifetime: Int64 = 24 * 60 * 60

  func run() async throws {
    guard let id = IncidentID(incident) else {
      throw ValidationError("An incident is named with 1 to 64 letters, digits, - and _.")
    }
    var logger = Logger(label: "sightline") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .notice
    let folder = try node.data.map { URL(fileURLWithPath: $0) } ?? Self.freshFolder()
    let running = try Node(node, data: folder, logger: logger)
    var beside: [any Service] = []
    let phones = try phoneListener(running, data: folder)
    if let phones { beside.append(phones.gateway) }
    if caller {
      let path = try clip ?? Self.builtInClip()
      beside.append(try SimulatedCaller(clip: Clip(path: path), desks: running.desks, incident: id, logger: logger))
    }
    defer { if node.data == nil { try? FileManager.default.removeItem(at: folder) } }
    try await running.run(beside: beside) { [json] node, base in
      try await node.room.ensure(id, origin: "demo")
      let accounts = try await DemoAccounts.make(in: node.room, data: folder)
      let links = Links(base: base, incident: id, authority: node.authority, lifetime: Self.linkLifetime)
      let phoneBase = try await phones?.base()
      let phone = phoneBase.map {
        Links(base: $0, incident: id, authority: node.authority, lifetime: Self.linkLifetime)
      }
      print(Self.announcement(links, phone: phone, accounts, json: json))
      fflush(nil)
    }
  }

  /// On the next port but one thousand, 9080 for 8080; none when a proxy or certificate is in use already.
  private func phoneListener(_ running: Node, data: URL) throws -> PhoneListener? {
    guard phone, node.tlsCertificate == nil, node.publicURL == nil else { return nil }
    return try PhoneListener(
      port: node.port == 0 ? 0 : node.port + 1_000, data: data, node: running)
  }

  /// The demo begins anew each time, unless it was given a folder of its own; two demos keep out of each other's way.
  private static func freshFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sightline-demo-\(getpid())")
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    return folder
  }

  static func builtInClip() throws -> String {
    guard let url = Bundle.module.url(forResource: "street", withExtension: "webm") else {
      throw ValidationError("The built-in clip is missing beside the program. Give one with --clip FILE.")
    }
    return url.path
  }

  private static func announcement(_ links: Links, phone: Links?, _ accounts: DemoAccounts, json: Bool) -> String {
    let whip = links.token(.device, name: "camera", .publish)
    let whep = links.token(.viewer, name: "player", .subscribe)
    let caller = links.callerPage(links.token(.caller, name: "second caller", [.publish, .subscribe]))
    let viewer = links.viewerPage(links.token(.viewer, name: "viewer", .subscribe))
    let phoneLink = phone.map { $0.callerPage($0.token(.caller, name: "phone", [.publish, .subscribe])) }
    if json {
      return JSONValue.object([
        "base": .string(links.base), "incident": .string(links.incident.value), "whip": .string(links.whip),
        "whep": .string(links.whep), "caller": .string(caller), "viewer": .string(viewer), "whipToken": .string(whip),
        "whepToken": .string(whep), "phone": .string(phoneLink ?? ""), "accounts": accounts.json,
      ]).canonical
    }
    let admin = accounts.all[.operator]
    let page = { (path: String, role: Role) in
      "\(links.base)/\(path)?token=\(accounts.all[role]?["token"]?.string ?? "")"
    }
    return """

      Sightline is running. A simulated caller is on the line.

      Take the call, as operator:  \(page("console", .operator))
      Ride to it, as paramedic:    \(page("field", .responder))
      Look at all, as supervisor:  \(page("wall", .supervisor))
      Set it up, as admin:         \(page("admin", .admin))
      Watch as a guest:            \(viewer)
      Call in from this browser:   \(caller)
      Call in from a phone:        \(phoneLink ?? "needs a network address; this machine has none")

      For cameras and players (Authorization: Bearer …):
        WHIP \(links.whip)
             \(whip)
        WHEP \(links.whep)
             \(whep)

      For programs, as the demo agency's operator (all accounts: demo --json):
        curl -H 'Authorization: Bearer \(admin?["token"]?.string ?? "")' \(links.base)/api/v1/incidents
      All interfaces:              \(links.base)/docs

      The phone warns of the demo's own certificate once. Ctrl-C stops everything.

      """
  }
}
