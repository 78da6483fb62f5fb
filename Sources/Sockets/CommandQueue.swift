import CSystemCalls
import Glibc
import Synchronization

/// Work from other threads for one media thread's object: bounded, and it wakes the thread.
///
/// The only place where a media thread meets a lock, and only when there is work.
package final class CommandQueue<Target: AnyObject>: Sendable {
  package typealias Command = @Sendable (Target) -> Void

  private struct State {
    var commands: [Command] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  /// Readable while commands wait.
  package let descriptor: Int32

  /// Commands that may wait; more are refused, so that an overloaded thread sheds load instead of memory.
  package static var capacity: Int { 4_096 }

  package init() throws(SystemError) {
    descriptor = try check(sl_eventfd_create(), "create an event counter")
  }

  deinit {
    Glibc.close(descriptor)
  }

  /// Adds a command; false when the queue is closed, or full.
  ///
  /// - Parameter evenWhenFull: for commands that give something back, which must not get lost: to stop, to stop listening.
  package func submit(evenWhenFull: Bool = false, _ command: @escaping Command) -> Bool {
    let accepted = state.withLock { state in
      guard !state.isClosed, evenWhenFull || state.commands.count < Self.capacity else { return false }
      state.commands.append(command)
      return true
    }
    if accepted { sl_eventfd_signal(descriptor) }
    return accepted
  }

  /// Wakes the thread without a command: there is something for it elsewhere.
  package func wake() {
    sl_eventfd_signal(descriptor)
  }

  /// Takes all commands, in order.
  package func take() -> [Command] {
    sl_eventfd_drain(descriptor)
    return state.withLock { state in
      defer { state.commands = [] }
      return state.commands
    }
  }

  /// Refuses commands from now on and returns those that still waited, so that none is left without an answer.
  package func close() -> [Command] {
    state.withLock { state in
      state.isClosed = true
      defer { state.commands = [] }
      return state.commands
    }
  }
}
