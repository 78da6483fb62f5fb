import ArgumentParser
import Foundation
import MediaClient
import Primitives
import Synchronization

struct LoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Put a WebRTC server under load and measure what comes out.",
    discussion: """
      Callers play a clip over WHIP, viewers watch over WHEP: real ICE, DTLS and SRTP, no decoding.

        sightline demo --no-caller --json --port 0 --data /tmp/node > demo.json &
        sightline load --demo-json demo.json --viewers 100 --pid $! --report load.html
        sightline load --target http://127.0.0.1:8080 --data /tmp/node --callers 15 --viewers 4
        sightline load --whip https://h.example/{n}/whip --whep https://h.example/{n}/whep
        sightline load --janus http://127.0.0.1:8088/janus --viewers 100
      """)

  @OptionGroup(title: "Server") var server: LoadServerOptions
  @OptionGroup(title: "Load") var load: LoadOptions

  @Flag(help: "Print the figures as JSON instead of a table.") var json = false
  @Option(help: "Write a self-contained HTML page with plots.", completion: .file()) var report: String?
  @Flag(help: "Show no progress.") var quiet = false

  func run() async throws {
    let clip = try Clip(path: load.clip ?? DemoCommand.builtInClip())
    let plan = try load.plan(serverProcess: server.pid)
    let showsProgress = !quiet
    let run = try LoadRun(plan, clip: clip, target: server.signallingTarget()) { sample in
      if showsProgress { Self.note(LoadTable.progress(sample)) }
    }
    let result = try await run.run()
    if let report { try Data(LoadReport.render(result).utf8).write(to: URL(fileURLWithPath: report)) }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      print(String(decoding: try encoder.encode(result), as: UTF8.self))
    } else {
      print(LoadTable.render(result))
    }
    if result.sessions.failed + result.sessions.lost > 0 { throw ExitCode.failure }
  }

  /// Progress goes to standard error: standard output is for the result.
  private static func note(_ line: String) {
    FileHandle.standardError.write(Data("\(line)\n".utf8))
  }
}

/// How much load.
struct LoadOptions: ParsableArguments {
  @Option(help: "Callers.") var callers = 1
  @Option(help: "Viewers of each caller.") var viewers = 10
  @Option(help: "Seconds that are measured once everyone is there.") var duration = 10.0
  @Option(help: "Sessions started a second.") var ramp = 50.0
  @Option(help: "WebM or MP4 file that callers play.", completion: .file()) var clip: String?
  @Option(help: "Threads that receive.") var threads = 1
  @Option(help: "Decrypt only every so many packets; headers of all are counted.") var sample = 1
  @Flag(inversion: .prefixedNo, help: "Whether viewers ask for missing packets again.") var nack = true
  @Flag(help: "Viewers tell every 50 ms when each packet came, as browsers do: the server then measures their links.")
  var feedback = false
  @Option(help: "Address of this machine to use.") var localAddress = "127.0.0.1"

  func plan(serverProcess: Int32?) throws -> LoadPlan {
    guard let address = IPAddress(localAddress) else { throw ValidationError("--local-address must be an IP address.") }
    var plan = LoadPlan()
    plan.callers = callers
    plan.viewers = viewers
    plan.duration = .seconds(duration)
    plan.ramp = ramp
    plan.threads = threads
    plan.localAddress = address
    plan.behaviour = LoadReceiver.Behaviour(
      decryptsEvery: sample, sendsNACK: nack, sendsTransportFeedback: feedback)
    plan.serverProcess = serverProcess
    return plan
  }

  func validate() throws {
    guard (1...LoadPlan.maximumCallers).contains(callers), (0...LoadPlan.maximumViewers).contains(viewers) else {
      throw ValidationError(
        "--callers goes from 1 to \(LoadPlan.maximumCallers), --viewers from 0 to \(LoadPlan.maximumViewers).")
    }
    guard duration > 0, duration <= 86_400, ramp > 0 else {
      throw ValidationError("--duration and --ramp must be positive, --duration at most a day.")
    }
    guard (1...LoadPlan.maximumThreads).contains(threads), sample >= 1 else {
      throw ValidationError("--threads goes from 1 to \(LoadPlan.maximumThreads), --sample from 1 up.")
    }
  }
}

/// Which server, and how to speak to it.
struct LoadServerOptions: ParsableArguments {
  @Option(help: "WHIP endpoint; {n} stands for the caller's number.") var whip: String?
  @Option(help: "WHEP endpoint; {n} stands for the caller's number.") var whep: String?
  @Option(help: "Bearer token for WHIP.") var whipToken: String?
  @Option(help: "Bearer token for WHEP.") var whepToken: String?
  @Option(help: "File with what sightline demo --json printed, - for standard input; one incident.") var demoJson:
    String?
  @Option(help: "Base URL of a Sightline node; every caller gets an incident. Needs --data.") var target: String?
  @Option(help: "The node's data folder, which holds the signing key.") var data: String?
  @Option(help: "Janus' HTTP API with the video room plugin, for example http://127.0.0.1:8088/janus.") var janus:
    String?
  @Option(help: "Port of the benchmark's bare loop, see Tests/Benchmarks.") var bareLoop: UInt16?
  @Option(help: "Process of the server, to measure its processor time and memory.") var pid: Int32?

  /// Seconds that links are good for.
  private static let linkLifetime: Int64 = 24 * 60 * 60

  func validate() throws {
    guard [whip, demoJson, target, janus, bareLoop.map(String.init)].count(where: { $0 != nil }) == 1 else {
      throw ValidationError(
        "Give one of --whip with --whep, --demo-json, --target with --data, --janus, --bare-loop.")
    }
    guard (whip == nil) == (whep == nil) else { throw ValidationError("--whip and --whep go together.") }
    guard (target == nil) == (data == nil) else { throw ValidationError("--target and --data go together.") }
  }

  /// The server that was asked for.
  func signallingTarget() throws -> any SignallingTarget {
    if let janus { return JanusTarget(address: janus) }
    if let bareLoop { return try BareLoopTarget(TransportAddress(ip: IPAddress(v4: 0x7f00_0001), port: bareLoop)) }
    if let demoJson { return try demo(demoJson) }
    if let target, let data { return try node(target, data: data) }
    let (whipToken, whepToken) = (whipToken, whepToken)
    return WHIPTarget(
      name: whip ?? "", whip: .init(url: whip ?? "") { _ in whipToken }, whep: .init(url: whep ?? "") { _ in whepToken }
    )
  }

  private func demo(_ path: String) throws -> any SignallingTarget {
    struct Announcement: Decodable {
      var base: String
      var whip: String
      var whep: String
      var whipToken: String
      var whepToken: String
    }
    let bytes =
      path == "-" ? FileHandle.standardInput.availableData : try Data(contentsOf: URL(fileURLWithPath: path))
    let demo = try JSONDecoder().decode(Announcement.self, from: bytes)
    return WHIPTarget(
      name: demo.base, whip: .init(url: demo.whip) { _ in demo.whipToken },
      whep: .init(url: demo.whep) { _ in demo.whepToken })
  }

  private func node(_ base: String, data: String) throws -> any SignallingTarget {
    let authority = try TokenKeyFile.load(from: URL(fileURLWithPath: data))
    let links = { @Sendable (caller: Int) in
      IncidentID("load-\(caller)").map {
        Links(base: base, incident: $0, authority: authority, lifetime: Self.linkLifetime)
      }
    }
    let callers = LoadTokens { links($0)?.token(.device, name: "load caller \($0)", .publish) }
    let viewers = LoadTokens { links($0)?.token(.viewer, name: "load viewer", .subscribe) }
    return WHIPTarget(
      name: base, whip: .init(url: "\(base)/whip/load-{n}", token: callers.token(of:)),
      whep: .init(url: "\(base)/whep/load-{n}", token: viewers.token(of:)))
  }
}

/// One token for all who do the same in an incident, since an incident takes in a limited number of links.
private final class LoadTokens: Sendable {
  private let made = Mutex<[Int: String]>([:])
  private let make: @Sendable (Int) -> String?

  init(_ make: @escaping @Sendable (Int) -> String?) {
    self.make = make
  }

  /// The token of a caller's number.
  @Sendable func token(of caller: Int) -> String? {
    made.withLock { made in
      if let token = made[caller] { return token }
      made[caller] = make(caller)
      return made[caller]
    }
  }
}
