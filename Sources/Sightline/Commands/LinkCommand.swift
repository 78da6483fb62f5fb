import ArgumentParser
import Foundation
import Gateway
import JSON
import MediaServer
import Primitives

struct LinkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link",
    abstract: "Sign a link that lets one person into an incident.",
    discussion: """
      sightline link --data /var/lib/sightline --base https://video.example.org --incident 26-001482 --role caller
      sightline link --data /var/lib/sightline --base https://video.example.org --incident 26-001482 --role viewer --json
      """)

  enum Role: String, ExpressibleByArgument, CaseIterable {
    case caller
    case viewer
  }

  @Option(help: "The node's data folder, which holds the signing key.") var data: String
  @Option(help: "Base URL of the node.") var base = "http://127.0.0.1:8080"
  @Option(help: "The incident: letters, digits, - and _.") var incident: String
  @Option(help: "caller may send, viewer may watch.") var role: Role
  @Option(help: "Name that the others see.") var name: String?
  @Option(help: "Minutes that the link is good for.") var minutes = 15
  @Flag(help: "Print JSON with url and token.") var json = false

  func run() async throws {
    guard let id = IncidentID(incident) else {
      throw ValidationError("An incident is named with 1 to 64 letters, digits, - and _.")
    }
    guard minutes > 0 else { throw ValidationError("--minutes must be positive.") }
    let authority = try TokenKeyFile.load(from: URL(fileURLWithPath: data))
    let links = Links(base: base, incident: id, authority: authority, lifetime: Int64(minutes) * 60)
    let token: String
    let url: String
    switch role {
    case .caller:
      token = links.token(.caller, name: name ?? "caller", [.publish, .subscribe])
      url = links.callerPage(token)
    case .viewer:
      token = links.token(.viewer, name: name ?? "viewer", .subscribe)
      url = links.viewerPage(token)
    }
    print(json ? JSONValue.object(["url": .string(url), "token": .string(token)]).canonical : url)
  }
}
