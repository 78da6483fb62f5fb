import DTLS
import DataChannel
import PeerSession
import Primitives
import RTP
import SRTP
import SimulationSupport
import Testing

/// A client and a server that are joined by a simulated network.
struct Link {
  let simulator: Simulator
  let pair: SessionPair
  var client: Endpoint { pair.client }
  var server: Endpoint { pair.server }

  static let home = TransportAddress.simulated(1, 1)
  static let mobile = TransportAddress.simulated(2, 1)
  static let server = TransportAddress.simulated(0, 1)

  init(seed: UInt64 = 1, _ configure: (inout SessionPairConfiguration) -> Void = { _ in }) throws {
    simulator = Simulator(seed: seed)
    var configuration = SessionPairConfiguration()
    configuration.seed = seed
    configure(&configuration)
    pair = try SessionPair(configuration, engine: SRTPEngine(.openSSL), now: simulator.now)
    pair.join(simulator, further: [Self.mobile])
  }

  var areConnected: Bool { client.isConnected && server.isConnected }

  /// Runs until both have keys.
  func connect() throws {
    try #require(simulator.run(for: .seconds(20)) { areConnected })
  }

  /// One small RTP packet from `sender`, as number `sequence`.
  @discardableResult
  func sendRTP(_ sequence: UInt16, from sender: Endpoint) -> Bool {
    var packet = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: 60)
    packet.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      RTPHeader.write(
        to: base, marker: false, payloadType: PayloadType(96), sequenceNumber: SequenceNumber(sequence), timestamp: 0,
        ssrc: SSRC(7))
    }
    return sender.sendRTP(packet, into: &simulator.network, now: simulator.now)
  }

  /// Gives bytes to an end as if they had arrived from `source`.
  func inject(_ bytes: [UInt8], into receiver: Endpoint, from source: TransportAddress) -> PeerSessionReceived {
    let local = receiver === server ? Self.server : Self.home
    var copy = bytes
    let result = copy.withUnsafeMutableBytes {
      receiver.session.receive($0, on: TransportPath(local: local, remote: source), now: simulator.now)
    }
    simulator.settle()
    return result
  }
}

/// The sequence numbers of RTP packets that an endpoint gets.
final class Inbox {
  private(set) var numbers: [UInt16] = []
  private(set) var reports: [RTCPPacket] = []
  private(set) var arrivals: [MonotonicTime] = []

  init(of endpoint: Endpoint) {
    endpoint.onRTP = { [weak self] packet, now in
      guard let header = try? RTPHeader(parsing: packet) else { return }
      self?.numbers.append(header.sequenceNumber.rawValue)
      self?.arrivals.append(now)
    }
    endpoint.onRTCP = { [weak self] packet, _ in self?.reports += (try? RTCPCompound.parse(packet)) ?? [] }
  }
}
