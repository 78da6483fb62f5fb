import Primitives
import STUN

/// One end of an ICE session: finds, keeps and changes the path to a peer (RFC 8445).
///
/// It opens no socket and reads no clock. Feed STUN messages to ``receive(_:on:now:)`` and the time to
/// ``handleTimeout(now:)`` at ``deadline``; after every call, ``poll()`` until nil.
///
/// A restart is made before the break: the old generation answers checks and its path stays selected until the new
/// generation has one (RFC 8445 §9). Of the packet path it sees only ``noteTraffic(on:now:)``, a comparison and a store.
package struct ICEAgent: Sendable {
  package let configuration: ICEConfiguration
  /// May differ from the configured one after a role conflict, or when the peer is lite.
  package internal(set) var role: ICERole

  var current: ICEGeneration
  var previous: ICEPreviousGeneration?
  var phase = ICEPhase.idle
  /// The selected path again and when it was last heard, apart from ``phase`` so that noting a packet copies no state.
  var heard = ICEHeard()
  var localCandidates: [ICELocalCandidate] = []
  var gathering: [ICEServerReflexiveQuery] = []
  /// The earliest time for the next new transaction (Ta).
  var nextCheck = MonotonicTime.zero
  var random: RandomSource
  let tieBreaker: UInt64
  var outputs = ICEOutputQueue()

  package init(configuration: ICEConfiguration, localCredentials: ICECredentials, random: RandomSource) {
    self.configuration = configuration
    role = configuration.role
    current = ICEGeneration(number: 0, local: localCredentials)
    self.random = random
    tieBreaker = self.random.next()
  }

  package var state: ICEState { phase.state }

  /// The way for media; nil before the first path and after a failure.
  package var selectedPath: TransportPath? { heard.path }

  /// The newest generation's credentials.
  package var localCredentials: ICECredentials { current.local }

  /// The fragments that a peer's checks may name: the newest generation's, and the one before while it answers.
  package var acceptedUsernameFragments: [String] {
    [current.local.usernameFragment] + (previous.map { [$0.generation.local.usernameFragment] } ?? [])
  }

  /// Whether every STUN server has answered or been given up.
  package var isGatheringComplete: Bool { gathering.allSatisfy(\.isFinished) }

  /// The next output, nil when there is none.
  package mutating func poll() -> Output? { outputs.popFirst() }

  /// Adds an address of ours; a full agent pairs it and asks the STUN servers about it.
  ///
  /// - Parameter base: what the socket is bound to, where a static NAT makes it differ from the candidate's address.
  package mutating func addLocalCandidate(_ candidate: ICECandidate, base: TransportAddress? = nil) {
    let local = ICELocalCandidate(candidate: candidate, base: base ?? candidate.address)
    guard localCandidates.count < ICEConfiguration.maximumLocalCandidates, !localCandidates.contains(local) else {
      return
    }
    localCandidates.append(local)
    guard configuration.mode == .full else { return }
    for remote in current.remoteCandidates { formPair(local, remote) }
    startGathering(for: local)
  }

  /// Forgets the candidates of a socket that is gone; paths in use stay until they fail.
  package mutating func removeLocalCandidates(base: TransportAddress) {
    localCandidates.removeAll { $0.base == base }
    gathering.removeAll { $0.base == base }
  }

  /// The peer's credentials for the newest generation; the full agent's checks begin.
  ///
  /// - Parameter isLite: the peer is a lite agent, so that a full one controls (RFC 8445 §6.1.1).
  package mutating func setRemote(credentials: ICECredentials, isLite: Bool = false) {
    current.remote = credentials
    if isLite, configuration.mode == .full { switchRole(to: .controlling) }
  }

  /// A candidate of the peer, from its description or trickled (RFC 8838 §11).
  ///
  /// One of another generation, or after ``endOfRemoteCandidates()``, is ignored. A lite agent needs none.
  package mutating func addRemoteCandidate(_ candidate: ICECandidate) {
    guard configuration.mode == .full, !current.remoteCandidatesEnded, candidate.component == 1 else { return }
    if let fragment = candidate.usernameFragment, let remote = current.remote, fragment != remote.usernameFragment {
      return
    }
    learn(candidate)
  }

  /// No more candidates will come; a search goes on all the same, for peer-reflexive ones (RFC 8863).
  package mutating func endOfRemoteCandidates() {
    current.remoteCandidatesEnded = true
  }

  /// One STUN message that arrived on `path`.
  package mutating func receive(_ bytes: UnsafeRawBufferPointer, on path: TransportPath, now: MonotonicTime) {
    do {
      let message = try STUNMessage(parsing: bytes)
      switch message.messageClass {
      case .request: handleRequest(message, bytes, on: path, now: now)
      case .success, .error: handleResponse(message, bytes, on: path, now: now)
      case .indication: break  // a keepalive: nothing protects it, so that it proves nothing
      }
    } catch {
      outputs.append(.rejected(.malformed(error)))
    }
  }

  /// Authenticated media arrived on `path`: the peer lives.
  package mutating func noteTraffic(on path: TransportPath, now: MonotonicTime) {
    guard heard.isOn(path) else { return }
    heard.last = now
    if case .interrupted = phase { recover() }
  }

  /// Starts a new generation with fresh credentials; the peer's come with ``setRemote(credentials:isLite:)``.
  package mutating func restart(localCredentials: ICECredentials, now: MonotonicTime) {
    if let selection = phase.selection {
      // A generation that never got a path is dropped; the one that carries the path stays.
      if selection.generation == current.number {
        previous = ICEPreviousGeneration(generation: current, expires: nil)
      }
    } else {
      previous = ICEPreviousGeneration(generation: current, expires: now + configuration.previousGenerationGrace)
      enter(.checking(since: now))
    }
    previous?.generation.checkList = ICECheckList()
    current = ICEGeneration(number: current.number + 1, local: localCredentials)
  }
}

/// Which path carries media and when it was last heard: plain words, cheap to compare and to store.
struct ICEHeard: Hashable, Sendable {
  var path: TransportPath?
  var last = MonotonicTime.zero

  /// `path == self.path`, word by word and the part that differs first; the derived `==` costs a call for each member.
  @inline(__always)
  func isOn(_ other: TransportPath) -> Bool {
    guard let path else { return false }
    return path.remote.port == other.remote.port && path.remote.ip.low == other.remote.ip.low
      && path.remote.ip.high == other.remote.ip.high && path.local.port == other.local.port
      && path.local.ip.low == other.local.ip.low && path.local.ip.high == other.local.ip.high
      && path.transport.isSame(as: other.transport) && path.remote.ip.family.isSame(as: other.remote.ip.family)
  }
}

extension TransportProtocol {
  @inline(__always)
  fileprivate func isSame(as other: TransportProtocol) -> Bool {
    switch (self, other) {
    case (.udp, .udp), (.tcp, .tcp): true
    case (.udp, .tcp), (.tcp, .udp): false
    }
  }
}

extension IPAddress.Family {
  @inline(__always)
  fileprivate func isSame(as other: IPAddress.Family) -> Bool {
    switch (self, other) {
    case (.v4, .v4), (.v6, .v6): true
    case (.v4, .v6), (.v6, .v4): false
    }
  }
}
