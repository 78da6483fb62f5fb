import ArgumentParser

/// The `sightline` command: the composition root of everything.
@main
struct SightlineCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sightline",
    abstract: "Emergency video: a caller's camera on the operator's screen within a second.",
    discussion: """
      Try it, with a simulated caller and links to watch and to call in:

          sightline demo

      Run a node:

          sightline serve --data /var/lib/sightline --host 0.0.0.0

      Let somebody into an incident:

          sightline link --data /var/lib/sightline --incident 26-001482 --role caller

      Let somebody sign in:

          sightline users add anna --data /var/lib/sightline --role operator --generate

      Prove a recording:

          sightline verify /var/lib/sightline/archive/26-001482 --key node.pub
      """,
    version: "0.1.0",
    subcommands: [
      DemoCommand.self, ServeCommand.self, LinkCommand.self, UsersCommand.self, JournalCommand.self, VerifyCommand.self,
      ArchiveKeysCommand.self, ExportCommand.self, RetentionCommand.self, LoadCommand.self, FillArchiveCommand.self,
    ])
}
