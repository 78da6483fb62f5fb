import ArgumentParser

/// The `sightline` command: the composition root of everything.
@main
struct SightlineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sightline",
    abstract: "Emergency video: a caller's camera on the operator's screen within a second.",
    discussion: """
      sightline demo                       try it: a simulated caller, a link to watch, a link to call in
      sightline serve --data /var/lib/sightline --host 0.0.0.0 --tls-certificate c.pem --tls-key k.pem
      sightline link --data /var/lib/sightline --incident 26-001482 --role caller
      """,
    version: "0.1.0",
    subcommands: [DemoCommand.self, ServeCommand.self, LinkCommand.self])
}
