import ArgumentParser
import Archive
import ControlRoom
import Foundation
import Gateway
import Identity
import JSON
import MediaServer
import Outgoing
import Primitives
import Relay
import SRTP
import Sockets

/// The options that every command that starts a node shares.
struct NodeOptions: ParsableArguments {
  @Option(help: "Folder for keys and state; made if it is missing.")
  var data: String?

  @Option(help: "Address to serve HTTP on.")
  var host = "127.0.0.1"

  @Option(help: "Port to serve HTTP on; 0 picks a free one.")
  var port = 8080

  @Option(help: "First UDP and TCP port for media, one per media thread; 0 picks free ones.")
  var mediaPort: UInt16 = 0

  @Option(help: "Address for media, repeatable. All addresses of this machine if none is given.")
  var mediaAddress: [String] = []

  @Option(help: "Address that peers are told instead, repeatable: for servers behind 1:1 NAT.")
  var advertise: [String] = []

  @Option(help: "Media threads; one for each processor core that may be used.")
  var mediaThreads = 1

  @Flag(help: "Run media threads before all else on the machine (SCHED_RR), where the system allows it.")
  var realtime = false

  @Flag(help: "Mark packets by how urgent they are, for networks that heed it: DSCP as in RFC 8837.")
  var dscp = false

  @Option(
    help: ArgumentHelp(
      "Most that this node may send, Mbit/s; when it is full, the least urgent pictures give way first.",
      discussion: "No limit if none is given: then each viewer's own link is all that counts.", valueName: "mbit"))
  var egressLimit: Double?

  @Option(help: "SRTP implementation: ipsec-mb, openssl or libsrtp2. The fastest that runs here if none is given.")
  var srtp: SRTPChoice?

  @Option(help: "Certificate chain for HTTPS, PEM. Browsers give out cameras only over HTTPS or on localhost.")
  var tlsCertificate: String?

  @Option(help: "Private key for HTTPS, PEM.")
  var tlsKey: String?

  @Option(help: "Base URL under which clients reach this server, when a proxy stands in front.")
  var publicURL: String?

  @Option(help: "TURN or STUN URL to hand out, repeatable, for example turn:turn.example.org:3478?transport=udp.")
  var turn: [String] = []

  @Option(help: "File with the secret shared with the TURN server (coturn: static-auth-secret).")
  var turnSecretFile: String?

  @Option(help: "Name of the agency whose incidents these are: letters, digits, - and _.")
  var agency = "agency"

  @Option(help: "Domain that identifies the agency to other systems, for example leitstelle-nord.example.")
  var agencyDomain: String?

  @Option(help: "Durable messages a second that one person may send for long; four times as many at once.")
  var durableRate = ControlRoomLimits().durableRate

  @Option(help: "Minutes after which a session that nothing was done in is locked.")
  var idleLockMinutes = 30

  @Option(
    help:
      "Failed sign-ins of one account, within a quarter of an hour, that lock it out; five times as many of an address."
  )
  var maximumFailures = 10

  @Option(help: "Minutes of the first lock-out; the next are twice as long each.")
  var lockoutMinutes = 15

  @Option(help: "JSON file that describes the SMS gateway: provider, account, secret, from; see RUNBOOK.")
  var smsGateway: String?

  @Option(help: "JSON file that describes the mail server: host, port, security, user, password, from; see RUNBOOK.")
  var mailServer: String?

  @Option(help: "Certificates, PEM, that are trusted beside the system's for outgoing calls.")
  var trust: String?

  @Option(help: "Program that looks at uploads, its path last: ends with 0 for clean, 1 for infected.")
  var scanCommand: String?

  @Flag(inversion: .prefixedNo, help: "Record every stream of every incident into DATA/archive.")
  var recording = true

  @Flag(help: "Encrypt new archives; the key is DATA/archive-encryption-key, without which they cannot be shown.")
  var encryptArchives = false

  @OptionGroup var face: FaceOptions

  @OptionGroup var archiveSpace: ArchiveSpaceOptions

  @Flag(help: "Have a second person agree to every evidence package; to a custodian's one has to agree always.")
  var exportApproval = false

  enum SRTPChoice: String, ExpressibleByArgument, CaseIterable {
    case ipsecMB = "ipsec-mb"
    case openSSL = "openssl"
    case libsrtp2

    var backend: SRTPBackendKind {
      switch self {
      case .ipsecMB: .ipsecMB
      case .openSSL: .openSSL
      case .libsrtp2: .libsrtp2
      }
    }
  }

  /// What opens encrypted archives; made at the first start that encrypts.
  func archiveEncryptionKey(data: URL) throws -> EnvelopeKey? {
    let name = "archive-encryption-key"
    let exists = FileManager.default.fileExists(atPath: data.appendingPathComponent(name).path)
    guard encryptArchives || exists else { return nil }
    return EnvelopeKey(try KeyFile.load(name, from: data))
  }

  func smsProvider() throws -> SMSProvider? {
    try smsGateway.map { try SMSProvider(json: try Self.json($0)) }
  }

  func mailConfiguration() throws -> MailConfiguration? {
    try mailServer.map { try MailConfiguration(json: try Self.json($0)) }
  }

  var transferOptions: TransferOptions { TransferOptions(certificateFile: trust) }

  private static func json(_ path: String) throws -> JSONValue {
    do {
      return try JSONValue(parsing: try String(contentsOfFile: path, encoding: .utf8))
    } catch let error as JSONError {
      throw ValidationError("\(path) is no JSON: \(error.description).")
    }
  }

  func identityLimits() throws -> IdentityLimits {
    guard (1...1_440).contains(idleLockMinutes), (1...1_440).contains(lockoutMinutes),
      (1...1_000).contains(maximumFailures)
    else {
      throw ValidationError("--idle-lock-minutes and --lockout-minutes are 1 to 1440, --maximum-failures is 1 to 1000.")
    }
    var limits = IdentityLimits()
    limits.idleLock = .seconds(Double(idleLockMinutes) * 60)
    limits.lockout = .seconds(Double(lockoutMinutes) * 60)
    limits.maximumAccountFailures = maximumFailures
    limits.maximumAddressFailures = maximumFailures * 5
    return limits
  }

  var controlRoomLimits: ControlRoomLimits {
    var limits = ControlRoomLimits()
    limits.durableRate = durableRate
    limits.durableBurst = durableRate * 4
    return limits
  }

  func mediaConfiguration(recording: (any RecordingSink)?) throws -> MediaServer.Configuration {
    let addresses = try mediaAddress.map(Self.address)
    return MediaServer.Configuration(
      addresses: addresses.isEmpty ? Interfaces.usableAddresses() : addresses, port: mediaPort,
      advertisedAddresses: try advertise.map(Self.address), shards: mediaThreads, pinsThreads: false,
      isRealtime: realtime, marksPackets: dscp, srtpBackend: srtp?.backend, recording: recording,
      egressBitsPerSecond: try egressBitsPerSecond())
  }

  /// Megabits a second that ``egressLimit`` may say: enough for sound to a few, and more than any network card has.
  private static let egressLimits = 1.0...1_000_000

  private func egressBitsPerSecond() throws -> Int? {
    guard let egressLimit else { return nil }
    guard Self.egressLimits.contains(egressLimit) else {
      throw ValidationError("--egress-limit is 1 to 1000000 Mbit/s, for example 800 for a line of one gigabit.")
    }
    return Int(egressLimit * 1_000_000)
  }

  func gatewayConfiguration() throws -> GatewayConfiguration {
    GatewayConfiguration(
      host: host, port: port, tls: try tls(), publicBaseURL: publicURL, turn: try turnConfiguration(),
      agency: AgencyIdentity(name: agency, domain: agencyDomain), mapLibrary: face.mapLibrary)
  }

  private func tls() throws -> GatewayConfiguration.TLS {
    switch (tlsCertificate, tlsKey) {
    case (nil, nil): return .none
    case (let certificate?, let key?): return .files(certificateChain: certificate, privateKey: key)
    default: throw ValidationError("Give --tls-certificate and --tls-key together.")
    }
  }

  private func turnConfiguration() throws -> TURNConfiguration? {
    guard !turn.isEmpty else { return nil }
    guard let turnSecretFile else { throw ValidationError("--turn needs --turn-secret-file.") }
    let secret = try String(contentsOfFile: turnSecretFile, encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    return TURNConfiguration(urls: turn, sharedSecret: secret)
  }

  private static func address(_ text: String) throws -> IPAddress {
    guard let address = IPAddress(text) else {
      throw ValidationError("\"\(text)\" is no IP address. Write it like 192.0.2.10 or 2001:db8::10.")
    }
    return address
  }
}
