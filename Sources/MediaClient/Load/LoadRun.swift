import CSystemCalls
import DTLS
import Primitives
import SDP

/// Puts a server under load: callers play a clip, viewers count and measure what comes out.
///
/// Sessions are started at a steady rate; once everyone is there, a window of fixed length is measured.
package struct LoadRun: Sendable {
  private let plan: LoadPlan
  private let clip: Clip
  private let target: any SignallingTarget
  private let observer: @Sendable (LoadSample) -> Void
  private let identity: DTLSIdentity
  private let tally = LoadTally()

  /// - Parameter observer: Gets a sample every second.
  package init(
    _ plan: LoadPlan, clip: Clip, target: any SignallingTarget, observer: @escaping @Sendable (LoadSample) -> Void
  ) throws {
    self.plan = plan
    self.clip = clip
    self.target = target
    self.observer = observer
    identity = try DTLSIdentity()
  }

  /// Runs from the first offer to the last goodbye.
  ///
  /// - Throws: ``ClientError`` when there is nothing to measure.
  package func run() async throws -> LoadResult {
    let workers = try (0..<max(1, plan.threads)).map { try LoadWorker(number: $0) }
    let timeline = LoadTimeline(workers, tally: tally, serverProcess: plan.serverProcess, observer: observer)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await timeline.run() }
      let result: Result<LoadResult, any Error>
      do { result = .success(try await measure(workers, timeline)) } catch { result = .failure(error) }
      group.cancelAll()
      tally.end()
      await hangUp()
      for worker in workers { await worker.loop.stop() }
      return try result.get()
    }
  }

  private func measure(_ workers: [LoadWorker], _ timeline: LoadTimeline) async throws -> LoadResult {
    let callers = (1...max(1, plan.callers)).map { LoadParticipant(caller: $0, role: .caller) }
    await join(callers, workers)
    guard tally.connected.callers > 0 else {
      throw ClientError("No caller could connect. \(tally.failures.first ?? "")")
    }
    // One viewer of each caller after the other, so that callers fill up evenly.
    let viewers = (0..<plan.viewers).flatMap { number in
      callers.map { LoadParticipant(caller: $0.caller, role: .viewer(number + 1)) }
    }
    await join(viewers, workers)
    guard plan.viewers == 0 || tally.connected.viewers > 0 else {
      throw ClientError("No viewer could connect. \(tally.failures.first ?? "")")
    }
    await waitForMedia(workers)
    for worker in workers { await worker.openWindow() }
    let opened = await LoadMoment.now(workers, server: plan.serverProcess)
    timeline.enter(.measuring)
    try await Task.sleep(for: .nanoseconds(plan.duration.nanoseconds))
    let closed = await LoadMoment.now(workers, server: plan.serverProcess)
    timeline.enter(.settling)
    for worker in workers { await worker.stopCallers() }
    try await Task.sleep(for: LoadPlan.settlingTime)
    let settled = await LoadMoment.now(workers, server: plan.serverProcess)
    return LoadResult(
      plan: plan, target: target.name, clip: clip, opened: opened, closed: closed, settled: settled, tally: tally,
      series: timeline.samples)
  }

  /// Starts the sessions at the plan's rate and returns when all are connected or have failed.
  private func join(_ participants: [LoadParticipant], _ workers: [LoadWorker]) async {
    let began = ContinuousClock.now
    await withTaskGroup(of: Void.self) { group in
      for (place, participant) in participants.enumerated() {
        if place >= LoadPlan.maximumPending { await group.next() }
        try? await Task.sleep(until: began + .seconds(Double(place) / plan.ramp), clock: .continuous)
        let worker = workers[place % workers.count]
        group.addTask {
          do { try await connect(participant, worker) } catch { tally.fail(participant, "\(error)") }
        }
      }
    }
  }

  private func connect(_ participant: LoadParticipant, _ worker: LoadWorker) async throws {
    tally.begin(participant, at: Self.now)
    let endpoint = try ClientEndpoint(
      on: plan.localAddress, identity: identity, notesArrival: true,
      givesTransportFeedback: plan.behaviour.sendsTransportFeedback)
    let session = try await target.join(participant, from: endpoint, codec: clip.codec)
    let answered = Self.now
    tally.update(participant) { $0.answered = answered }
    let (events, sink) = AsyncStream.makeStream(of: ClientPeer.ClientEvent.self)
    let times = try await worker.start(
      session, on: endpoint, clip: participant.role == .caller ? clip : nil, behaviour: plan.behaviour
    ) { [tally] event in
      switch event {
      case .connected:
        let now = Self.now
        tally.update(participant) { $0.connected = now }
      case .closed(let reason): tally.lose(participant, reason)
      }
      sink.yield(event)
    }
    tally.update(participant) { $0.media = times }
    switch await Self.first(of: events, within: LoadPlan.connectTimeout) {
    case .connected: return
    case .closed(let reason): throw ClientError(reason)
    case nil: throw ClientError("It did not connect within \(LoadPlan.connectTimeout).")
    }
  }

  private static func first<Element: Sendable>(of events: AsyncStream<Element>, within limit: Duration) async
    -> Element?
  {
    await withTaskGroup(of: Element?.self) { group in
      group.addTask { await events.first { _ in true } }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }

  private func waitForMedia(_ workers: [LoadWorker]) async {
    let limit = ContinuousClock.now + LoadPlan.mediaTimeout
    while ContinuousClock.now < limit {
      let media = tally.setUps.compactMap(\.media).count { $0.firstLive != nil }
      if media >= tally.connected.viewers { return }
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  private func hangUp() async {
    let joined = tally.setUps.filter { $0.answered != nil }.map(\.participant)
    await withTaskGroup(of: Void.self) { group in
      for (place, participant) in joined.enumerated() {
        if place >= LoadPlan.maximumPending { await group.next() }
        group.addTask { await target.leave(participant) }
      }
    }
  }

  private static var now: MonotonicTime { MonotonicTime(nanoseconds: sl_monotonic_nanoseconds()) }
}
