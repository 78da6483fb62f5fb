import DTLS
import DataChannel
import ICE
import PeerSession
import Primitives
import SRTP

/// How a client and a server are set up.
package struct SessionPairConfiguration {
  package var clientAddress = TransportAddress.simulated(1, 1)
  package var serverAddress = TransportAddress.simulated(0, 1)
  package var seed: UInt64 = 1
  package var dataChannels: SCTPStack?
  /// In place of the real fingerprints.
  package var fingerprintExpectedByServer: DTLSFingerprint?
  package var fingerprintExpectedByClient: DTLSFingerprint?

  package init() {}
}

/// A client with a full ICE agent that controls, and the lite server's end of its session.
package struct SessionPair {
  package let client: Endpoint
  package let server: Endpoint
  package let configuration: SessionPairConfiguration

  package static let clientIdentity = Result { try DTLSIdentity() }
  package static let serverIdentity = Result { try DTLSIdentity() }

  /// Makes both ends, signalled to each other; the client starts with the first step of the simulator.
  package init(_ configuration: SessionPairConfiguration, engine: SRTPEngine, now: MonotonicTime) throws {
    self.configuration = configuration
    var random = RandomSource.seeded(configuration.seed)
    let clientCredentials = ICECredentials.random(using: &random)
    let serverCredentials = ICECredentials.random(using: &random)
    let (clientIdentity, serverIdentity) = (try Self.clientIdentity.get(), try Self.serverIdentity.get())
    let channels = configuration.dataChannels.map {
      DataChannelConfiguration(stack: $0, peerMaximumMessageSize: 65_536)
    }
    server = Endpoint(
      PeerSessionConfiguration(
        ice: ICEConfiguration(mode: .lite, role: .controlled), localCredentials: serverCredentials,
        localCandidates: [.host(configuration.serverAddress)], remoteCredentials: clientCredentials,
        remoteCandidates: [], identity: serverIdentity, dtlsRole: .server,
        expectedFingerprint: configuration.fingerprintExpectedByServer ?? clientIdentity.fingerprint(.sha256),
        engine: engine, dataChannels: channels, random: .seeded(random.next())), now: now)
    client = Endpoint(
      PeerSessionConfiguration(
        ice: ICEConfiguration(mode: .full, role: .controlling), localCredentials: clientCredentials,
        localCandidates: [.host(configuration.clientAddress)], remoteCredentials: serverCredentials,
        remoteCandidates: [.host(configuration.serverAddress)], isRemoteLite: true, identity: clientIdentity,
        dtlsRole: .client,
        expectedFingerprint: configuration.fingerprintExpectedByClient ?? serverIdentity.fingerprint(.sha256),
        engine: engine, dataChannels: channels, random: .seeded(random.next())), now: now)
  }

  /// Joins a simulation; `further` are addresses at which the client will be later.
  package func join(_ simulator: Simulator, further: [TransportAddress] = []) {
    simulator.add(server, at: [configuration.serverAddress])
    simulator.add(client, at: [configuration.clientAddress] + further)
  }

  /// Restarts ICE with the client at a new address, as its page does when the network changes.
  package func restart(at address: TransportAddress, seed: UInt64, now: MonotonicTime) {
    var random = RandomSource.seeded(seed)
    let clientCredentials = ICECredentials.random(using: &random)
    let serverCredentials = ICECredentials.random(using: &random)
    server.session.restart(local: serverCredentials, remote: clientCredentials, candidates: [], now: now)
    client.session.restart(
      local: clientCredentials, remote: serverCredentials, candidates: [.host(configuration.serverAddress)], now: now)
    client.session.addLocalCandidate(.host(address), now: now)
  }
}

extension TransportAddress {
  /// `10.0.network.host`, port 5000.
  package static func simulated(_ network: UInt8, _ host: UInt8, port: UInt16 = 5_000) -> TransportAddress {
    TransportAddress(ip: IPAddress(v4: 0x0a00_0000 | UInt32(network) << 8 | UInt32(host)), port: port)
  }
}
