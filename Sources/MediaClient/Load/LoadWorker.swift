import Primitives
import SDP

/// One thread of the load generator with what it measures.
struct LoadWorker: Sendable {
  let loop: ClientLoopHandle
  let recorder = LoadRecorder()

  init(number: Int) throws {
    loop = try ClientLoop.start(name: "load-\(number)")
  }

  /// Puts a negotiated session to work.
  ///
  /// - Parameter clip: What a caller plays; nil for a viewer.
  func start(
    _ session: SignalledSession, on endpoint: ClientEndpoint, clip: Clip?, behaviour: LoadReceiver.Behaviour,
    onEvent: @escaping @Sendable (ClientPeer.ClientEvent) -> Void
  ) async throws -> LoadReceiverTimes {
    let times = LoadReceiverTimes()
    let started = await loop.perform { [recorder] loop in
      Result {
        var random = RandomSource.system
        let receiver =
          clip == nil
          ? LoadReceiver(
            session.negotiated, behaviour: behaviour, recorder: recorder, times: times, random: &random) : nil
        let peer: any ClientLoopPeer & ClipPlayback
        switch session.transport {
        case .webRTC(let role):
          peer = try ClientPeer(
            endpoint, session: session.negotiated, role: role, clip: clip, stampsPackets: true, receiver: receiver,
            loop: loop, onEvent: onEvent)
        case .bare(let hello):
          peer = try BarePeer(
            endpoint, session: session.negotiated, hello: hello, clip: clip, receiver: receiver, loop: loop,
            onEvent: onEvent)
        }
        try loop.add(peer)
        if let receiver { recorder.add(receiver) } else { recorder.add(caller: peer) }
      }
    }
    guard let started else { throw ClientError("The load generator is stopping.") }
    try started.get()
    return times
  }

  func openWindow() async {
    _ = await loop.perform { [recorder] in recorder.openWindow(now: $0.now) }
  }

  func snapshot() async -> LoadSnapshot {
    let snapshot = await loop.perform { [recorder] in recorder.snapshot(cpuNanoseconds: $0.cpuNanoseconds) }
    return snapshot ?? LoadSnapshot()
  }

  func stopCallers() async {
    _ = await loop.perform { [recorder] _ in recorder.stopCallers() }
  }
}
