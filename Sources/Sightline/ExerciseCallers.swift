import ControlRoom
import Gateway
import Incidents
import JSON
import Logging
import MediaClient
import Primitives
import ServiceLifecycle

/// Plays the callers of exercises until their incidents are over, their time is, or the node shuts down.
struct ExerciseCallers: Service, ExercisePlayers {
  private let desks: GatewayDesks
  private let logger: Logger
  private let orders: AsyncStream<Exercise>
  private let sink: AsyncStream<Exercise>.Continuation

  /// Seconds between two callers of one exercise.
  private static let stagger = 3.0
  /// How often it is looked whether an exercise is over.
  private static let glance = Duration.seconds(1)

  init(desks: GatewayDesks, logger: Logger) {
    self.desks = desks
    self.logger = logger
    (orders, sink) = AsyncStream.makeStream()
  }

  func play(_ exercise: Exercise) {
    sink.yield(exercise)
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        for await exercise in orders {
          group.addTask { await perform(exercise) }
        }
        group.cancelAll()
      }
    }
  }

  /// One exercise, from the first call to the end of its incidents.
  private func perform(_ exercise: Exercise) async {
    let clip: Clip
    do {
      clip = try Clip(path: DemoCommand.builtInClip())
    } catch {
      logger.error("an exercise has no callers: \(error)")
      await desks.exercises.expire(exercise)
      return
    }
    await withTaskGroup(of: Void.self) { group in
      for place in exercise.calls.indices {
        group.addTask {
          try? await Task.sleep(for: .seconds(Self.stagger * Double(place)))
          guard !Task.isCancelled else { return }
          let actor = ExerciseActor(exercise, place: place, room: desks.room)
          await actor.perform(clip: clip, desks: desks, logger: logger)
        }
      }
      await waitForTheEnd(of: exercise)
      group.cancelAll()
    }
  }

  private func waitForTheEnd(of exercise: Exercise) async {
    while !Task.isCancelled {
      if exercise.incidents.allSatisfy(desks.room.isClosed) { return }
      if desks.room.clock.wall() >= exercise.endsAt { await desks.exercises.expire(exercise) }
      try? await Task.sleep(for: Self.glance)
    }
  }
}
