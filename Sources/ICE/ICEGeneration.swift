import Primitives

/// What one pair of credentials spans: from a start or restart to the next (RFC 8445 §9).
struct ICEGeneration: Sendable {
  /// Counts up with each restart.
  let number: Int
  let local: ICECredentials
  var remote: ICECredentials?
  var remoteCandidates: [ICECandidate] = []
  /// No more candidates will come from signalling; peer-reflexive ones still may.
  var remoteCandidatesEnded = false
  var checkList = ICECheckList()
  /// When the first pair became valid.
  var firstValid: MonotonicTime?

  init(number: Int, local: ICECredentials) {
    self.number = number
    self.local = local
  }
}

/// A generation that was replaced by a restart.
struct ICEPreviousGeneration: Sendable {
  var generation: ICEGeneration
  /// When it stops answering; nil while it still carries the selected path.
  var expires: MonotonicTime?
}

/// A local candidate and the address its socket is bound to (RFC 8445 §4, base).
struct ICELocalCandidate: Hashable, Sendable {
  let candidate: ICECandidate
  let base: TransportAddress
}
